package dev.configservice.load;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Instances that register with Eureka and beat, and clients that fetch deltas. Arguments: how many instances and clients, for
 * how many seconds, then for each server its name, its port and its process id. Prints a row of a Markdown table for each.
 */
public final class EurekaFleet {
    private static final int EVERY_MILLIS = 30_000;
    private static final int PER_SERVICE = 100;
    /** Longer than a delta reaches back, so that the registrations are out of it. */
    private static final int WARM_SECONDS = Integer.getInteger("warm", 190);

    private static final int TIMEOUT_MILLIS = 20_000;
    private static final int IN_FLIGHT = 64;

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient http;
    private final int port;
    private final int instances;
    private final int clients;
    private final AtomicInteger failures = new AtomicInteger();
    private final ConcurrentLinkedQueue<Long> deltaNanos = new ConcurrentLinkedQueue<>();
    private final Semaphore room = new Semaphore(IN_FLIGHT);

    private EurekaFleet(int port, int instances, int clients) {
        this.port = port;
        this.instances = instances;
        this.clients = clients;
        this.http = vertx.createHttpClient(
                // a server may close a connection after some requests, which leaves the pool waiting
                new HttpClientOptions().setKeepAlive(false),
                new PoolOptions().setHttp1MaxSize(IN_FLIGHT));
    }

    public static void main(String[] arguments) throws Exception {
        int instances = Integer.parseInt(arguments[0]);
        int clients = Integer.parseInt(arguments[1]);
        int seconds = Integer.parseInt(arguments[2]);
        System.out.println("| server, " + instances + " instances, " + clients + " clients | registrations a second"
                + " | requests a second | processor share of one core | delta p50 / p99 ms | failed |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        for (int at = 3; at + 2 < arguments.length; at += 3) {
            new EurekaFleet(Integer.parseInt(arguments[at + 1]), instances, clients)
                    .run(arguments[at], Long.parseLong(arguments[at + 2]), seconds);
        }
        System.exit(0);
    }

    private void run(String name, long pid, int seconds) throws Exception {
        long began = System.nanoTime();
        CountDownLatch left = new CountDownLatch(instances);
        for (int i = 0; i < instances; i++) {
            send(HttpMethod.POST, "/eureka/apps/" + app(i), registration(i)).onComplete(d -> left.countDown());
        }
        left.await();
        double registered = instances / ((System.nanoTime() - began) / 1e9);
        steady(WARM_SECONDS);
        deltaNanos.clear();
        long before = ticks(pid);
        long start = System.nanoTime();
        int sent = steady(seconds);
        double elapsed = (System.nanoTime() - start) / 1e9;
        double share = (ticks(pid) - before) / elapsed;
        long[] nanos = deltaNanos.stream().mapToLong(n -> n).sorted().toArray();
        System.out.printf(
                "| %s | %.0f | %.0f | %.1f %% | %.1f / %.1f | %d |%n",
                name, registered, sent / elapsed, share, millis(nanos, 0.5), millis(nanos, 0.99), failures.get());
        vertx.close();
    }

    private static double millis(long[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, share * sorted.length)] / 1e6;
    }

    /** Beats and fetches evenly, and changes one instance a second. Returns how many requests were sent. */
    private int steady(int seconds) throws InterruptedException {
        long start = System.nanoTime();
        int beats = 0;
        int deltas = 0;
        int changes = 0;
        while (System.nanoTime() - start < seconds * 1_000_000_000L) {
            long millis = (System.nanoTime() - start) / 1_000_000;
            for (; beats < millis * instances / EVERY_MILLIS; beats++) {
                int i = beats % instances;
                send(HttpMethod.PUT, "/eureka/apps/" + app(i) + "/i" + i + "?status=UP&lastDirtyTimestamp=1", "");
            }
            for (; deltas < millis * clients / EVERY_MILLIS; deltas++) {
                long asked = System.nanoTime();
                send(HttpMethod.GET, "/eureka/apps/delta", "")
                        .onSuccess(v -> deltaNanos.add(System.nanoTime() - asked));
            }
            for (; changes < millis / 1000; changes++) {
                int i = changes * 37 % instances;
                send(HttpMethod.PUT, "/eureka/apps/" + app(i) + "/i" + i + "/metadata?n=" + System.nanoTime(), "");
            }
            Thread.sleep(5);
        }
        return beats + deltas + changes;
    }

    private static String app(int i) {
        return "FLEET-" + i / PER_SERVICE;
    }

    private static String registration(int i) {
        String host = "10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255);
        String base = "http://" + host + ":8080";
        return "{\"instance\":{\"instanceId\":\"i" + i + "\",\"hostName\":\"" + host + "\",\"app\":\"" + app(i)
                + "\",\"ipAddr\":\"" + host + "\",\"status\":\"UP\",\"overriddenStatus\":\"UNKNOWN\",\"port\":{\"$\":8080,"
                + "\"@enabled\":\"true\"},\"securePort\":{\"$\":443,\"@enabled\":\"false\"},\"countryId\":1,"
                + "\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"},"
                + "\"leaseInfo\":{\"renewalIntervalInSecs\":30,\"durationInSecs\":90},\"metadata\":{\"zone\":\"a\"},"
                + "\"homePageUrl\":\"" + base + "/\",\"statusPageUrl\":\"" + base + "/info\",\"healthCheckUrl\":\"" + base
                + "/health\",\"vipAddress\":\"" + app(i) + "\",\"secureVipAddress\":\"" + app(i)
                + "\",\"lastDirtyTimestamp\":\"1\"}}";
    }

    private Future<Void> send(HttpMethod method, String path, String body) {
        room.acquireUninterruptibly();
        RequestOptions options = new RequestOptions()
                .setMethod(method)
                .setHost("127.0.0.1")
                .setPort(port)
                .setURI(path)
                .setTimeout(TIMEOUT_MILLIS)
                .setIdleTimeout(TIMEOUT_MILLIS)
                .putHeader("Accept", "application/json")
                .putHeader("Accept-Encoding", "gzip")
                .putHeader("Authorization", "ApiKey admin-key")
                .putHeader("Content-Type", "application/json");
        return http.request(options)
                .compose(request -> request.send(body))
                .compose(response -> response.body()
                        .compose(bytes -> response.statusCode() < 300
                                ? Future.<Void>succeededFuture()
                                : Future.failedFuture(method + " " + path + " " + response.statusCode())))
                .onComplete(done -> {
                    room.release();
                    if (done.failed() && failures.incrementAndGet() <= 5) {
                        System.err.println(done.cause());
                    }
                });
    }

    /** Returns the processor time of a process, in hundredths of a second. */
    private static long ticks(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
