package dev.configservice.cluster;

import com.hazelcast.core.HazelcastInstance;
import dev.configservice.postgres.Postgres;
import dev.configservice.secret.Keyring;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agreement of all nodes on the key that seals new values: the newest one that every node of the cluster knows. Each
 * node announces the keys that it knows every second, and follows the file of its keyset. So the file can be replaced on
 * one node after the other, and every node can open what any other one seals.
 */
public final class KeyAnnouncements {
    private static final Logger log = LoggerFactory.getLogger(KeyAnnouncements.class);
    private static final String ADDRESS = "config-service.keys";
    private static final long EVERY_MILLIS = 1000;
    private static final int STORE_EVERY = 5;
    private static final long HEARD_FOR_NANOS = Duration.ofSeconds(10).toNanos();

    /** Stores the keys of each node, for {@code reseal}, which is not a member of the cluster. */
    private static final String STORE = """
            insert into node_keys (node, keys, seen_at) values ($1, $2, now())
            on conflict (node) do update set keys = $2, seen_at = now()""";

    private static final String FORGET = "delete from node_keys where seen_at < now() - interval '1 hour'";

    private final Vertx vertx;
    private final HazelcastInstance hazelcast;
    private final Keyring keyring;
    private final Postgres postgres;
    private final String self;
    private final Map<String, Heard> others = new ConcurrentHashMap<>();
    private boolean refreshing;
    private int ticks;

    private record Heard(List<Integer> keys, long atNanos) {}

    /**
     * Creates the announcements of a node.
     *
     * @param postgres the database, which is none on an edge: core nodes store what edges announce
     */
    public KeyAnnouncements(Vertx vertx, HazelcastInstance hazelcast, Keyring keyring, Postgres postgres) {
        this.vertx = vertx;
        this.hazelcast = hazelcast;
        this.keyring = keyring;
        this.postgres = postgres;
        this.self = Grid.nodeId(hazelcast);
    }

    /** Starts to announce and to listen. Values are sealed with an agreed key from now on. */
    public void start() {
        vertx.eventBus().<JsonObject>consumer(ADDRESS, message -> hear(message.body()));
        vertx.setPeriodic(EVERY_MILLIS, t -> tick());
        agree();
        announce(true);
    }

    private void tick() {
        announce(false);
        agree();
        if (!refreshing) {
            refreshing = true;
            vertx.executeBlocking(
                            () -> {
                                keyring.refresh();
                                return null;
                            },
                            false)
                    .onComplete(done -> refreshing = false);
        }
        if (postgres.isPresent() && ++ticks % STORE_EVERY == 0) {
            store();
        }
    }

    private void announce(boolean asks) {
        vertx.eventBus()
                .publish(
                        ADDRESS,
                        new JsonObject()
                                .put("node", self)
                                .put("keys", new JsonArray(keyring.newestFirst()))
                                .put("asks", asks));
    }

    private void hear(JsonObject message) {
        String node = message.getString("node");
        if (node.equals(self)) {
            return;
        }
        List<Integer> keys = message.getJsonArray("keys").stream()
                .map(k -> ((Number) k).intValue())
                .toList();
        others.put(node, new Heard(keys, System.nanoTime()));
        if (message.getBoolean("asks", false)) {
            // a node that has just started seals nothing with its newest key before it has heard of all others
            announce(false);
        }
        agree();
    }

    /**
     * Chooses the newest key that every member knows. A member without a keyset does not count. While a member has not
     * announced its keys, the key before the newest is used: only the newest may be unknown to others.
     */
    private void agree() {
        List<Integer> own = keyring.newestFirst();
        if (own.isEmpty()) {
            return;
        }
        long now = System.nanoTime();
        others.values().removeIf(h -> now - h.atNanos() > HEARD_FOR_NANOS);
        Set<String> members = Grid.nodeIds(hazelcast);
        boolean allHeard = members.stream().allMatch(m -> m.equals(self) || others.containsKey(m));
        for (int key : own) {
            boolean known = others.entrySet().stream()
                    .filter(e ->
                            members.contains(e.getKey()) && !e.getValue().keys().isEmpty())
                    .allMatch(e -> e.getValue().keys().contains(key));
            if (known && (allHeard || key != own.get(0) || own.size() == 1)) {
                keyring.sealWith(key);
                return;
            }
        }
        log.debug("secrets.no-common-key keys={}", own);
    }

    private void store() {
        Future<?> stored = store(self, keyring.newestFirst());
        for (Map.Entry<String, Heard> other : others.entrySet()) {
            stored = stored.compose(v -> store(other.getKey(), other.getValue().keys()));
        }
        stored.compose(v -> postgres.read(FORGET, Tuple.tuple()))
                .onFailure(e -> log.debug("secrets.keys-not-stored cause={}", e.toString()));
    }

    private Future<?> store(String node, List<Integer> keys) {
        return postgres.read(STORE, Tuple.of(node).addArrayOfInteger(keys.toArray(Integer[]::new)));
    }
}
