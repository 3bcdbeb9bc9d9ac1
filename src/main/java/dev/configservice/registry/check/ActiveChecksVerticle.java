package dev.configservice.registry.check;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Origin;
import dev.configservice.log.Position;
import dev.configservice.registry.HttpUrls;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registry;
import dev.configservice.registry.Status;
import dev.configservice.registry.lease.Leases;
import dev.configservice.settings.AddressRange;
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
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The active health checks of instances with a {@code health_check_url}. Only the node that owns the lease of an
 * instance checks it, so there is one checker at a time.
 *
 * <p>Enough failures in a row keep an instance out, whatever it says of itself, until enough checks in a row succeed. A
 * check never renews a lease.
 */
public final class ActiveChecksVerticle extends VerticleBase {
    /** The number of instances that may fail together by chance. */
    private static final int FEW = 3;

    private static final Logger log = LoggerFactory.getLogger(ActiveChecksVerticle.class);
    private static final long TICK_MILLIS = 200;

    private final Registry registry;
    private final Leases leases;
    private final ChangeFeed feed;
    private final RegistrySettings settings;
    private final List<AddressRange> allowed;
    private final Counter passed;
    private final Counter failed;
    private final Counter refused;
    private final Map<String, Target> targets = new HashMap<>();

    /** All targets, ordered by due time, so that none waits forever when many checks are slow. */
    private final PriorityQueue<Target> queue = new PriorityQueue<>((a, b) -> Long.compare(a.dueNanos - b.dueNanos, 0));

    /** The keys of instances that were removed during a reload; null when no reload is running. */
    private @Nullable Set<String> goneMeanwhile;

    private @Nullable WorkerExecutor lookups;
    private @Nullable HttpClient client;
    private int running;
    private int reloads;

    public ActiveChecksVerticle(
            Registry registry, Leases leases, ChangeFeed feed, RegistrySettings settings, MeterRegistry meters) {
        this.registry = registry;
        this.leases = leases;
        this.feed = feed;
        this.settings = settings;
        this.allowed = settings.checkAllow().stream()
                .map(AddressRange::of)
                .filter(Objects::nonNull)
                .toList();
        this.passed = checks(meters, "passed");
        this.failed = checks(meters, "failed");
        this.refused = checks(meters, "refused");
    }

    private static Counter checks(MeterRegistry meters, String outcome) {
        return Counter.builder("config_service_health_checks")
                .description("Active checks of instances, by outcome; refused: the address is not allowed")
                .tag("outcome", outcome)
                .register(meters);
    }

    /** The state of the checks of one instance. It is used only on the event loop of the verticle. */
    private static final class Target {
        Instance instance;
        long dueNanos;
        int failures;
        int passes;
        /** The time since which all checks have failed. */
        long failingSinceNanos;

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
        // a reload that begins while another runs keeps what was removed so far
        Set<String> gone = goneMeanwhile == null ? new HashSet<>() : goneMeanwhile;
        goneMeanwhile = gone;
        reloads++;
        Futures.here(registry.all(0)).onComplete(done -> {
            reloads--;
            if (reloads == 0) {
                goneMeanwhile = null;
            }
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
            known.instance = instance;
        }
    }

    private long interval() {
        return settings.checkInterval().toNanos();
    }

    private static long jitter(long most) {
        return ThreadLocalRandom.current().nextLong(Math.max(1, most));
    }

