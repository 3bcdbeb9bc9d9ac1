package dev.configservice.settings;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The Kafka topic that changes are sent to. If no servers are set, nothing is sent.
 *
 * @param clientProperties the path of a file with properties of Kafka's clients; empty if there is none
 */
public record KafkaSettings(
        String bootstrapServers, String clientProperties, String topic, int partitions, int replicationFactor) {
    private static final Pattern SERVER = Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:,\\s]+):\\d{1,5}");

    static KafkaSettings from(Section s) {
        String topic = s.plain("topic");
        if (!topic.matches("[A-Za-z0-9._-]{1,249}")) {
            s.problem("topic", topic, "1 to 249 characters of A-Z a-z 0-9 . _ -");
        }
        List<String> servers = s.list("bootstrap-servers");
        if (!servers.stream().allMatch(server -> SERVER.matcher(server).matches())) {
            s.problem("bootstrap-servers", String.join(",", servers), "host:port, comma-separated");
        }
        return new KafkaSettings(
                String.join(",", servers),
                s.text("client-properties"),
                topic,
                s.integer("partitions", 1, 1000),
                s.integer("replication-factor", 1, 10));
    }

    /** Returns the same settings for another topic. */
    public KafkaSettings with(String otherTopic, int otherPartitions) {
        return new KafkaSettings(bootstrapServers, clientProperties, otherTopic, otherPartitions, replicationFactor);
    }
}
