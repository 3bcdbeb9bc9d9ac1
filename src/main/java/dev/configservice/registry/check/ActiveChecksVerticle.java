package dev.configservice.registry.check;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Position;
import dev.configservice.registry.HttpUrls;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registry;
import dev.configservice.registry.Status;
import dev.configservice.registry.lease.Leases;
import dev.configservice.settings.RegistrySettings;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.URI;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks instances that gave a {@code health_check_url} how they are. The node that owns an instance's lease checks it, so
 * one does at a time. Enough failures in a row count like a heartbeat with {@code unhealthy}; enough successes after that
 * bring the instance back. A check never renews a lease, and never overrules what an instance says of itself: it brings
 * back only what a check has taken out.
 */
public final class ActiveChecksVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(ActiveChecksVerticle.class);
    private static final long TICK_MILLIS = 200;

    private final Registry registry;
    private final Leases leases;
    private final ChangeFeed feed;
    private final RegistrySettings settings;
    private final Counter passed;
    private final Counter failed;
    private final Counter refused;
    private final Map<String, Target> targets = new HashMap<>();

    /** All of them, the one that is due first at the head: so that none waits for ever where many take long. */
    private final PriorityQueue<Target> queue = new PriorityQueue<>((a, b) -> Long.compare(a.dueNanos - b.dueNanos, 0));

    /** Those that went while all were being read; null while nothing is read. */
    private @Nullable Set<String> goneMeanwhile;

    private @Nullable WorkerExecutor lookups;
    private @Nullable HttpClient client;
    private int running;

    public ActiveChecksVerticle(
            Registry registry, Leases leases, ChangeFeed feed, RegistrySettings settings, MeterRegistry meters) {
        this.registry = registry;
        this.leases = leases;
        this.feed = feed;
        this.settings = settings;
        this.passed = checks(meters, "passed");
        this.failed = checks(meters, "failed");
        this.refused = checks(meters, "refused");
    }

    private static Counter checks(MeterRegistry meters, String outcome) {
        return Counter.builder("config_service_health_checks")
                .description("Active checks of instances; refused are those of addresses that are not called")
                .tag("outcome", outcome)
                .register(meters);
    }

    /** What is known of an instance's checks; touched only on the verticle's event loop. */
    private static final class Target {
        Instance instance;
        long dueNanos;
        int failures;
        int passes;
        boolean isRunning;

        Target(Instance instance, long dueNanos) {
            this.instance = instance;
            this.dueNanos = dueNanos;
        }
    }

    @Override
    public Future<?> start() {
        int millis = (int) settings.checkTimeout().toMillis();
        client = vertx.createHttpClient(
                new HttpClientOptions()
                        .setKeepAlive(false)
                        .setConnectTimeout(millis)
                        .setMaxHeaderSize(16 * 1024),
                new PoolOptions().setHttp1MaxSize(settings.checkConcurrency()));
        lookups = vertx.createSharedWorkerExecutor("check-lookups", Math.min(20, settings.checkConcurrency()));
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (change.resource().kind().equals(Instance.KIND)) {
                    context.runOnContext(v -> take(change));
                }
            }

            @Override
            public void reset(Position position) {
                context.runOnContext(v -> {
                    targets.clear();
                    reload();
                });
            }
        });
        reload();
        vertx.setPeriodic(TICK_MILLIS, t -> tick());
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        return client == null ? Future.succeededFuture() : client.close();
    }

    private void reload() {
        Set<String> gone = new HashSet<>();
        goneMeanwhile = gone;
        Futures.here(registry.all(0)).onComplete(done -> {
            goneMeanwhile = null;
            if (done.failed()) {
                log.debug("registry.checks-not-loaded cause={}", done.cause().toString());
                vertx.setTimer(1000 + jitter(1000), t -> reload());
                return;
            }
            for (Registry.Instances service : done.result()) {
                for (Instance instance : service.list()) {
                    if (!gone.contains(instance.key())) {
                        keep(instance);
                    }
                }
            }
        });
    }

    private void take(Change change) {
        Instance instance = Instance.of(change.resource());
        if (change.action().isRemoval()) {
            targets.remove(instance.key());
            Set<String> gone = goneMeanwhile;
            if (gone != null) {
                gone.add(instance.key());
            }
        } else {
            keep(instance);
        }
    }

    private void keep(Instance instance) {
        String url = instance.row().path("health_check_url").asText("");
        if (url.isEmpty()) {
            targets.remove(instance.key());
            return;
        }
        Target known = targets.get(instance.key());
        if (known == null) {
            Target fresh = new Target(instance, System.nanoTime() + jitter(interval()));
            targets.put(instance.key(), fresh);
            queue.add(fresh);
        } else if (known.instance.resource().revision() < instance.resource().revision()) {
            if (known.instance.status() != instance.status() && instance.takenOutOf() == null) {
                // it said something of itself: what checks found before counts no more
                known.failures = 0;
                known.passes = 0;
            }
            known.instance = instance;
        }
    }

    private long interval() {
        return settings.checkInterval().toNanos();
    }

    private static long jitter(long most) {
        return ThreadLocalRandom.current().nextLong(Math.max(1, most));
    }

    /** Starts the checks that are due, as many as may run at once. */
    private void tick() {
        if (!feed.staleness().isZero()) {
            // what this node would find out it could not tell, and it may be this node that is cut off
            return;
        }
        long now = System.nanoTime();
        while (running < settings.checkConcurrency() && !queue.isEmpty() && now - queue.element().dueNanos >= 0) {
            Target target = queue.remove();
            if (targets.get(target.instance.key()) != target) {
                // it is gone
                continue;
            }
            // a tenth of the interval either way, so that what started together does not stay together
            target.dueNanos = now + interval() * 9 / 10 + jitter(interval() / 5);
            queue.add(target);
            if (target.instance.status() == Status.STOPPING || !leases.owns(target.instance.key())) {
                target.failures = 0;
                target.passes = 0;
            } else if (!target.isRunning) {
                start(target);
            }
        }
    }

    private void start(Target target) {
        target.isRunning = true;
        running++;
        URI uri = URI.create(target.instance.row().path("health_check_url").asText());
        Future<InetAddress> address = lookUp(uri.getHost());
        address.compose(to -> ask(uri, to))
                .timeout(settings.checkTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .transform(done -> {
                    if (done.succeeded() && done.result()) {
                        passed.increment();
                        passed(target);
                    } else {
                        failed.increment();
                        failed(target);
                    }
                    // a lookup of a name that takes longer still takes its place
                    return address.transform(found -> Future.succeededFuture());
                })
                .onComplete(done -> {
                    running--;
                    target.isRunning = false;
                });
    }

    private Future<InetAddress> lookUp(String host) {
        WorkerExecutor executor = lookups;
        return executor == null
                ? Future.failedFuture("stopped")
                : executor.executeBlocking(() -> InetAddress.getByName(host), false);
    }

    private void passed(Target target) {
        target.failures = 0;
        target.passes++;
        if (target.passes >= settings.checkHealthyAfter()
                && target.instance.status() == Status.UNHEALTHY
                && target.instance.takenOutOf() != null) {
            judge(target.instance, Objects.requireNonNull(target.instance.takenOutOf()));
        }
    }

    private void failed(Target target) {
        target.passes = 0;
        target.failures++;
        Status status = target.instance.status();
        if (target.failures >= settings.checkUnhealthyAfter()
                && (status == Status.HEALTHY || status == Status.STARTING)) {
            judge(target.instance, Status.UNHEALTHY);
        }
    }

    private void judge(Instance instance, Status status) {
        log.info(
                "registry.check service={} instance={} status={}",
                instance.serviceName(),
                instance.instanceId(),
                status.text());
        registry.judge(instance, status)
                .onFailure(e -> log.warn(
                        "registry.check-not-told service={} instance={} cause={}",
                        instance.serviceName(),
                        instance.instanceId(),
                        e.toString()));
    }

    /** Whether the instance answers with 2xx. Where a redirect leads is not asked, and no body is read. */
    private Future<Boolean> ask(URI uri, InetAddress address) {
        if (CheckTarget.isRefused(address)) {
            refused.increment();
            log.debug("registry.check-refused host={}", uri.getHost());
            return Future.succeededFuture(false);
        }
        int port = HttpUrls.port(uri);
        // the very address that was looked at: the name may lead elsewhere the next time
        RequestOptions options = new RequestOptions()
                .setServer(SocketAddress.inetSocketAddress(port, address.getHostAddress()))
                .setHost(uri.getHost())
                .setPort(port)
                .setSsl("https".equalsIgnoreCase(uri.getScheme()))
                .setMethod(HttpMethod.GET)
                .setURI(CheckTarget.path(uri))
                .setFollowRedirects(false)
                .putHeader("User-Agent", "config-service")
                .setTimeout(settings.checkTimeout().toMillis());
        HttpClient asking = client;
        return asking == null
                ? Future.failedFuture("stopped")
                : asking.request(options).compose(HttpClientRequest::send).map(response -> {
                    int status = response.statusCode();
                    response.request().reset();
                    return status >= 200 && status < 300;
                });
    }
}
