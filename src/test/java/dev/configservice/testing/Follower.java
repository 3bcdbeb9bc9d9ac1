package dev.configservice.testing;

import dev.configservice.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A follower of changes, through a stream or the topic, that records them as they arrive. */
abstract class Follower extends Thread {
    /** The ids of the changed resources by revision, without repetitions. */
    final ConcurrentSkipListMap<Long, String> seen = new ConcurrentSkipListMap<>();

    private final Map<String, Long> lastOf = new HashMap<>();
    private final List<String> violations;
    private long lastRevision;
    int again;
    /** The number of times that the connection was broken. */
    final AtomicInteger breaks = new AtomicInteger();

    volatile boolean stopped;

    private Follower(String name, List<String> violations) {
        super(name);
        this.violations = violations;
        setDaemon(true);
    }

    /**
     * Records a change. Repetitions aside, the changes of one resource must arrive in order; with {@code inAll}, all
     * changes.
     */
    void take(long revision, String resource, boolean inAll) {
        if (seen.putIfAbsent(revision, resource) != null) {
            again++;
            return;
        }
        if (revision < lastOf.getOrDefault(resource, 0L) || (inAll && revision < lastRevision)) {
            wrong("revision " + revision + " of " + resource + " arrived after " + lastOf.get(resource) + " and "
                    + lastRevision);
        }
        lastOf.put(resource, revision);
        lastRevision = revision;
    }

    void wrong(String what) {
        violations.add(getName() + ": " + what);
    }

    abstract void end();

    /** A follower of a stream. When the stream ends, it resumes at another node after the last event received. */
    static final class OfStream extends Follower {
        private final HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
        private final List<String> nodes;
        private int node;
        private long last;
        private volatile InputStream open;

        OfStream(List<String> nodes, int node, List<String> violations) {
            super("stream " + node, violations);
            this.nodes = nodes;
            this.node = node;
        }

        @Override
        public void run() {
            while (!stopped) {
                String at = nodes.get(node++ % nodes.size());
                try {
                    follow(at);
                } catch (IOException e) {
                    // continues on the next node
                    breaks.incrementAndGet();
                } catch (InterruptedException e) {
                    return;
                }
            }
        }

        private void follow(String at) throws IOException, InterruptedException {
            HttpResponse<InputStream> response = http.send(
                    HttpRequest.newBuilder(URI.create("http://" + at + "/api/v1/changes/stream?after=" + last))
                            .timeout(Duration.ofSeconds(10))
                            .build(),
                    BodyHandlers.ofInputStream());
            open = response.body();
            if (response.statusCode() != 200) {
                open.close();
                Thread.onSpinWait();
                return;
            }
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(open, StandardCharsets.UTF_8))) {
                long id = 0;
                String type = "";
                String line;
                while ((line = lines.readLine()) != null) {
                    if (line.startsWith("id: ")) {
                        id = Long.parseLong(line.substring(4));
                    } else if (line.startsWith("event: ")) {
                        type = line.substring(7);
                    } else if (line.startsWith("data: ") && type.contains(".")) {
                        take(
                                id,
                                Json.read(line.substring(6)).path("resource_id").asText(),
                                true);
                        last = id;
                    } else if (line.startsWith("data: ") && type.equals("resync")) {
                        wrong("resync at " + id + " from " + at);
                    }
                }
            }
        }

        @Override
        void end() {
            stopped = true;
            interrupt();
            try {
                if (open != null) {
                    open.close();
                }
            } catch (IOException e) {
                // the stream is closed anyway
            }
        }
    }

    /** A follower of the topic. */
    static final class OfTopic extends Follower {
        private final KafkaConsumer<String, String> consumer;

        OfTopic(String brokers, List<String> violations) {
            super("topic", violations);
            Properties p = new Properties();
            p.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
            p.put(ConsumerConfig.GROUP_ID_CONFIG, "faults");
            p.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
            p.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
            p.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, "1000");
            consumer = new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer());
        }

        @Override
        public void run() {
            consumer.subscribe(List.of("config-updates"));
            try {
                while (!stopped) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                        long revision = Long.parseLong(new String(
                                record.headers().lastHeader("ce_revision").value(), StandardCharsets.UTF_8));
                        // the topic keeps the order only within a resource
                        take(revision, record.key(), false);
                    }
                }
            } catch (WakeupException e) {
                // end() was called
            } finally {
                consumer.close();
            }
        }

        @Override
        void end() {
            stopped = true;
            consumer.wakeup();
        }
    }
}
