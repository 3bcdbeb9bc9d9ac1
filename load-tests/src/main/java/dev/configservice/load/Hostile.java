package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * Attacks by one client, one after another, with an honest client beside each: 100 lookups and 20 writes a second.
 * Arguments: the port, the seconds of each attack, the number of configurations to search through, and optionally a part of
 * the names of the attacks to make. Prints a row for each
 * attack: what the honest client sees before it and during it, and what the attacker is answered.
 */
public final class Hostile {
    private static final int LARGE_BODY = 1 << 20;

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    /** The honest client has event loops of its own, so that it does not wait for the attacker's. */
    private final Vertx own = Vertx.vertx();

    private final NetClient ownNet = own.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final int port;
    private final int seconds;
    private final Map<String, Integer> answers = new ConcurrentHashMap<>();
    private final List<Runnable> closing = new ArrayList<>();
    private final String only;
    private volatile boolean over;

    private Hostile(int port, int seconds, String only) {
        this.only = only;
        this.port = port;
        this.seconds = seconds;
    }

    public static void main(String[] a) throws Exception {
        Hostile hostile = new Hostile(Integer.parseInt(a[0]), Integer.parseInt(a[1]), a.length > 3 ? a[3] : "");
        try {
            hostile.run(Integer.parseInt(a[2]));
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
        hostile.own.close().await();
        hostile.vertx.close().await();
    }

    private void run(int searchable) throws Exception {
        Connection admin = new Connection(net, port);
        Requests requests = new Requests(net, port);
        admin.ask("POST", "/api/v1/config", Requests.configuration("honest", "s", "key", "\"v\"")).await();
        String value = "\"" + "x".repeat(1000) + "\"";
        requests.post("/api/v1/config", 1000, i -> Requests.configuration("layers", "", "key." + i, value));
        requests.post("/api/v1/config", 700, i -> Requests.configuration("layers", "s" + i, "own", "1"));
        requests.post("/api/v1/feature-flags", 50, i -> "{\"name\":\"pattern-" + i + "\",\"environment\":\"patterns\",\"is_enabled\":true,\"rules\":[{"
                + "\"constraints\":[{\"attribute\":\"text\",\"operator\":\"matches\",\"values\":[\"^(a|b|[c-x]+)+" + i
                + "$\"]}]}]}");
        requests.post("/api/v1/config", searchable,
                i -> Requests.configuration("search-" + i % 100, "s" + i / 100 % 100, "key." + i / 10_000, "1"));
        honest(3);

        System.out.println("| attack | lookups p50 / p99 ms, before | during | writes p50 / p99 ms, before | during | the attacker's answers |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        attack("1,000 anonymous connections that stall in a body of 1 MiB", () -> connections(1000, this::stall));
        attack("300 anonymous connections that trickle a body, 1 byte a second", () -> connections(300, this::trickle));
        attack("200 anonymous connections that read no answer of 1 MB", () -> connections(200, this::readNothing));
        attack("300 anonymous connections that send 20,000 requests and read no answer", () -> connections(300, this::readNone));
        attack("layers of 700 services over 1,000 shared keys of 1 KB, 8 connections", () -> loop(8, false,
                i -> new Rate.Asked("GET", "/api/v1/config/service/s" + i % 700 + "?environment=layers", "")));
        String large = "large layers of 6 MB, 40 of them in turn, 40 connections";
        String documents = "exports, diffs, earlier states, documents of Spring and Consul of these layers, 40 connections";
        long written = 0;
        if (large.contains(only) || documents.contains(only)) {
            // what cannot be deflated: it goes through the grid and Redis in its full size
            byte[] random = new byte[750_000];
            new Random(1).nextBytes(random);
            String million = Base64.getEncoder().encodeToString(random);
            requests.post("/api/v1/config", 240, i -> Requests.configuration(
                    "large-" + i / 6, "s", "key." + i % 6, "\"" + i + million + "\""));
            written = admin.ask("GET", "/api/v1/config/key.5?environment=large-39&service_name=s", "")
                    .await()
                    .toJsonObject()
                    .getLong("revision");
        }
        attack(large, () -> loop(40, false,
                i -> new Rate.Asked("GET", "/api/v1/config/service/s?environment=large-" + i % 40, "")));
        long then = written;
        attack(documents, () -> loop(40, false, i -> new Rate.Asked("GET", document("large-" + i % 40, i / 40 % 6, then), "")));
        String values = "values of 1 MB, written by 300 connections with a key";
        String value1M = "\"" + "v".repeat(1_000_000) + "\"";
        attack(values, () -> loop(300, true, i -> new Rate.Asked(
                "PUT",
                "/api/v1/config/key." + i % 300 + "?environment=heavy&service_name=s" + i % 300 / 12,
                "{\"value\":" + value1M + "}")));
        attack("a flag with 30,000 patterns a{999}", () -> loop(1, true, i -> new Rate.Asked("POST", "/api/v1/feature-flags",
                "{\"name\":\"big-" + i + "\",\"environment\":\"big\",\"rules\":[{\"constraints\":[{\"attribute\":\"t\","
                        + "\"operator\":\"matches\",\"values\":[" + "\"a{999}\",".repeat(29_999) + "\"a{999}\"]}]}]}")));
        String text = "a".repeat(900_000);
        attack("bulk evaluations of a string of 0.9 MB by 50 patterns, 4 connections", () -> loop(4, false,
                i -> new Rate.Asked("POST", "/api/v1/feature-flags/evaluate/bulk",
                        "{\"environment\":\"patterns\",\"user_id\":\"u\",\"context\":{\"text\":\"" + text + "\"}}")));
        String longest = "a".repeat(4096);
        attack("bulk evaluations of a string of 4,096 characters by 50 patterns, 16 connections", () -> loop(16, false,
                i -> new Rate.Asked("POST", "/api/v1/feature-flags/evaluate/bulk",
                        "{\"environment\":\"patterns\",\"user_id\":\"u\",\"context\":{\"text\":\"" + longest + "\"}}")));
        attack("16 searches of " + searchable + " configurations that find nothing", () -> loop(16, false,
                i -> new Rate.Asked("GET", "/api/v1/config/?q=nothing-" + i, "")));
        attack("16 readings of the audit log by an actor that did nothing", () -> loop(16, true,
                i -> new Rate.Asked("GET", "/api/v1/audit?actor=nobody-" + i, "")));
    }

    /** Returns a path that asks for all values of an environment in one of six ways. */
    private static String document(String environment, int way, long revision) {
        return switch (way) {
            case 0 -> "/api/v1/export?environment=" + environment;
            case 1 -> "/api/v1/diff?environment=" + environment + "&other=large-0";
            case 2 -> "/api/v1/config/service/s?environment=" + environment + "&at=" + revision;
            case 3 -> "/api/v1/config?environment=" + environment + "&at=" + revision;
            case 4 -> "/spring/s/" + environment;
            default -> "/v1/kv/config/s," + environment + "/?recurse";
        };
    }

    private record Seen(Rate.Measured reads, Rate.Measured writes) {}

    private Seen honest(int time) throws InterruptedException {
        Rate reads = new Rate(own, ownNet, port, i -> new Rate.Asked(
                "GET", "/api/v1/config/key?environment=honest&service_name=s", ""));
        Rate writes = new Rate(own, ownNet, port, i -> new Rate.Asked(
                "PUT", "/api/v1/config/" + id, "{\"value\":" + System.nanoTime() + "}"));
        List<Rate.Measured> measured = new ArrayList<>();
        Thread writer = new Thread(() -> measured.add(writes.run(20, time)));
        if (id.isEmpty()) {
            id = new Connection(net, port)
                    .ask("GET", "/api/v1/config/key?environment=honest&service_name=s", "")
                    .await()
                    .toJsonObject()
                    .getString("id");
        }
        writer.start();
        Rate.Measured read = reads.run(100, time);
        writer.join();
        return new Seen(read, measured.get(0));
    }

    private String id = "";

    private void attack(String name, Runnable begin) throws Exception {
        if (!name.contains(only)) {
            return;
        }
        Seen before = honest(seconds);
        over = false;
        answers.clear();
        begin.run();
        Seen during = honest(seconds);
        over = true;
        closing.forEach(Runnable::run);
        closing.clear();
        System.out.println("| " + name + " | " + before.reads + " | " + during.reads + " | " + before.writes + " | "
                + during.writes + " | " + answers + " |");
        // the next attack must not pay for this one
        CountDownLatch pause = new CountDownLatch(1);
        vertx.setTimer(TimeUnit.SECONDS.toMillis(3), t -> pause.countDown());
        pause.await();
    }

    /** Repeats requests on connections, one at a time on each. */
    private void loop(int connections, boolean asAdmin, IntFunction<Rate.Asked> requests) {
        for (int i = 0; i < connections; i++) {
            Connection c = asAdmin ? new Connection(net, port) : Connection.anonymous(net, port);
            closing.add(c::close);
            next(c, i, connections, requests);
        }
    }

    private void next(Connection c, int number, int step, IntFunction<Rate.Asked> requests) {
        if (over) {
            return;
        }
        Rate.Asked asked = requests.apply(number);
        c.ask(asked.method(), asked.path(), asked.body()).onComplete(done -> {
            if (!over) {
                count(done.succeeded() ? "200" : String.valueOf(done.cause().getMessage()));
                // a pause, so that a refusal at once does not make the attacker the busiest process of the machine
                vertx.setTimer(done.succeeded() ? 1 : 20, t -> next(c, number + step, step, requests));
            }
        });
    }

    private void count(String answer) {
        String key = answer.startsWith("HTTP/1.1 ") ? answer.substring(9, 12) : answer.length() > 20 ? "failed" : answer;
        answers.merge(key, 1, Integer::sum);
    }

    private void connections(int count, java.util.function.Consumer<io.vertx.core.net.NetSocket> use) {
        for (int i = 0; i < count; i++) {
            open(use);
        }
    }

    /** Opens a connection, and another one whenever it is closed. */
    private void open(java.util.function.Consumer<io.vertx.core.net.NetSocket> use) {
        if (over) {
            return;
        }
        net.connect(port, "127.0.0.1").onComplete(done -> {
            if (done.failed()) {
                count("refused");
                vertx.setTimer(200, t -> open(use));
                return;
            }
            io.vertx.core.net.NetSocket socket = done.result();
            if (over) {
                socket.close();
                return;
            }
            synchronized (closing) {
                closing.add(socket::close);
            }
            socket.exceptionHandler(e -> {});
            socket.handler(b -> {
                if (!over) {
                    count(b.toString());
                }
            });
            socket.closeHandler(v -> {
                if (!over) {
                    count("closed");
                    vertx.setTimer(200, t -> open(use));
                }
            });
            use.accept(socket);
        });
    }

    private void stall(io.vertx.core.net.NetSocket socket) {
        socket.write("POST /api/v1/feature-flags/evaluate HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + LARGE_BODY + "\r\n\r\n");
        socket.write(Buffer.buffer("x".repeat(LARGE_BODY - 1000)));
    }

    private void trickle(io.vertx.core.net.NetSocket socket) {
        stall(socket);
        vertx.setPeriodic(1000, t -> {
            if (over) {
                vertx.cancelTimer(t);
            } else {
                socket.write("x").onFailure(e -> vertx.cancelTimer(t));
            }
        });
    }

    private void readNone(io.vertx.core.net.NetSocket socket) {
        socket.pause();
        Buffer request = Buffer.buffer("GET /api/v1/config/key?environment=honest&service_name=s HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000));
        for (int i = 0; i < 20; i++) {
            socket.write(request);
        }
    }

    /** Asks for the same large layer again and again, and reads none of it. */
    private void readNothing(io.vertx.core.net.NetSocket socket) {
        socket.pause();
        String request = "GET /api/v1/config/service/none?environment=layers HTTP/1.1\r\nHost: localhost\r\n\r\n";
        socket.write(request.repeat(20));
    }
}
