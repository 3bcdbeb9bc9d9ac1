package dev.configservice.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/**
 * A simulated fleet: instances that register in waves, beat every 30 seconds with jitter, die in part and come back.
 * Arguments: the ports and process ids of the service and of the bare server, how many instances, for how many seconds they
 * beat undisturbed. Prints a Markdown table of what it cost the service, and what the same heartbeats cost the bare server.
 */
public final class Fleet implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BEAT_MILLIS = Integer.getInteger("beat.millis", 30_000);
    private static final int LEASE_SECONDS = 90;
    private static final int IN_FLIGHT = 256;
    private static final int PER_SERVICE = 100;

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final LinkedBlockingQueue<Connection> free = new LinkedBlockingQueue<>();
    private final int port;
    private final long servicePid;
    private final int instances;
    private final AtomicLongArray dueNanos;
    private final AtomicInteger failures = new AtomicInteger();

    private Fleet(int port, long servicePid, int instances) {
        this.port = port;
        this.servicePid = servicePid;
        this.instances = instances;
        this.dueNanos = new AtomicLongArray(instances);
        for (int i = 0; i < IN_FLIGHT; i++) {
            free.add(new Connection(net, port));
        }
    }

    public static void main(String[] arguments) throws Exception {
        int instances = Integer.parseInt(arguments[4]);
        int seconds = Integer.parseInt(arguments[5]);
        System.out.println("| what | figure |\n| --- | --- |");
        row("instances, services", instances + ", " + (instances + PER_SERVICE - 1) / PER_SERVICE);
        try (Fleet bare = new Fleet(Integer.parseInt(arguments[2]), Long.parseLong(arguments[3]), instances)) {
            bare.spread(0, instances);
            bare.steady("the bare server", seconds);
        }
        try (Fleet fleet = new Fleet(Integer.parseInt(arguments[0]), Long.parseLong(arguments[1]), instances)) {
            fleet.run(seconds);
        }
    }

    private void run(int steadySeconds) throws Exception {
        row("processor share of the service before anything is registered, of one core", idleShare());
        register();
        Sample before = sample();
        steady("the service", steadySeconds);
        row("heap used after a collection", megabytes());
        row("a sweep that expires nothing, mean", sweepMillis(before, sample()));
        limit();
        dieAtOnce(Math.min(1000, instances / 20));
        dieAndComeBack();
        row("requests that failed", Integer.toString(failures.get()));
    }

    private void register() throws InterruptedException {
        Ticks before = ticks();
        int wave = (instances + 9) / 10;
        for (int from = 0; from < instances; from += wave) {
            int to = Math.min(instances, from + wave);
            all(from, to, this::registration);
            spread(from, to);
            beatDue(to);
        }
        Ticks after = ticks();
        row("registrations a second (each a durable write), " + IN_FLIGHT + " in flight", perSecond(instances, before, after));
    }

    /** Each beats at a time of its own within the interval. */
    private void spread(int from, int to) {
        long now = System.nanoTime();
        for (int i = from; i < to; i++) {
            dueNanos.set(i, now + Duration.ofMillis(ThreadLocalRandom.current().nextInt(BEAT_MILLIS)).toNanos());
        }
    }

    private String idleShare() throws InterruptedException {
        Ticks before = ticks();
        Thread.sleep(20_000);
        return percent(before, ticks());
    }

    private void steady(String server, int seconds) throws Exception {
        // first so long that every instance has beaten and the code is compiled
        beatUntil(instances, System.nanoTime() + Duration.ofSeconds(150).toNanos());
        Ticks before = ticks();
        int sent = beatUntil(instances, System.nanoTime() + Duration.ofSeconds(seconds).toNanos());
        Ticks after = ticks();
        row("heartbeats a second to " + server + ", each instance every " + BEAT_MILLIS / 1000 + " s", perSecond(sent, before, after));
        row("processor share of " + server + ", of one core", percent(before, after));
    }

    private void limit() throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        Ticks before = ticks();
        int sent = 0;
        while (System.nanoTime() < end) {
            all(sent % instances, Math.min(instances, sent % instances + 5000), this::heartbeat);
            sent += Math.min(instances, sent % instances + 5000) - sent % instances;
        }
        Ticks after = ticks();
        row("heartbeats a second at the limit, " + IN_FLIGHT + " in flight", perSecond(sent, before, after));
        row("processor share of the service at the limit, of one core", percent(before, after));
        spread(0, instances);
    }

    private void dieAtOnce(int dead) throws Exception {
        int alive = instances - dead;
        Ticks before = ticks();
        long died = System.nanoTime();
        beatWhile(alive, () -> unhealthy() < dead, Duration.ofSeconds(LEASE_SECONDS + 60));
        row(dead + " that die at once: until all of them are unhealthy, after their last lease of " + LEASE_SECONDS + " s",
                seconds(System.nanoTime() - died));
        row("the longest sweep meanwhile", longestSweepMillis());
        row("processor share meanwhile, of one core", percent(before, ticks()));
        all(alive, instances, this::heartbeat);
        beatWhile(instances, () -> unhealthy() > 0, Duration.ofSeconds(60));
        spread(0, instances);
    }

    private void dieAndComeBack() throws Exception {
        int alive = instances / 2;
        long died = System.nanoTime();
        beatWhile(alive, () -> !isProtected(), Duration.ofSeconds(LEASE_SECONDS + 90));
        row("50 % die: time from their end until protection is reported", seconds(System.nanoTime() - died));
        Ticks before = ticks();
        beatUntil(alive, System.nanoTime() + Duration.ofSeconds(30).toNanos());
        Ticks after = ticks();
        row("processor share while held back, of one core", percent(before, after));
        row("of them unhealthy then (what expired before it was seen as mass)", Integer.toString(unhealthy()));
        long back = System.nanoTime();
        all(alive, instances, this::heartbeat);
        row("they come back: heartbeats of all of them", seconds(System.nanoTime() - back));
        beatWhile(instances, () -> isProtected() || unhealthy() > 0, Duration.ofSeconds(60));
        row("until nothing is held back and all are healthy", seconds(System.nanoTime() - back));
    }

    // what is sent

    private String service(int i) {
        return "\"service_name\":\"fleet-" + i / PER_SERVICE + "\"";
    }

    private Future<Buffer> registration(int i) {
        return send(
                "POST",
                "/api/v1/registry/register",
                "{" + service(i) + ",\"instance_id\":\"i" + i + "\",\"service_url\":\"http://10." + (i >> 16) + "."
                        + (i >> 8 & 255) + "." + (i & 255) + ":8080\",\"lease_seconds\":" + LEASE_SECONDS + "}");
    }

    private Future<Buffer> heartbeat(int i) {
        return send(
                "PUT",
                "/api/v1/registry/health",
                "{" + service(i) + ",\"instance_id\":\"i" + i + "\",\"status\":\"healthy\",\"response_time\":"
                        + (1 + i % 50) + "}");
    }

    /** Sends a request on a connection that is free; waits for one where none is. */
    private Future<Buffer> send(String method, String path, String body) {
        Connection connection;
        try {
            connection = free.take();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return connection.ask(method, path, body).onComplete(done -> {
            free.add(connection);
            if (done.failed() && failures.incrementAndGet() <= 5) {
                System.err.println(method + " " + path + " " + done.cause());
            }
        });
    }

    /** All of a range, so many in flight; returns when the last is answered. */
    private void all(int from, int to, IntFunction<Future<Buffer>> request) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(to - from);
        for (int i = from; i < to; i++) {
            request.apply(i).onComplete(done -> left.countDown());
        }
        left.await();
    }

    private int beatUntil(int alive, long endNanos) throws InterruptedException {
        int sent = 0;
        while (System.nanoTime() < endNanos) {
            sent += beatDue(alive);
        }
        return sent;
    }

    private void beatWhile(int alive, BooleanSupplier condition, Duration atMost) throws InterruptedException {
        long end = System.nanoTime() + atMost.toNanos();
        long nextLook = System.nanoTime();
        while (System.nanoTime() < end) {
            beatDue(alive);
            if (System.nanoTime() >= nextLook) {
                nextLook = System.nanoTime() + Duration.ofSeconds(1).toNanos();
                if (!condition.getAsBoolean()) {
                    return;
                }
            }
        }
        System.err.println("the awaited state was not reached within " + atMost);
    }

    /** Sends the heartbeats that are due, then waits a moment. */
    private int beatDue(int alive) throws InterruptedException {
        long now = System.nanoTime();
        int sent = 0;
        for (int i = 0; i < alive; i++) {
            if (now - dueNanos.get(i) >= 0) {
                // a tenth of the interval of jitter
                long next = BEAT_MILLIS * 9L / 10 + ThreadLocalRandom.current().nextInt(BEAT_MILLIS / 5);
                dueNanos.set(i, now + Duration.ofMillis(next).toNanos());
                heartbeat(i);
                sent++;
            }
        }
        Thread.sleep(10);
        return sent;
    }

    // what is measured

    private record Sample(double sweepSeconds, double sweeps) {}

    private Sample sample() {
        String metrics = get("/metrics").toString();
        return new Sample(
                metric(metrics, "config_service_lease_sweeps_seconds_sum"),
                metric(metrics, "config_service_lease_sweeps_seconds_count"));
    }

    /** The processor time that the process has used, in hundredths of a second, and the time at which it was read. */
    private record Ticks(long nanos, long hundredths) {}

    private Ticks ticks() {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(servicePid), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return new Ticks(System.nanoTime(), Long.parseLong(fields[11]) + Long.parseLong(fields[12]));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static double metric(String metrics, String name) {
        return metrics.lines()
                .filter(l -> l.startsWith(name + " ") || l.startsWith(name + "{"))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
    }

    private String megabytes() throws IOException, InterruptedException {
        Process collected = new ProcessBuilder("jcmd", Long.toString(servicePid), "GC.run")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        collected.waitFor();
        double bytes = get("/metrics").toString().lines()
                .filter(l -> l.startsWith("jvm_memory_used_bytes{area=\"heap\""))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
        return Math.round(bytes / 1e6) + " MB";
    }

    private int unhealthy() {
        int count = 0;
        for (JsonNode service : overview().path("services")) {
            count += service.path("instances").asInt() - service.path("healthy").asInt();
        }
        return count;
    }

    private boolean isProtected() {
        return overview().path("protected").asBoolean();
    }

    private JsonNode overview() {
        try {
            return JSON.readTree(get("/api/v1/registry").getBytes());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private Buffer get(String path) {
        return send("GET", path, "").await();
    }

    private String longestSweepMillis() {
        return String.format("%.2f ms", 1000 * metric(get("/metrics").toString(), "config_service_lease_sweeps_seconds_max"));
    }

    private static String sweepMillis(Sample before, Sample after) {
        return String.format(
                "%.2f ms", 1000 * (after.sweepSeconds - before.sweepSeconds) / (after.sweeps - before.sweeps));
    }

    private static String percent(Ticks before, Ticks after) {
        double cpuSeconds = (after.hundredths - before.hundredths) / 100.0;
        return String.format("%.0f %%", 100 * cpuSeconds / ((after.nanos - before.nanos) / 1e9));
    }

    private static String perSecond(int count, Ticks before, Ticks after) {
        return String.format("%,.0f", count / ((after.nanos - before.nanos) / 1e9));
    }

    private static String seconds(long nanos) {
        return String.format("%.1f s", nanos / 1e9);
    }

    private static void row(String what, String figure) {
        System.out.println("| " + what + " | " + figure + " |");
    }

    @Override
    public void close() {
        vertx.close().await();
    }
}