    /** Starts the checks that are due, up to the limit of concurrent checks. */
    private void tick() {
        if (!feed.staleness().isZero()) {
            // this node could not write the results, and failing checks may only show that it is cut off itself
            return;
        }
        long now = System.nanoTime();
        while (running < settings.checkConcurrency() && !queue.isEmpty() && now - queue.element().dueNanos >= 0) {
            Target target = queue.remove();
            if (targets.get(target.instance.key()) != target) {
                // the instance was removed
                continue;
            }
            // up to a tenth of the interval earlier or later, so that checks that started together spread out
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
        Future<Optional<InetAddress>> address = lookUp(host(uri));
        address.compose(to -> to.map(a -> ask(uri, a)).orElse(Future.succeededFuture(false)))
                .timeout(settings.checkTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .transform(done -> {
                    if (done.succeeded() && done.result()) {
                        passed.increment();
                        passed(target);
                    } else {
                        failed.increment();
                        failed(target);
                    }
                    // a DNS lookup that outlasts the timeout still counts as a running check
                    return address.transform(found -> Future.succeededFuture());
                })
                .onComplete(done -> {
                    running--;
                    target.isRunning = false;
                });
    }

    private static String host(URI uri) {
        return String.valueOf(HttpUrls.host(uri));
    }

    /** Returns the address of a host; empty if it is refused. */
    private Future<Optional<InetAddress>> lookUp(String host) {
        WorkerExecutor executor = lookups;
        return executor == null
                ? Future.failedFuture("stopped")
                : executor.executeBlocking(
                        () -> {
                            InetAddress address = InetAddress.getByName(host);
                            if (CheckTarget.isRefused(address, allowed)) {
                                refused.increment();
                                log.debug("registry.check-refused host={}", host);
                                return Optional.empty();
                            }
                            return Optional.of(address);
                        },
                        false);
    }

    private void passed(Target target) {
        target.failures = 0;
        target.passes++;
        if (target.passes >= settings.checkHealthyAfter() && target.instance.isCheckFailing()) {
            judge(target.instance, false);
        }
    }

    private void failed(Target target) {
        target.passes = 0;
        target.failures++;
        if (target.failures == 1) {
            target.failingSinceNanos = System.nanoTime();
        }
        removeIfOver(target);
        if (target.failures >= settings.checkUnhealthyAfter() && !target.instance.isCheckFailing()) {
            judge(target.instance, true);
        }
    }

    /** Removes an instance that has failed for as long as it said itself. Nothing is removed while most fail. */
    private void removeIfOver(Target target) {
        Instance instance = target.instance;
        Duration after = instance.removeAfter();
        if (after == null
                || !instance.isCheckFailing()
                || System.nanoTime() - target.failingSinceNanos < after.toNanos()
                || areMostFailing()) {
            return;
        }
        registry.deregister(instance, Origin.SYSTEM)
                .onSuccess(v -> log.info(
                        "registry.check-removed service={} instance={} seconds={}",
                        instance.serviceName(),
                        instance.instanceId(),
                        after.toSeconds()))
                .onFailure(e -> log.warn(
                        "registry.check-not-written service={} instance={} cause={}",
                        instance.serviceName(),
                        instance.instanceId(),
                        e.toString()));
    }

    /** Tells whether so many instances fail that the cause may be this node, or its network. */
    private boolean areMostFailing() {
        long failing = targets.values().stream().filter(t -> t.failures > 0).count();
        return failing > FEW && failing * 2 > targets.size();
    }

    private void judge(Instance instance, boolean isFailing) {
        registry.judge(instance, isFailing)
                .onSuccess(v -> log.info(
                        "registry.check-decided service={} instance={} failing={}",
                        instance.serviceName(),
                        instance.instanceId(),
                        isFailing))
                .onFailure(e -> log.warn(
                        "registry.check-not-written service={} instance={} cause={}",
                        instance.serviceName(),
                        instance.instanceId(),
                        e.toString()));
    }

    /** Tells whether the instance answers with 2xx. Redirects are not followed, and the body is not read. */
    private Future<Boolean> ask(URI uri, InetAddress address) {
        int port = HttpUrls.port(uri);
        // connect to exactly the address that was allowed: a second DNS lookup could return another one
        RequestOptions options = new RequestOptions()
                .setServer(SocketAddress.inetSocketAddress(port, address.getHostAddress()))
                .setHost(host(uri))
                .setPort(port)
                .setSsl("https".equalsIgnoreCase(uri.getScheme()))
                .setMethod(HttpMethod.GET)
                .setURI(CheckTarget.path(uri))
                .setFollowRedirects(false)
                .putHeader("User-Agent", "config-service")
                .setTimeout(settings.checkTimeout().toMillis());
        String userInfo = HttpUrls.userInfo(uri);
        if (userInfo != null) {
            options.putHeader("Authorization", "Basic " + CheckTarget.basic(userInfo));
        }
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
