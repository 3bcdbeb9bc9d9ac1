package dev.configservice.load;

import io.vertx.core.Context;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Many streams of changes on one node beside as many on the bare server, in turn: how long one change takes to all of
 * them, also with 1 % that do not read, and how long all of them take to come back. Arguments: the service's port and
 * process id, the bare server's, how many streams, how many pairs. Prints Markdown tables.
 */
public final class Streams implements AutoCloseable {
    private static final int CHANGES = 20;
    private static final int CONNECTING = 200;
    private static final int MARK = 8;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setConnectTimeout(20_000));
    private final HttpClient http = HttpClient.newHttpClient();
    private final AtomicInteger missed = new AtomicInteger();
    private final int count;

    private Streams(int count) {
        this.count = count;
    }

    public static void main(String[] arguments) throws Exception {
        int streams = Integer.parseInt(arguments[4]);
        int pairs = Integer.parseInt(arguments[5]);
        try (Streams load = new Streams(streams)) {
            Target service = new Service(load, Integer.parseInt(arguments[0]), Long.parseLong(arguments[1]));
            Target limit = new Limit(load, Integer.parseInt(arguments[2]), Long.parseLong(arguments[3]));
            List<Result> ours = new ArrayList<>();
            List<Result> bare = new ArrayList<>();
            load.measure(service);
            load.measure(limit);
            for (int pair = 0; pair < pairs; pair++) {
                ours.add(load.measure(service));
                bare.add(load.measure(limit));
            }
            print(streams, pairs, ours, bare);
            if (load.missed.get() > 0) {
                System.err.println(load.missed + " times a stream did not get what was sent to all");
                System.exit(1);
            }
        }
    }

    /**
     * A kind of stream to measure: the path at which streams open, and the request that sends something to all of
     * them.
     */
    private abstract static class Target {
        final Streams load;
        final int port;
        final long pid;

        Target(Streams load, int port, long pid) {
            this.load = load;
            this.port = port;
            this.pid = pid;
        }

        abstract String path();

        /** Sends a text of about so many bytes, which holds the mark, to all streams. */
        abstract void send(String mark, int bytes) throws IOException, InterruptedException;
    }

    private static final class Service extends Target {
        private final String url;

        Service(Streams load, int port, long pid) throws IOException, InterruptedException {
            super(load, port, pid);
            String base = "http://127.0.0.1:" + port + "/api/v1/config";
            String key = "s-" + System.nanoTime();
            String answer = load.call(
                    "POST", base, "{\"key\":\"" + key + "\",\"value\":0,\"environment\":\"streams\"}");
            url = base + "/" + answer.replaceAll("(?s).*?\"id\":\"([^\"]+)\".*", "$1");
        }

        @Override
        String path() {
            return "/api/v1/changes/stream?environment=streams";
        }

        @Override
        void send(String mark, int bytes) throws IOException, InterruptedException {
            load.call("PUT", url, "{\"value\":\"" + mark + "x".repeat(bytes) + "\"}");
        }
    }

    private static final class Limit extends Target {
        Limit(Streams load, int port, long pid) {
            super(load, port, pid);
        }

        @Override
        String path() {
            return "/stream";
        }

        @Override
        void send(String mark, int bytes) throws IOException, InterruptedException {
            // as much as the service's event is around its value
            load.call("POST", "http://127.0.0.1:" + port + "/send", mark + "x".repeat(bytes + 480));
        }
    }

    private String call(String method, String url, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Authorization", "ApiKey admin-key")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IOException(response.statusCode() + " " + response.body());
        }
        return response.body();
    }

    /** One stream: reads until it finds the mark that is waited for. */
    private final class Stream {
        private NetSocket socket;
        private Context context;
        private String tail = "";

        void open(Target target, Runnable opened) {
            net.connect(target.port, "127.0.0.1").onComplete(done -> {
                if (done.failed()) {
                    System.err.println(done.cause());
                    System.exit(1);
                }
                socket = done.result();
                context = Vertx.currentContext();
                AtomicInteger seen = new AtomicInteger();
                socket.handler(buffer -> {
                    if (seen.getAndIncrement() == 0) {
                        opened.run();
                    }
                    read(buffer);
                });
                socket.write("GET " + target.path() + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
            });
        }

        private void read(Buffer buffer) {
            Wave wave = current;
            if (wave == null) {
                return;
            }
            String text = tail + buffer.toString(StandardCharsets.ISO_8859_1);
            if (text.contains(wave.mark)) {
                wave.arrived();
                tail = "";
            } else {
                tail = text.length() < MARK ? text : text.substring(text.length() - MARK);
            }
        }
    }

    /** One text on its way to all streams. */
    private static final class Wave {
        final String mark;
        final long started = System.nanoTime();
        final long[] nanos;
        final AtomicInteger arrived = new AtomicInteger();
        final CountDownLatch left;

        Wave(String mark, int expected) {
            this.mark = mark;
            this.nanos = new long[expected];
            this.left = new CountDownLatch(expected);
        }

        void arrived() {
            int n = arrived.getAndIncrement();
            if (n < nanos.length) {
                nanos[n] = System.nanoTime() - started;
                left.countDown();
            }
        }
    }

    private volatile Wave current;
    private int marks;

    private record Result(long heapBytes, double openSeconds, Figures all, Figures withStalled, double backSeconds) {}

    private record Figures(double p50, double p99, double max) {}

    private Result measure(Target target) throws Exception {
        long before = heap(target.pid);
        long started = System.nanoTime();
        List<Stream> streams = open(target, count);
        double openSeconds = (System.nanoTime() - started) / 1e9;
        long heap = heap(target.pid) - before;
        Figures all = waves(target, count, 200);

        List<Stream> stalled = streams.subList(0, count / 100);
        stalled.forEach(s -> s.context.runOnContext(v -> s.socket.pause()));
        Figures withStalled = waves(target, count - stalled.size(), 20_000);

        close(streams);
        started = System.nanoTime();
        List<Stream> back = open(target, count);
        double backSeconds = (System.nanoTime() - started) / 1e9;
        close(back);
        return new Result(heap, openSeconds, all, withStalled, backSeconds);
    }

    private List<Stream> open(Target target, int n) throws InterruptedException {
        List<Stream> streams = new ArrayList<>(n);
        CountDownLatch opened = new CountDownLatch(n);
        Semaphore connecting = new Semaphore(CONNECTING);
        for (int i = 0; i < n; i++) {
            connecting.acquire();
            Stream stream = new Stream();
            streams.add(stream);
            stream.open(target, () -> {
                connecting.release();
                opened.countDown();
            });
        }
        opened.await();
        return streams;
    }

    private void close(List<Stream> streams) throws InterruptedException {
        CountDownLatch closed = new CountDownLatch(streams.size());
        streams.forEach(s -> s.socket.close().onComplete(v -> closed.countDown()));
        closed.await();
    }

    private Figures waves(Target target, int expected, int bytes) throws Exception {
        long[] all = new long[expected * CHANGES];
        for (int i = 0; i < CHANGES; i++) {
            String mark = String.format("#%06d#", ++marks % 1_000_000);
            Wave wave = new Wave(mark, expected);
            current = wave;
            target.send(mark, bytes);
            if (!wave.left.await(30, TimeUnit.SECONDS)) {
                missed.addAndGet((int) wave.left.getCount());
            }
            current = null;
            System.arraycopy(wave.nanos, 0, all, i * expected, expected);
        }
        Arrays.sort(all);
        return new Figures(all[all.length / 2] / 1e6, all[all.length * 99 / 100] / 1e6, all[all.length - 1] / 1e6);
    }

    private static long heap(long pid) throws IOException, InterruptedException {
        jcmd(pid, "GC.run");
        String info = jcmd(pid, "GC.heap_info");
        return Long.parseLong(info.replaceAll("(?s).*? used (\\d+)K.*", "$1")) * 1024;
    }

    private static String jcmd(long pid, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("jcmd", Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said;
    }

    private static void print(int streams, int pairs, List<Result> ours, List<Result> bare) {
        System.out.println(streams + " streams, " + CHANGES + " changes each time, medians of " + pairs + " pairs");
        System.out.println("\n| what | service | limit | ratio |\n| --- | --- | --- | --- |");
        row("heap for all of them, MB", ours, bare, r -> r.heapBytes() / 1e6);
        row("to open all, s", ours, bare, Result::openSeconds);
        row("a change of 200 bytes to all, p50 ms", ours, bare, r -> r.all().p50());
        row("… p99 ms", ours, bare, r -> r.all().p99());
        row("… the last one, ms", ours, bare, r -> r.all().max());
        row("a change of 20 kB to all but 1 % that do not read, p50 ms", ours, bare, r -> r.withStalled().p50());
        row("… p99 ms", ours, bare, r -> r.withStalled().p99());
        row("all come back, s", ours, bare, Result::backSeconds);
    }

    private static void row(
            String what, List<Result> ours, List<Result> bare, java.util.function.ToDoubleFunction<Result> figure) {
        double a = median(ours, figure);
        double b = median(bare, figure);
        System.out.printf("| %s | %.1f | %.1f | %.2f |%n", what, a, b, a / b);
    }

    private static double median(List<Result> results, java.util.function.ToDoubleFunction<Result> figure) {
        double[] all = results.stream().mapToDouble(figure).sorted().toArray();
        return all[all.length / 2];
    }

    @Override
    public void close() {
        vertx.close().await();
    }
}
