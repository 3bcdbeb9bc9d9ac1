package dev.configservice.ops;

import dev.configservice.cluster.NodeState;
import dev.configservice.log.ChangeFeed;
import dev.configservice.snapshot.RedisServer;
import dev.configservice.vertx.Pulses;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.healthchecks.CheckResult;
import io.vertx.ext.healthchecks.HealthChecks;
import io.vertx.ext.healthchecks.Status;
import java.time.Duration;
import java.util.function.Supplier;

/** The health of each part, as {@code /health} reports it, and the readiness of this node. */
public final class Health {
    private static final long DEADLINE_MILLIS = 2500;
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);

    private final HealthChecks checks;
    private final ChangeFeed feed;
    private final NodeState state;
    private final Pulses pulses;

    /**
     * Creates the checks for the parts that every node has.
     *
     * @param log the name of the part that this node reads the log from: {@code postgres}, or {@code core} on an edge
     */
    public Health(Vertx vertx, ChangeFeed feed, String log, RedisServer redis, NodeState state, Pulses pulses) {
        this.pulses = pulses;
        this.state = state;
        this.feed = feed;
        this.checks = HealthChecks.create(vertx);
        register(log, () -> {
            Duration stale = feed.staleness();
            JsonObject data = new JsonObject().put("stale_seconds", stale.toSeconds());
            return Future.succeededFuture(stale.isZero() ? Status.OK(data) : Status.KO(data));
        });
        register(
                "log",
                () -> Future.succeededFuture(
                        feed.isStarted()
                                ? Status.OK(new JsonObject()
                                        .put("epoch", feed.applied().epoch())
                                        .put("applied_revision", feed.applied().revision()))
                                : Status.KO()));
        if (redis.isPresent()) {
            register(
                    "redis",
                    () -> redis.describe()
                            .transform(r -> Future.succeededFuture(r.succeeded() ? status(r.result()) : Status.KO())));
        }
    }

    private static Status status(RedisServer.Description redis) {
        JsonObject data = new JsonObject();
        if (redis.evicts()) {
            data.put(
                    "warning",
                    "may evict keys (maxmemory-policy " + redis.eviction() + "): a node that starts while"
                            + " PostgreSQL is unreachable may then have nothing to start from");
        }
        if (redis.isReplica()) {
            return Status.KO(data.put("warning", "is a replica, which takes no writes"));
        }
        return data.isEmpty() ? Status.OK() : Status.OK(data);
    }

    /** Adds a part with its check. If the check fails, the part is reported as down. */
    public void register(String part, Supplier<Future<Status>> check) {
        checks.register(part, DEADLINE_MILLIS, promise -> check.get().onComplete(promise));
    }

    Future<CheckResult> check() {
        return checks.checkStatus();
    }

    /** Tells whether this node can answer reads and is not shutting down. */
    boolean isReady() {
        return feed.isStarted() && !state.isLeaving() && isAlive();
    }

    /** Tells whether all event loops answer reads. If not, the process must be replaced. */
    boolean isAlive() {
        return pulses.longestPause().compareTo(LONGEST_PAUSE) < 0;
    }
}
