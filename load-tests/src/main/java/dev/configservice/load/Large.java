package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Large units and large changes, and what a small change of them costs. Arguments: the port, the ports of Redis, the
 * keys of the large layer, the flags, the instances, the changes of 1 MB. Prints a row for each.
 */
public final class Large {
    private static final int ROUNDS = 30;

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final int port;
    private final int redisPort;
    private final Connection admin;
    private final Requests requests;

    private Large(int port, int redisPort) {
        this.port = port;
        this.redisPort = redisPort;
        this.admin = new Connection(net, port);
        this.requests = new Requests(net, port);
    }

    public static void main(String[] a) throws Exception {
        Large large = new Large(Integer.parseInt(a[0]), Integer.parseInt(a[1]));
        System.out.println("| what | measured |\n| --- | --- |");
        try {
            large.layers(Integer.parseInt(a[2]));
            large.flags(Integer.parseInt(a[3]));
            large.instances(Integer.parseInt(a[4]));
            large.log(Integer.parseInt(a[5]));
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
        large.vertx.close().await();
    }

    private static void row(String name, String format, Object... values) {
        System.out.println("| " + name + " | " + String.format(format, values) + " |");
    }

    private void layers(int keys) throws Exception {
        String value = "\"" + "v".repeat(60) + "\"";
        requests.post("/api/v1/config", keys, i -> Requests.configuration("large", "big", "key." + i, value));
        requests.post("/api/v1/config", 10_000, i -> Requests.configuration("large", "middle", "key." + i, value));
        requests.post("/api/v1/config", 100, i -> Requests.configuration("large", "small-" + i % 10, "key." + i / 10, value));
        String big = idOf("large", "big", "key.7");
        String middle = idOf("large", "middle", "key.7");
        List<String> small = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            small.add(idOf("large", "small-" + i, "key.7"));
        }
        Rate.Measured quiet = reads().run(200, 10);
        Rate writes = new Rate(vertx, net, port, i -> new Rate.Asked(
                "PUT", "/api/v1/config/" + (i % 2 == 0 ? big : small.get((int) (i % 10))), "{\"value\":" + i + "}"));
        Rate.Measured[] wrote = new Rate.Measured[1];
        Thread writer = new Thread(() -> wrote[0] = writes.run(100, 12));
        writer.start();
        Rate.Measured busy = reads().run(200, 10);
        writer.join();
        row("GET of a small layer, p50 / p99 ms", "%s", quiet);
        row("the same while 100 writes a second touch other layers, every second one a layer of " + keys + " keys",
                "%s (%.2f of the quiet p99)", busy, busy.p99() / quiet.p99());
        row("those writes, p50 / p99 ms", "%s", wrote[0]);

        Connection anonymous = Connection.anonymous(net, port);
        double[] open = new double[ROUNDS];
        double[] first = new double[ROUNDS];
        double[] lookup = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            put(middle, -i);
            long began = System.nanoTime();
            anonymous.ask("GET", "/api/v1/config/service/middle?environment=large", "").await();
            open[i] = (System.nanoTime() - began) / 1e6;
            put(middle, i);
            first[i] = timed("GET", "/api/v1/config/service/middle?environment=large", "");
            put(big, 1000 + i);
            lookup[i] = timed("GET", "/api/v1/config/key.9?environment=large&service_name=big", "");
        }
        row("first GET /config/service/{name} after a PUT, 10,000 keys, median / max ms", "%s", medianAndMax(open));
        row("the same with an admin key", "%s", medianAndMax(first));
        row("first GET /config/{key} after a PUT into a layer of " + keys + " keys, median / max ms", "%s",
                medianAndMax(lookup));

