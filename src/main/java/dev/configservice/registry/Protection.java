package dev.configservice.registry;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The state of expiry in the whole cluster: held back or not, and the reason. A node that holds expiry back announces
 * it to the other nodes until it ends, so every node can report it to its callers.
 */
public final class Protection {
    private static final String ADDRESS = "config-service.protection";
    private static final long EVERY_MILLIS = 1000;
    private static final long HEARD_FOR_NANOS = Duration.ofSeconds(5).toNanos();

    private final Vertx vertx;
    private final String self = UUID.randomUUID().toString();
    private final Map<String, Heard> others = new ConcurrentHashMap<>();
    private volatile @Nullable String own;

    private record Heard(String reason, long atNanos) {}

    public Protection(Vertx vertx) {
        this.vertx = vertx;
    }

    /** Starts the exchange with other nodes: each announces when it holds expiry back. */
    public void start() {
        vertx.eventBus().<JsonObject>consumer(ADDRESS, message -> hear(message.body()));
        vertx.setPeriodic(EVERY_MILLIS, t -> {
            long now = System.nanoTime();
            others.values().removeIf(h -> now - h.atNanos() > HEARD_FOR_NANOS);
            if (own != null) {
                tell();
            }
        });
    }

    private void tell() {
        vertx.eventBus().publish(ADDRESS, new JsonObject().put("node", self).put("reason", own));
    }

    private void hear(JsonObject message) {
        String node = message.getString("node");
        String reason = message.getString("reason");
        if (reason == null) {
            others.remove(node);
        } else if (!node.equals(self)) {
            others.put(node, new Heard(reason, System.nanoTime()));
        }
    }

    /** Returns the reason why this node or another one holds expiry back, or null if none does. */
    @Nullable
    String reason() {
        String mine = own;
        if (mine != null || others.isEmpty()) {
            return mine;
        }
        for (Heard heard : others.values()) {
            return heard.reason();
        }
        return null;
    }

    boolean isOn() {
        return reason() != null;
    }

    /** Tells whether this node itself holds expiry back. */
    boolean isOwn() {
        return own != null;
    }

    /**
     * Starts or ends holding expiry back on this node, and tells whether that is a change.
     *
     * @param newReason the reason; null ends it
     */
    boolean set(@Nullable String newReason) {
        boolean changes = (own == null) != (newReason == null);
        own = newReason;
        if (changes) {
            tell();
        }
        return changes;
    }
}
