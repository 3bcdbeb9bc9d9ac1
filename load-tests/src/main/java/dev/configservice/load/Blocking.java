package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Many blocking queries of Consul on one node: what they take while nothing changes for them, and how long a change takes
 * to those who wait for it. Arguments: the service's port and process id, how many queries, over how many services. Prints a
 * Markdown table.
 */
public final class Blocking implements AutoCloseable {
    private static final int CONNECTING = 200;
    private static final int CHANGES = 200;
    private static final int CHANGES_TO_ALL = 10;
    private static final int ELSEWHERE_SECONDS = 20;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setConnectTimeout(20_000));
    private final HttpClient http = HttpClient.newHttpClient();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicReference<Wave> current = new AtomicReference<>();
    private final int port;
    private final long pid;

    private Blocking(int port, long pid) {
        this.port = port;
        this.pid = pid;
    }

    public static void main(String[] arguments) throws Exception {
        int queries = Integer.parseInt(arguments[2]);
        int services = Integer.parseInt(arguments[3]);
        try (Blocking load = new Blocking(Integer.parseInt(arguments[0]), Long.parseLong(arguments[1]))) {
            load.run(queries, services);
            if (load.failed.get() > 0) {
                System.err.println(load.failed + " queries were not answered with 200");
                System.exit(1);
            }
        }
    }

    private void run(int queries, int services) throws Exception {
        for (int i = 0; i < services; i++) {
            change(i, 0);
        }
        change(services, 0);
        long before = memory();
        open(queries, i -> i % services);
        long after = memory();
        double idle = busy(5);
        long[] few = new long[CHANGES];
        for (int i = 0; i < CHANGES; i++) {
            few[i] = wave(i % services, i + 1, queries / services);
        }
        Semaphore stop = new Semaphore(0);
        Thread elsewhere = new Thread(() -> changeElsewhere(services, stop));
        elsewhere.start();
        double beside = busy(ELSEWHERE_SECONDS);
        stop.release();
        elsewhere.join();
        System.out.printf("| %,d queries over %,d services, %d each | |%n| --- | --- |%n", queries, services, queries / services);
        System.out.printf("| memory of the process before and with them, MB | %,d → %,d |%n", before >> 20, after >> 20);
        System.out.printf("| processor, one core, while nothing changes | %.1f %% |%n", idle * 100);
        System.out.printf("| processor with 100 changes a second of another service | %.1f %% |%n", beside * 100);
        print("change → answer at the last who waits for it, ms", few);
        reopen(queries);
        long[] all = new long[CHANGES_TO_ALL];
        for (int i = 0; i < CHANGES_TO_ALL; i++) {
            all[i] = wave(0, 10_000 + i, queries);
        }
        print("the same where all wait for one service, ms", all);
    }

    private static void print(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf(
                "| %s: median, p99, most | %.1f, %.1f, %.1f |%n",
                what,
                nanos[nanos.length / 2] / 1e6,
                nanos[(int) Math.ceil(nanos.length * 0.99) - 1] / 1e6,
                nanos[nanos.length - 1] / 1e6);
    }

    private void changeElsewhere(int service, Semaphore stop) {
        try {
            for (int i = 1; !stop.tryAcquire(10, TimeUnit.MILLISECONDS); i++) {
                change(service, i);
            }
        } catch (IOException | InterruptedException e) {
            failed.incrementAndGet();
        }
    }

    private void change(int service, int value) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port + "/v1/agent/service/register"))
                .header("X-Consul-Token", "admin-key")
                .PUT(HttpRequest.BodyPublishers.ofString("{\"Name\":\"blocking-" + service
                        + "\",\"Address\":\"10.0.0.1\",\"Port\":80,\"Meta\":{\"v\":\"" + value + "\"}}"))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(response.statusCode() + " " + response.body());
        }
    }

    /** The resident memory of the service after a collection, in bytes. */
    private long memory() throws IOException, InterruptedException {
        new ProcessBuilder("jcmd", Long.toString(pid), "GC.run").start().waitFor();
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("VmRSS")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("no VmRSS");
    }

    /** The share of one core that the service takes. */
    private double busy(int seconds) throws IOException, InterruptedException {
        long before = ticks();
        long started = System.nanoTime();
        TimeUnit.SECONDS.sleep(seconds);
        return (ticks() - before) / 100.0 / ((System.nanoTime() - started) / 1e9);
    }

    private long ticks() throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    /** One change on its way to those who wait for it. */
    private static final class Wave {
        final long started = System.nanoTime();
        final CountDownLatch left;
        volatile long last;

        Wave(int expected) {
            left = new CountDownLatch(expected);
        }

        void arrived() {
            last = System.nanoTime() - started;
            left.countDown();
        }
    }

    private long wave(int service, int value, int expected) throws Exception {
        Wave wave = new Wave(expected);
        current.set(wave);
        change(service, value);
        if (!wave.left.await(20, TimeUnit.SECONDS)) {
            failed.addAndGet((int) wave.left.getCount());
        }
        current.set(null);
        // those who were answered ask again before the next change
        TimeUnit.MILLISECONDS.sleep(expected > 1000 ? 2000 : 20);
        return wave.last;
    }

    /** The choice of the service that a query waits for. */
    private interface Choice {
        int of(int query);
    }

    private Query[] all = {};

    private void open(int queries, Choice choice) throws InterruptedException {
        Semaphore connecting = new Semaphore(CONNECTING);
        CountDownLatch waiting = new CountDownLatch(queries);
        all = new Query[queries];
        for (int i = 0; i < queries; i++) {
            connecting.acquire();
            all[i] = new Query(choice.of(i), waiting);
            all[i].open(connecting);
        }
        waiting.await(60, TimeUnit.SECONDS);
        TimeUnit.SECONDS.sleep(2);
    }

    private void reopen(int queries) throws InterruptedException {
        for (Query query : all) {
            query.close();
        }
        TimeUnit.SECONDS.sleep(3);
        open(queries, i -> 0);
    }

    /** One client: asks for the instances of a service, then waits for changes over and over. */
    private final class Query {
        private final int service;
        private final CountDownLatch waiting;
        private NetSocket socket;
        private Buffer answer = Buffer.buffer();
        private boolean isClosed;
        private boolean isFirst = true;

        Query(int service, CountDownLatch waiting) {
            this.service = service;
            this.waiting = waiting;
        }

        void open(Semaphore connecting) {
            net.connect(port, "127.0.0.1").onComplete(done -> {
                connecting.release();
                if (done.failed()) {
                    System.err.println(done.cause());
                    System.exit(1);
                }
                socket = done.result();
                socket.handler(this::read);
                ask("");
            });
        }

        void close() {
            isClosed = true;
            socket.close();
        }

        private void ask(String parameters) {
            socket.write("GET /v1/health/service/blocking-" + service + parameters
                    + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }

        private void read(Buffer part) {
            answer.appendBuffer(part);
            String text = answer.toString(StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            if (end < 0 || isClosed) {
                return;
            }
            int length = Integer.parseInt(text.substring(0, end).replaceAll("(?is).*\r\ncontent-length: (\\d+).*", "$1"));
            if (answer.length() < end + 4 + length) {
                return;
            }
            if (!text.startsWith("HTTP/1.1 200")) {
                failed.incrementAndGet();
            }
            String index = text.substring(0, end).replaceAll("(?is).*\r\nx-consul-index: (\\d+).*", "$1");
            answer = Buffer.buffer();
            ask("?wait=10m&index=" + index);
            Wave wave = current.get();
            if (isFirst) {
                isFirst = false;
                waiting.countDown();
            } else if (wave != null) {
                wave.arrived();
            }
        }
    }

    @Override
    public void close() {
        vertx.close();
    }
}
