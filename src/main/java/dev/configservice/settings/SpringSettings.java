package dev.configservice.settings;

import java.util.List;

/**
 * The facade for clients of Spring Cloud Config.
 *
 * @param baseEnvironment the environment below those that an application's profiles name
 * @param labels the labels that stand for the configurations as they are now
 * @param busTopic the Kafka topic for events that make applications refresh; empty if none are sent
 */
public record SpringSettings(String baseEnvironment, List<String> labels, String busTopic) {
    static SpringSettings from(Section s) {
        String base = s.plain("base-environment");
        if (!base.matches("[A-Za-z0-9._-]{1,100}") || base.matches("\\.\\.?")) {
            s.problem("base-environment", base, "the name of an environment: 1 to 100 of A-Z a-z 0-9 . _ -");
        }
        String topic = s.plain("bus-topic");
        if (!topic.matches("[A-Za-z0-9._-]{0,249}")) {
            s.problem("bus-topic", topic, "1 to 249 characters of A-Z a-z 0-9 . _ -, or nothing");
        }
        return new SpringSettings(base, s.list("labels"), topic);
    }
}
