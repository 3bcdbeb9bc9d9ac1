package dev.configservice.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.snapshot.SnapshotLoader;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;

/**
 * The loader of an edge, which loads snapshots from core nodes. Core nodes answer from their own caches, so many edges
 * put no more load on PostgreSQL than one. Secrets are transferred as ciphertext.
 */
public final class CoreLoader implements SnapshotLoader {
    private static final String LOAD = "snapshot.load";
    private static final String PATH = "snapshot.path";
    private static final Duration APPLIED_DEADLINE = Duration.ofMillis(500);
    /** The deadline of a load, in which a core node may have to load and pack the largest unit. */
    private static final Duration LOAD_DEADLINE = Duration.ofSeconds(3);

    private final CoreBus cores;

    public CoreLoader(CoreBus cores) {
        this.cores = cores;
    }

    /** Answers the requests of edges for snapshots and paths, on a core node. */
    public static void serve(Vertx vertx, CoreBus cores, ChangeFeed feed, SnapshotCache cache, Resources resources) {
        cores.serve(LOAD, question -> {
            JsonNode asked = Json.read(question.getBytes());
            long need = asked.path("revision").longValue();
            return feed.awaitApplied(need, APPLIED_DEADLINE)
                    .otherwiseEmpty()
                    .compose(v -> cache.get(UnitId.parse(asked.path("unit").textValue()), 0))
                    // encoding a large unit would block an event loop for too long
                    .compose(snapshot -> vertx.executeBlocking(() -> answer(snapshot), false));
        });
        cores.serve(PATH, question -> {
            JsonNode asked = Json.read(question.getBytes());
            return resources
                    .path(asked.path("kind").textValue(), asked.path("id").textValue())
                    .map(path -> Buffer.buffer(Json.bytes(Json.object()
                            .put("unit", path.unit().key())
                            .put("name", path.name())
                            .put("revision", feed.applied().revision()))));
        });
    }

    private static Buffer answer(Snapshot snapshot) {
        ObjectNode head = Json.object()
                .put("epoch", snapshot.asOf().epoch())
                .put("revision", snapshot.asOf().revision())
                .put("last_change", snapshot.lastChange());
        return new Envelope(head, Buffer.buffer(snapshot.packed())).toBuffer();
    }

    @Override
    public String name() {
        return "core";
    }

    @Override
    public Future<Snapshot> load(UnitId unit, Position need) {
        ObjectNode question = Json.object().put("unit", unit.key()).put("revision", need.revision());
        return ask(LOAD, question, LOAD_DEADLINE).map(answer -> {
            Envelope envelope = Envelope.of(answer);
            JsonNode head = envelope.head();
            return Snapshot.ofPacked(
                    unit,
                    new Position(
                            head.path("epoch").longValue(),
                            head.path("revision").longValue()),
                    head.path("last_change").longValue(),
                    envelope.body().getBytes());
        });
    }

    @Override
    public Future<Located> path(String kind, String id) {
        return ask(PATH, Json.object().put("kind", kind).put("id", id), CoreBus.DEADLINE)
                .map(answer -> {
                    JsonNode o = Json.read(answer.getBytes());
                    return new Located(
                            new Resources.Path(
                                    UnitId.parse(o.path("unit").textValue()),
                                    o.path("name").textValue()),
                            o.path("revision").longValue());
                });
    }

    private Future<Buffer> ask(String topic, ObjectNode question, Duration deadline) {
        return cores.ask(topic, Buffer.buffer(Json.bytes(question)), deadline, true);
    }
}
