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
import io.vertx.core.json.JsonObject;
import java.util.List;

/** The route that shows the nodes of the cluster, to callers with a key or token. */
public final class ClusterRoutes implements Routes {
    private final NodeStatus status;

    public ClusterRoutes(NodeStatus status) {
        this.status = status;
    }

    @Override
    public List<Route> routes() {
        return List.of(Route.api("GET", "/cluster", this::cluster));
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
