package dev.configservice.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;

/**
 * The limit that the service is measured against: a bare Vert.x server with as many event loops, which answers a constant
 * of the size that the path asks for ({@code /1234}), or parses what is posted and answers as much JSON as an evaluation.
 */
public final class LimitServer extends VerticleBase {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final int port;

    private LimitServer(int port) {
        this.port = port;
    }

    /** Takes the port as its argument. */
    public static void main(String[] arguments) {
        int port = Integer.parseInt(arguments[0]);
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
        vertx.deployVerticle(
                        () -> new LimitServer(port),
                        new DeploymentOptions().setInstances(VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE))
                .onFailure(e -> {
                    System.err.println(e.getMessage());
                    System.exit(1);
                });
    }

    @Override
    public Future<?> start() {
        return vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(port).setTcpNoDelay(true))
                .requestHandler(this::answer)
                .listen();
    }

    private Buffer constant = Buffer.buffer();

    private void answer(HttpServerRequest request) {
        if (request.method().name().equals("POST")) {
            request.bodyHandler(body -> request.response()
                    .putHeader("Content-Type", "application/json")
                    .end(evaluation(body)));
            return;
        }
        int size = Integer.parseInt(request.path().substring(1));
        if (constant.length() != size) {
            constant = Buffer.buffer("x".repeat(size));
        }
        request.response().putHeader("Content-Type", "application/json").end(constant);
    }

    private static Buffer evaluation(Buffer body) {
        try {
            JsonNode asked = JSON.readTree(body.getBytes());
            ObjectNode o = JSON.createObjectNode();
            o.set("flag_name", asked.get("flag_name"));
            o.set("environment", asked.get("environment"));
            o.put("enabled", true);
            o.put("value", true);
            o.putNull("variant");
            o.put("reason", "SPLIT");
            o.put("version", 1);
            return Buffer.buffer(JSON.writeValueAsBytes(o));
        } catch (JsonProcessingException e) {
            return Buffer.buffer("{}");
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
