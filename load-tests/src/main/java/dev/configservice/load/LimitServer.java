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
import io.vertx.core.http.HttpServerResponse;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The limit that the service is measured against: a bare Vert.x server with as many event loops, which answers a constant
 * of the size that the path asks for ({@code /1234}), parses what is posted and answers as much JSON as an evaluation, or
 * holds streams ({@code /stream}) and sends them what is posted to {@code /send}.
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
        vertx.eventBus().<Buffer>localConsumer("send", message -> send(message.body()));
        return vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(port).setTcpNoDelay(true))
                .requestHandler(this::answer)
                .listen();
    }

    private final Set<HttpServerResponse> streams = new LinkedHashSet<>();
    private Buffer constant = Buffer.buffer();

    private void answer(HttpServerRequest request) {
        if (request.path().equals("/stream")) {
            stream(request);
            return;
        }
        if (request.path().equals("/send")) {
            request.bodyHandler(body -> {
                vertx.eventBus().publish("send", body);
                request.response().end();
            });
            return;
        }
        if (!request.method().name().equals("GET")) {
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

    /** A stream that gets whatever is posted to {@code /send}, as one event. */
    private void stream(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        response.putHeader("Content-Type", "text/event-stream").setChunked(true);
        response.setWriteQueueMaxSize(256 * 1024);
        response.closeHandler(v -> streams.remove(response));
        response.exceptionHandler(e -> streams.remove(response));
        streams.add(response);
        response.write("event: hello\ndata: {}\n\n");
    }

    private void send(Buffer event) {
        Buffer frame = Buffer.buffer("data: ").appendBuffer(event).appendString("\n\n");
        for (HttpServerResponse response : List.copyOf(streams)) {
            if (response.writeQueueFull()) {
                streams.remove(response);
                response.reset();
            } else {
                response.write(frame);
            }
        }
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
