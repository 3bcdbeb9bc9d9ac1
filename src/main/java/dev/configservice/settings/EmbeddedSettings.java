package dev.configservice.settings;

import java.nio.file.Path;

/**
 * PostgreSQL, Redis and Kafka on this machine, started and stopped with the service. Port 0 means any free port, an empty
 * password a random one that is kept in the directory.
 */
public record EmbeddedSettings(
        boolean enabled,
        Path directory,
        int kafkaPort,
        int postgresPort,
        int redisPort,
        String postgresPassword,
        String redisPassword) {
    static EmbeddedSettings from(Section s) {
        return new EmbeddedSettings(
                s.bool("enabled"),
                Path.of(s.text("directory").isEmpty() ? "data" : s.text("directory")),
                s.integer("kafka-port", 0, 65535),
                s.integer("postgres-port", 0, 65535),
                s.integer("redis-port", 0, 65535),
                s.text("postgres-password"),
                s.text("redis-password"));
    }

    /** Omits the passwords. */
    @Override
    public String toString() {
        return "EmbeddedSettings[enabled=" + enabled + ", directory=" + directory + "]";
    }
}
