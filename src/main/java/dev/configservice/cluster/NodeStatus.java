package dev.configservice.cluster;

import com.hazelcast.cluster.Member;
import com.hazelcast.core.HazelcastInstance;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The states of all nodes, as each tells its own over the bus. */
public final class NodeStatus {
    private static final String ADDRESS = "node-status.";
    private static final DeliveryOptions WITHIN = new DeliveryOptions().setSendTimeout(1000);

    private final Vertx vertx;
    private final HazelcastInstance hazelcast;
    private final Supplier<JsonObject> own;

    /**
     * Creates the status of this node.
     *
     * @param own returns the state of this node
     */
    public NodeStatus(Vertx vertx, HazelcastInstance hazelcast, Supplier<JsonObject> own) {
        this.vertx = vertx;
        this.hazelcast = hazelcast;
        this.own = own;
    }

    /** Starts to answer other nodes. */
    public void start() {
        vertx.eventBus().<JsonObject>consumer(ADDRESS + Grid.nodeId(hazelcast), message -> message.reply(own.get()));
    }

    /**
     * A node of the cluster.
     *
     * @param state its state; null if it did not answer within a second
     */
    public record Node(
            String id,
            String address,
            boolean isEdge,
            String version,
            boolean isThis,
            @Nullable JsonObject state) {}

    /** Returns all nodes of the cluster, core nodes first. */
    public Future<List<Node>> all() {
        List<Future<Node>> asked = new ArrayList<>();
        for (Member member : hazelcast.getCluster().getMembers()) {
            String id = String.valueOf(member.getAttribute(Grid.NODE_ID));
            Future<@Nullable JsonObject> state = member.localMember()
                    ? Future.succeededFuture(own.get())
                    : vertx.eventBus()
                            .<JsonObject>request(ADDRESS + id, new JsonObject(), WITHIN)
                            .transform(reply -> Future.succeededFuture(
                                    reply.succeeded() ? reply.result().body() : null));
            asked.add(state.map(s -> new Node(
                    id,
                    member.getAddress().getHost() + ":" + member.getAddress().getPort(),
                    member.isLiteMember(),
                    String.valueOf(member.getAttribute(Grid.VERSION)),
                    member.localMember(),
                    s)));
        }
        return Future.all(asked).map(v -> {
            List<Node> nodes = new ArrayList<>();
            asked.forEach(node -> nodes.add(node.result()));
            nodes.sort((a, b) -> a.isEdge() == b.isEdge() ? a.address().compareTo(b.address()) : a.isEdge() ? 1 : -1);
            return nodes;
        });
    }
}
