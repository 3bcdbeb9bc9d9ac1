package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.flag.eval.FlagDefinition.Prerequisite;
import dev.configservice.http.Request;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import java.util.List;

/** Flags as callers see them. */
final class FlagFace implements ResourceRoutes.Face {
    static final List<String> OWN_FIELDS = List.of(
            "description",
            "is_enabled",
            "rollout_percentage",
            "target_users",
            "rules",
            "variants",
            "prerequisites",
            "salt",
            "tags",
            "owner",
            "expires_at");

    private final SnapshotCache cache;

    FlagFace(SnapshotCache cache) {
        this.cache = cache;
    }

    @Override
    public String kind() {
        return Flags.KIND;
    }

    @Override
    public String path() {
        return "/feature-flags";
    }

    @Override
    public Right writeRight() {
        return Right.FLAGS_WRITE;
    }

    @Override
    public ObjectNode render(Resource resource, Caller caller) {
        ObjectNode o = render(resource);
        if (caller.has(Right.AUDIT_READ)) {
            ObjectNode row = Json.readObject(resource.row());
            o.set("created_by", row.get("created_by"));
            o.set("updated_by", row.get("updated_by"));
        }
        return o;
    }

    /** A flag as anyone sees it; actors are null. */
    static ObjectNode render(Resource resource) {
        ObjectNode row = Json.readObject(resource.row());
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("name", resource.name());
        o.put("environment", resource.environment());
        for (String field : OWN_FIELDS) {
            o.set(field, row.get(field));
        }
        o.put("version", resource.version());
        o.put("revision", resource.revision());
        o.set("created_at", row.get("created_at"));
        o.set("updated_at", row.get("updated_at"));
        o.putNull("created_by");
        o.putNull("updated_by");
        return o;
    }

    @Override
    public boolean isMasked(Resource resource, Caller caller) {
        return false;
    }

    /** Flags have no service: a caller that is limited to some may write them all the same. */
    @Override
    public void requireWrite(Caller caller, String environment, String serviceName) {
        caller.require(Right.FLAGS_WRITE, environment, "");
    }

    @Override
    public Future<Void> checkRollback(Resource earlier, Request request) {
        return refuseCycle(earlier.environment(), earlier.name(), Json.readObject(earlier.row()), request);
    }

    /** Fails where a flag with these fields would be a prerequisite of its own. */
    Future<Void> refuseCycle(String environment, String name, ObjectNode content, Request request) {
        List<Prerequisite> prerequisites =
                Flags.definition("", name, 0, content).prerequisites();
        if (prerequisites.isEmpty()) {
            return Future.succeededFuture();
        }
        return cache.get(Flags.unit(environment), request.minRevision()).map(snapshot -> {
            if (Flags.set(snapshot).wouldCycle(name, prerequisites)) {
                throw ServiceException.invalid("prerequisites", "would make the flag a prerequisite of its own");
            }
            return null;
        });
    }

    @Override
    public void requireRead(Resource resource, Caller caller) {
        caller.require(Right.READ, resource.environment(), "");
    }

    @Override
    public JsonNode historyValue(Change change) {
        ObjectNode row = Json.readObject(change.resource().row());
        return row.retain(OWN_FIELDS);
    }
}
