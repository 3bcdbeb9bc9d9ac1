package dev.configservice.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.cluster.NodeStatus;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;

/** The routes that show the nodes of the cluster, to callers with a key or token, and how this node is set, to admins. */
public final class ClusterRoutes implements Routes {
    private final NodeStatus status;
    private final Response settings;

    /**
     * @param settings the settings of this node by name, secrets left out
     */
    public ClusterRoutes(NodeStatus status, Map<String, String> settings) {
        this.status = status;
        ObjectNode body = Json.object();
        ArrayNode items = body.putArray("items");
        settings.forEach((name, value) -> items.addObject().put("name", name).put("value", value));
        this.settings = Response.ready(Response.JSON, Buffer.buffer(Json.bytes(body)));
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.api("GET", "/cluster", this::cluster),
                Route.api("GET", "/cluster/settings", r -> Future.succeededFuture(settings))
                        .needs(Right.ADMIN));
    }

    private Future<Response> cluster(Request request) {
        request.caller().identity();
        boolean showsAddresses = request.caller().holds(Right.ADMIN);
        return status.all().map(nodes -> {
            ObjectNode body = Json.object();
            ArrayNode all = body.putArray("nodes");
            for (NodeStatus.Node node : nodes) {
                JsonObject state = node.state();
                ObjectNode o = all.addObject()
                        .put("id", node.id())
                        .put("role", node.isEdge() ? "edge" : "core")
                        .put("address", showsAddresses ? node.address() : null)
                        .put("version", node.version())
                        .put("is_this", node.isThis())
                        .put("status", state == null ? "UNREACHABLE" : "UP");
                for (String field : List.of("revision", "epoch", "stale_seconds", "streams")) {
                    o.put(field, state == null ? null : state.getLong(field, 0L));
                }
            }
            return Response.json(200, body);
        });
    }
}
