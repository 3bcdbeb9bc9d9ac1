package dev.configservice.settings;

/** The Kafka topic that changes are sent to. If no servers are set, nothing is sent. */
public record KafkaSettings(String bootstrapServers, String topic, int partitions, int replicationFactor) {
    static KafkaSettings from(Section s) {
        String topic = s.text("topic");
        if (!topic.matches("[A-Za-z0-9._-]{1,249}")) {
            s.problem("topic", topic, "1 to 249 characters of A-Z a-z 0-9 . _ -");
        }
        return new KafkaSettings(
                s.text("bootstrap-servers"),
                topic,
                s.integer("partitions", 1, 1000),
                s.integer("replication-factor", 1, 10));
    }
}
