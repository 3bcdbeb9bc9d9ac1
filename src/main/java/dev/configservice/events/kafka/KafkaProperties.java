package dev.configservice.events.kafka;

import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;

/**
 * The properties of Kafka's clients from a file of the operator, in the format that Kafka's own tools take. They say how
 * to connect: TLS, SASL, and anything else that this service does not need to decide itself.
 */
public final class KafkaProperties {
    /** The properties on which the order and the completeness of what is sent depend. */
    private static final Set<String> OWN = Set.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
            ProducerConfig.ACKS_CONFIG,
            ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG);

    private final String bootstrapServers;
    private final String file;

    /**
     * Creates the properties of the clients of some brokers.
     *
     * @param file the path of the file; empty if there is none
     */
    public KafkaProperties(String bootstrapServers, String file) {
        this.bootstrapServers = bootstrapServers;
        this.file = file;
    }

    /**
     * Checks the file, and that Kafka's clients accept what is in it. No broker is asked.
     *
     * @throws SettingsException if that is not so; the message holds no value of the file
     */
    public void check() {
        if (file.isEmpty() || bootstrapServers.isEmpty()) {
            return;
        }
        Map<String, String> given;
        try {
            given = read();
        } catch (IOException | IllegalArgumentException e) {
            throw refused("a readable file with the properties of Kafka's clients");
        }
        Set<String> known = new TreeSet<>(ProducerConfig.configNames());
        known.addAll(AdminClientConfig.configNames());
        for (String name : given.keySet()) {
            if (OWN.contains(name)) {
                throw refused("no property " + name + ", which the service decides itself");
            }
            if (!known.contains(name)) {
                throw refused("no property " + name + ", which Kafka's clients do not know");
            }
        }
        try {
            Admin.create(new HashMap<>(with(Map.of()))).close();
        } catch (KafkaException e) {
            Throwable cause = e;
            while (cause.getCause() != null && cause.getCause().getMessage() != null) {
                cause = cause.getCause();
            }
            throw refused("properties that Kafka's clients accept; they answered: " + withoutValues(cause, given));
        } catch (IOException e) {
            throw refused("a readable file");
        }
    }

    private SettingsException refused(String expected) {
        return new SettingsException("kafka.client-properties: " + file + " (expected: " + expected + ")");
    }

    /** Returns a message without the values that may be secret. */
    private static String withoutValues(Throwable cause, Map<String, String> given) {
        String message = String.valueOf(cause.getMessage());
        for (Map.Entry<String, String> e : given.entrySet()) {
            String name = e.getKey().toLowerCase(Locale.ROOT);
            boolean maySay = name.endsWith(".location") || name.endsWith(".protocol") || name.endsWith(".mechanism");
            if (!maySay && e.getValue().length() > 3) {
                message = message.replace(e.getValue(), "(not shown)");
            }
        }
        return message;
    }

    private Map<String, String> read() throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(file))) {
            properties.load(reader);
        }
        Map<String, String> given = new TreeMap<>();
        properties.forEach((name, value) -> given.put((String) name, (String) value));
        return given;
    }

    /**
     * Returns the properties of a client: those of this service, and those of the file over them. The file is read each
     * time, so that new passwords and certificates count from the next connection on. Blocks.
     */
    Map<String, String> with(Map<String, String> own) throws IOException {
        Map<String, String> all = new HashMap<>(own);
        if (!file.isEmpty()) {
            all.putAll(read());
        }
        all.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        return all;
    }
}