        long before = redisBytes();
        for (int i = 0; i < 10; i++) {
            put(big, 2000 + i);
            Thread.sleep(Duration.ofSeconds(1).toMillis());
        }
        row("bytes sent to Redis per PUT into a layer of " + keys + " keys, 10 s of one PUT a second", "%,d",
                (redisBytes() - before) / 10);
    }

    private Rate reads() {
        return new Rate(vertx, net, port,
                i -> new Rate.Asked("GET", "/api/v1/config/key.3?environment=large&service_name=small-3", ""));
    }

    private void flags(int count) throws Exception {
        requests.post("/api/v1/feature-flags", count, i -> "{\"name\":\"flag-" + i + "\",\"environment\":\"large\",\"is_enabled\":true,"
                + "\"rules\":[{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"matches\",\"values\":[\"^gold-" + i
                + "$\"]}]}]}");
        JsonObject page = admin.ask("GET", "/api/v1/feature-flags/?environment=large&name=flag-7", "")
                .await()
                .toJsonObject();
        String id = page.getJsonArray("items").getJsonObject(0).getString("id");
        double[] first = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            admin.ask("PUT", "/api/v1/feature-flags/" + id, "{\"description\":\"d" + i + "\"}").await();
            first[i] = timed("POST", "/api/v1/feature-flags/evaluate",
                    "{\"flag_name\":\"flag-9\",\"environment\":\"large\",\"user_id\":\"u\"}");
        }
        row("first evaluation after a change, " + count + " flags, median / max ms", "%s", medianAndMax(first));
    }

    private void instances(int count) throws Exception {
        requests.post("/api/v1/registry/register", count, i -> "{\"service_name\":\"crowd\",\"service_url\":\"http://10.0." + i / 250
                + "." + i % 250 + ":8080\",\"lease_seconds\":3600,\"metadata\":{\"zone\":\"z" + i % 3
                + "\",\"version\":\"1.0." + i % 7 + "\"}}");
        Rate.Measured quiet = reads().run(200, 5);
        double[] poll = new double[ROUNDS];
        int bytes = 0;
        for (int i = 0; i < ROUNDS; i++) {
            long began = System.nanoTime();
            bytes = admin.ask("GET", "/api/v1/registry/crowd/instances", "").await().length();
            poll[i] = (System.nanoTime() - began) / 1e6;
        }
        row("discovery of all " + count + " instances (" + bytes + " bytes), median / max ms", "%s", medianAndMax(poll));
        Rate polls = new Rate(vertx, net, port, i -> new Rate.Asked("GET", "/api/v1/registry/crowd/instances", ""));
        Rate.Measured[] polled = new Rate.Measured[1];
        Thread poller = new Thread(() -> polled[0] = polls.run(10, 6));
        poller.start();
        Rate.Measured busy = reads().run(200, 5);
        poller.join();
        row("10 of these a second, p50 / p99 ms", "%s", polled[0]);
        row("GET of a small layer meanwhile, p50 / p99 ms", "%s (%.2f of the quiet p99)", busy, busy.p99() / quiet.p99());
    }

    private void log(int changes) throws Exception {
        long start = revision();
        AtomicLong heard = new AtomicLong();
        AtomicLong disorder = new AtomicLong();
        CompletableFuture<Long> all = new CompletableFuture<>();
        NetSocket stream = follow(heard, disorder, changes, all);
        long began = System.nanoTime();
        String megabyte = "\"" + "m".repeat(1_000_000) + "\"";
        Connection[] writers = new Connection[4];
        Arrays.setAll(writers, i -> new Connection(net, port));
        CountDownLatch written = new CountDownLatch(changes);
        for (int w = 0; w < writers.length; w++) {
            write(writers[w], w, writers.length, changes, megabyte, written);
        }
        written.await();
        double wrote = (System.nanoTime() - began) / 1e9;
        Long done;
        try {
            done = all.get(120, java.util.concurrent.TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            done = -1L;
        }
        row(changes + " changes of 1 MB written, seconds", "%.1f", wrote);
        row("a live stream had all of them after, seconds", "%s (%d heard, %d out of order)",
                done < 0 ? "never" : String.format("%.1f", (done - began) / 1e9), heard.get(), disorder.get());
        stream.close();
        long paged = 0;
        long after = start;
        double slowest = 0;
        while (paged < changes) {
            long from = System.nanoTime();
            JsonObject page = admin.ask("GET", "/api/v1/changes?after=" + after + "&limit=500", "").await().toJsonObject();
            slowest = Math.max(slowest, (System.nanoTime() - from) / 1e6);
            JsonArray items = page.getJsonArray("items", page.getJsonArray("changes", new JsonArray()));
            paged += items.size();
            after = page.getLong("last_revision");
        }
        row("/changes read them all: changes, slowest page ms", "%d, %.0f", paged, slowest);
        long until = System.nanoTime() + Duration.ofSeconds(180).toNanos();
        String behind;
        do {
            Thread.sleep(500);
            behind = metric("config_service_kafka_backlog");
        } while (!behind.isEmpty() && Double.parseDouble(behind) > 0 && System.nanoTime() < until);
        row("Kafka is behind by, changes; after the last write, seconds", "%s; %.1f", behind,
                (System.nanoTime() - began) / 1e9 - wrote);
    }

    private void write(Connection c, int number, int step, int count, String value, CountDownLatch written) {
        if (number >= count) {
            return;
        }
        c.ask("POST", "/api/v1/config", Requests.configuration("megabytes-" + number % 100, "s", "key." + number / 100, value))
                .onComplete(done -> {
                    if (done.failed()) {
                        System.err.println(done.cause().getMessage().substring(0, Math.min(2000,
                                done.cause().getMessage().length())));
                        System.exit(1);
                    }
                    written.countDown();
                    write(c, number + step, step, count, value, written);
                });
    }

    private NetSocket follow(AtomicLong heard, AtomicLong disorder, int changes, CompletableFuture<Long> all) {
        NetSocket socket = net.connect(port, "127.0.0.1").await();
        StringBuilder line = new StringBuilder();
        long[] last = new long[1];
        socket.handler(b -> {
            // only the beginnings of lines matter
            for (int i = 0; i < b.length(); i++) {
                char ch = (char) b.getByte(i);
                if (ch == '\n') {
                    String text = line.toString();
                    line.setLength(0);
                    if (text.startsWith("id: ") || text.startsWith("id:")) {
                        long revision = Long.parseLong(text.substring(3).strip());
                        if (revision < last[0]) {
                            disorder.incrementAndGet();
                        }
                        last[0] = revision;
                    } else if (text.startsWith("event: configuration") || text.startsWith("event:configuration")
                            || text.startsWith("event: change")) {
                        if (heard.incrementAndGet() == changes) {
                            all.complete(System.nanoTime());
                        }
                    }
                } else if (line.length() < 64) {
                    line.append(ch);
                }
            }
        });
        socket.write("GET /api/v1/changes/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return socket;
    }

    private long revision() throws Exception {
        return Long.parseLong(admin.ask("GET", "/api/v1/audit/anchor", "").await().toJsonObject().getValue("revision").toString());
    }

    private String metric(String name) throws Exception {
        String all = admin.ask("GET", "/metrics", "").await().toString(StandardCharsets.UTF_8);
        for (String line : all.split("\n", -1)) {
            if (line.startsWith(name) && !line.startsWith("#")) {
                return line.substring(line.lastIndexOf(' ') + 1);
            }
        }
        return "";
    }

    private void put(String id, int value) {
        admin.ask("PUT", "/api/v1/config/" + id, "{\"value\":" + value + "}").await();
    }

    private double timed(String method, String path, String body) {
        long began = System.nanoTime();
        admin.ask(method, path, body).await();
        return (System.nanoTime() - began) / 1e6;
    }

    private static String medianAndMax(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return String.format("%.1f / %.1f", sorted[sorted.length / 2], sorted[sorted.length - 1]);
    }

    private String idOf(String environment, String service, String key) {
        return admin.ask("GET", "/api/v1/config/" + key + "?environment=" + environment + "&service_name=" + service, "")
                .await()
                .toJsonObject()
                .getString("id");
    }

    /** Returns the number of bytes that Redis has received since its start. */
    private long redisBytes() throws Exception {
        CompletableFuture<Long> bytes = new CompletableFuture<>();
        NetSocket redis = net.connect(redisPort, "127.0.0.1").await();
        Buffer received = Buffer.buffer();
        redis.handler(b -> {
            received.appendBuffer(b);
            String text = received.toString();
            int at = text.indexOf("total_net_input_bytes:");
            int end = at < 0 ? -1 : text.indexOf("\r\n", at);
            if (end > 0) {
                bytes.complete(Long.parseLong(text.substring(at + 22, end)));
            }
        });
        redis.write("AUTH load\r\nINFO stats\r\n");
        long result = bytes.get(5, java.util.concurrent.TimeUnit.SECONDS);
        redis.close();
        return result;
    }
}
