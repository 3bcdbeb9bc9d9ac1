package dev.configservice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Clients of a cluster that keep running during faults and record every response: writers, each with keys of its own;
 * readers that pass the revision that they have seen; an instance that sends heartbeats; followers of the streams and
 * of the topic. At the end, {@link #verdict} compares the records with one another and with the log.
 *
 * <p>A test that disturbs a node announces it ({@link #trouble}). The node then need not respond, but every response
 * must still be correct.
 */
public final class Clients implements AutoCloseable {
    private static final int WRITERS = 4;
    private static final int READERS = 4;
    private static final Duration WRITE_EVERY = Duration.ofMillis(100);
    private static final Duration READ_EVERY = Duration.ofMillis(60);
    private static final Duration BEAT_EVERY = Duration.ofSeconds(2);
    private static final String ENVIRONMENT = "faults";

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final List<String> nodes;
    private final Set<String> troubled = ConcurrentHashMap.newKeySet();
    private final AtomicLong troubles = new AtomicLong();
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(WRITERS + READERS + 2);
    private final List<Follower> followers = new ArrayList<>();
    private final List<String> violations = java.util.Collections.synchronizedList(new ArrayList<>());

    /** The last acknowledged write of each key. */
    private final Map<String, Acknowledged> acknowledged = new ConcurrentHashMap<>();

    private final Collection<Acknowledged> allAcknowledged = new ConcurrentLinkedQueue<>();
    private final Collection<Attempt> refused = new ConcurrentLinkedQueue<>();
    private final Collection<Attempt> unknown = new ConcurrentLinkedQueue<>();
    private final AtomicInteger reads = new AtomicInteger();
    private final AtomicInteger readsUnanswered = new AtomicInteger();
    private final AtomicInteger beats = new AtomicInteger();
    private final AtomicInteger lookups = new AtomicInteger();
    private final AtomicInteger lookupsUnanswered = new AtomicInteger();

    private record Acknowledged(String key, long value, long revision) {}

    private record Attempt(String key, long value) {}

    private record Answer(int status, long revision, boolean stale, JsonNode body) {}

    /**
     * Creates clients of the given nodes.
     *
     * @param nodes host:port of each node
     * @param kafka the brokers, or null to follow no topic
     */
    public Clients(List<String> nodes, String kafka) {
        this.nodes = List.copyOf(nodes);
        for (int i = 0; i < nodes.size(); i++) {
            followers.add(new Follower.OfStream(nodes, i, violations));
        }
        if (kafka != null) {
            followers.add(new Follower.OfTopic(kafka, violations));
        }
    }

    public void start() {
        followers.forEach(Thread::start);
        for (int i = 0; i < WRITERS; i++) {
            every(WRITE_EVERY, new Writer(i));
        }
        for (int i = 0; i < READERS; i++) {
            every(READ_EVERY, new Reader());
        }
        every(BEAT_EVERY, new Beating());
    }

    private void every(Duration period, Runnable task) {
        var unused = threads.scheduleWithFixedDelay(
                () -> {
                    try {
                        task.run();
                    } catch (RuntimeException e) {
                        violations.add("a client failed: " + e);
                    }
                },
                0,
                period.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** Announces that the given nodes are disturbed from now on. */
    public void trouble(String... hosts) {
        troubles.incrementAndGet();
        troubled.addAll(List.of(hosts));
    }

    /** Announces that the given nodes are no longer disturbed. */
    public void over(String... hosts) {
        troubled.removeAll(List.of(hosts));
        troubles.incrementAndGet();
    }

    /** Returns the number of writes that were acknowledged so far. */
    public int writes() {
        return allAcknowledged.size();
    }

    /** Returns the highest revision of an acknowledged write. */
    public long lastRevision() {
        return allAcknowledged.stream().mapToLong(Acknowledged::revision).max().orElse(0);
    }

    /** Returns the violations found so far. */
    public List<String> violations() {
        return List.copyOf(violations);
    }

    private Answer send(String node, String method, String path, String body, long minRevision, Duration deadline)
            throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + node + "/api/v1" + path))
                .timeout(deadline)
                .header("Authorization", "ApiKey " + TestNode.ADMIN_KEY)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (minRevision > 0) {
            request.header("X-Min-Revision", Long.toString(minRevision));
        }
        try {
            HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
            return new Answer(
                    response.statusCode(),
                    response.headers().firstValueAsLong("X-Config-Revision").orElse(0),
                    response.headers().firstValue("X-Config-Stale").isPresent(),
                    response.body().isEmpty() ? Json.object() : Json.read(response.body()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("stopped", e);
        }
    }

    private String anyNode() {
        return nodes.get(ThreadLocalRandom.current().nextInt(nodes.size()));
    }

    /** A writer of 1, 2, 3, … to a key. After a write with unknown outcome, it continues with a new key from 1. */
    private final class Writer implements Runnable {
        private final int number;
        private int keys;
        private String key = "";
        private String id = "";
        private long value;

        Writer(int number) {
            this.number = number;
        }

        @Override
        public void run() {
            if (key.isEmpty()) {
                key = "w" + number + "-" + keys++;
                id = "";
                value = 0;
            }
            Attempt attempt = new Attempt(key, ++value);
            String fields = "\"value\":" + value;
            try {
                Answer answer = id.isEmpty()
                        ? send(
                                anyNode(),
                                "POST",
                                "/config",
                                "{\"key\":\"" + key + "\",\"environment\":\"" + ENVIRONMENT + "\"," + fields + "}",
                                0,
                                Duration.ofSeconds(12))
                        : send(anyNode(), "PUT", "/config/" + id, "{" + fields + "}", 0, Duration.ofSeconds(12));
                if (answer.status() == 200 || answer.status() == 201) {
                    id = answer.body().path("id").asText();
                    Acknowledged a = new Acknowledged(key, value, answer.revision());
                    allAcknowledged.add(a);
                    acknowledged.put(key, a);
                } else if (answer.body().path("type").asText().endsWith("outcome-unknown")) {
                    unknown.add(attempt);
                    key = "";
                } else if (answer.status() == 503) {
                    refused.add(attempt);
                } else {
                    violations.add("write " + attempt + " got " + answer);
                }
            } catch (ConnectException | HttpConnectTimeoutException e) {
                refused.add(attempt);
            } catch (IOException e) {
                unknown.add(attempt);
                key = "";
            }
        }
    }

    /** A reader of acknowledged writes. Every other read passes the minimum revision that it must see. */
    private final class Reader implements Runnable {
        private long seen;
        private int turn;

        @Override
        public void run() {
            List<Acknowledged> all = new ArrayList<>(acknowledged.values());
            if (all.isEmpty()) {
                return;
            }
            Acknowledged written = all.get(ThreadLocalRandom.current().nextInt(all.size()));
            boolean says = turn++ % 2 == 0;
            long min = says ? Math.max(seen, written.revision()) : 0;
            String node = anyNode();
            long before = troubles.get();
            boolean answers = !troubled.contains(node);
            try {
                Answer answer = send(
                        node,
                        "GET",
                        "/config/" + written.key() + "?environment=" + ENVIRONMENT,
                        null,
                        min,
                        Duration.ofSeconds(6));
                reads.incrementAndGet();
                if (answer.status() == 200) {
                    long value = answer.body().path("value").asLong();
                    if (says && (answer.revision() < min || value < written.value())) {
                        violations.add(node + " answered " + value + " as of " + answer.revision() + " after " + written
                                + ", minimum revision " + min);
                    }
                    if (says) {
                        seen = Math.max(seen, answer.revision());
                    }
                } else if (answer.status() == 503) {
                    readsUnanswered.incrementAndGet();
                    if (!says && answers && before == troubles.get()) {
                        violations.add(node + " answered a plain read with " + answer);
                    }
                } else if (answer.status() == 404 && !says) {
                    // a node that lags does not have the key yet
                    readsUnanswered.incrementAndGet();
                } else {
                    violations.add(node + " answered a read of " + written + " with " + answer);
                }
            } catch (IOException e) {
                readsUnanswered.incrementAndGet();
                if (answers && before == troubles.get()) {
                    violations.add(node + " did not answer a read: " + e);
                }
            }
        }
    }

    /**
     * An instance that sends heartbeats to any node that responds. It is looked up on every node and must be healthy.
     */
    private final class Beating implements Runnable {
        private boolean registered;

        @Override
        public void run() {
            for (int attempt = 0; attempt < nodes.size() && !beat(anyNode()); attempt++) {
                Thread.onSpinWait();
            }
            if (!registered) {
                return;
            }
            for (String node : nodes) {
                try {
                    Answer found = send(node, "GET", "/registry/alive", null, 0, Duration.ofSeconds(1));
                    lookups.incrementAndGet();
                    if (found.status() == 200
                            && !found.body().path("status").asText().equals("healthy")) {
                        violations.add(node + " reports for an instance with heartbeats: " + found);
                    }
                } catch (IOException e) {
                    // the readers check that nodes respond
                    lookupsUnanswered.incrementAndGet();
                }
            }
        }

        private boolean beat(String node) {
            try {
                String body = registered
                        ? "{\"service_name\":\"alive\",\"status\":\"healthy\"}"
                        : "{\"service_name\":\"alive\",\"service_url\":\"http://alive:1\",\"lease_seconds\":30}";
                Answer answer = registered
                        ? send(node, "PUT", "/registry/health", body, 0, Duration.ofSeconds(2))
                        : send(node, "POST", "/registry/register", body, 0, Duration.ofSeconds(12));
                registered |= answer.status() == 200;
                beats.incrementAndGet();
                return answer.status() == 200;
            } catch (IOException e) {
                return false;
            }
        }
    }

    /** Tells whether every follower has received a change with at least the given revision. */
    public boolean followersHave(long revision) {
        return followers.stream().allMatch(f -> !f.seen.isEmpty() && f.seen.lastKey() >= revision);
    }

    /** Stops the writers and readers. The followers continue. */
    public void rest() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(30, TimeUnit.SECONDS)) {
                violations.add("the clients did not stop");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /**
     * Compares what the clients recorded with the log, after {@link #rest}.
     *
     * @param database the address of the database with the log
     */
    public Verdict verdict(String database) {
        Map<Long, String> log = new TreeMap<>();
        Map<String, Integer> timesWritten = new HashMap<>();
        Map<Long, Attempt> valueAt = new HashMap<>();
        for (List<String> row : TestNode.sql(
                database,
                "select revision, resource_id, kind, name, row ->> 'value' from changes where kind <> 'log' and"
                        + " kind <> 'access_key' order by revision")) {
            long revision = Long.parseLong(row.get(0));
            log.put(revision, row.get(1));
            // encrypted values are those of the faults themselves, not of these clients
            if (row.get(2).equals("configuration") && row.get(4) != null) {
                Attempt written = new Attempt(row.get(3), Long.parseLong(row.get(4)));
                valueAt.put(revision, written);
                timesWritten.merge(written.toString(), 1, Integer::sum);
            }
        }
        for (Acknowledged a : allAcknowledged) {
            if (!new Attempt(a.key(), a.value()).equals(valueAt.get(a.revision()))) {
                violations.add("acknowledged, but not in the log: " + a);
            }
        }
        timesWritten.forEach((written, times) -> {
            if (times > 1) {
                violations.add("written " + times + " times: " + written);
            }
        });
        for (Attempt attempt : refused) {
            if (timesWritten.containsKey(attempt.toString())) {
                violations.add("refused, but in the log: " + attempt);
            }
        }
        Map<String, String> followed = new LinkedHashMap<>();
        for (Follower f : followers) {
            Map<Long, String> missing = new TreeMap<>(log);
            missing.keySet().removeAll(f.seen.keySet());
            if (!missing.isEmpty()) {
                violations.add(f.getName() + " has not seen " + missing);
            }
            Map<Long, String> made = new TreeMap<>(f.seen);
            made.keySet().removeAll(log.keySet());
            if (!made.isEmpty()) {
                violations.add(f.getName() + " has seen changes that are not in the log: " + made);
            }
            followed.put(f.getName(), f.seen.size() + " + " + f.again + " again");
        }
        long happened = unknown.stream()
                .filter(u -> timesWritten.containsKey(u.toString()))
                .count();
        String text = "history: " + allAcknowledged.size() + " writes acknowledged, " + refused.size() + " refused, "
                + unknown.size() + " unknown (" + happened + " of them happened); " + reads + " reads answered, "
                + readsUnanswered + " not; " + beats + " heartbeats, " + lookups + " lookups answered, "
                + lookupsUnanswered
                + " not; changes followed, with "
                + followers.stream().mapToInt(f -> f.breaks.get()).sum() + " broken streams: " + followed
                + "\nverdict: "
                + (violations.isEmpty() ? "valid" : violations.size() + " violations");
        return new Verdict(text, violations());
    }

    /** A summary of what the clients saw, and the violations in it. */
    public record Verdict(String text, List<String> violations) {}

    @Override
    public void close() {
        threads.shutdownNow();
        followers.forEach(Follower::end);
    }
}
