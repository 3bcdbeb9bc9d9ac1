package dev.configservice.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.cluster.Release;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Pages;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.healthchecks.CheckResult;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** The routes at the root: {@code /live}, {@code /ready}, {@code /health}, {@code /metrics}, API description. */
public final class OpsRoutes implements Routes {
    private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    private static final String WEBJAR = "/META-INF/resources/webjars/swagger-ui/";
    /** The script that starts the page. */
    private static final String START = "docs.js";

    private static final Map<String, String> DOCS = Map.of(
            START,
            "text/javascript; charset=utf-8",
            "swagger-ui.css",
            "text/css; charset=utf-8",
            "swagger-ui-bundle.js",
            "text/javascript; charset=utf-8",
            "favicon-32x32.png",
            "image/png");

    private final Vertx vertx;
    private final Health health;
    private final PrometheusMeterRegistry meters;
    private final ApiDocument document;
    private final byte[] docs;
    private final String webjar;
    private final String publicPath;

    /**
     * Creates the routes.
     *
     * @param publicPath the path that a proxy puts in front; empty for none
     */
    public OpsRoutes(
            Vertx vertx, Health health, ApiDocument document, PrometheusMeterRegistry meters, String publicPath) {
        this.publicPath = publicPath;
        this.vertx = vertx;
        this.health = health;
        this.meters = meters;
        this.document = document;
        this.docs = Pages.resource("/docs.html");
        this.webjar = WEBJAR + swaggerUiVersion() + "/";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.root("/live", r -> status(health.isAlive())),
                Route.root("/ready", this::ready),
                Route.root("/health", this::health),
                Route.root(
                        "/metrics",
                        r -> vertx.executeBlocking(meters::scrape, false)
                                .map(text -> Response.text(METRICS_TYPE, text))),
                Route.root(
                        "/openapi.json",
                        r -> vertx.executeBlocking(document::json, false)
                                .map(json -> Response.bytes(200, Response.JSON, json))),
                Route.root("/docs", r -> docs(r)),
                Route.root("/docs/:file", this::docsFile));
    }

    private Future<Response> ready(Request request) {
        return status(health.isReady());
    }

    private static Future<Response> status(boolean up) {
        return Future.succeededFuture(
                Response.json(up ? 200 : 503, Json.object().put("status", up ? "UP" : "DOWN")));
    }

    private Future<Response> health(Request request) {
        return health.check().map(result -> {
            ObjectNode body = Json.object();
            boolean up = Boolean.TRUE.equals(result.getUp());
            body.put("status", up ? "UP" : "DOWN");
            body.put("version", Release.version());
            ArrayNode parts = body.putArray("parts");
            for (CheckResult part : result.getChecks()) {
                ObjectNode p = parts.addObject();
                p.put("part", part.getId());
                p.put("status", Boolean.TRUE.equals(part.getUp()) ? "UP" : "DOWN");
                p.set(
                        "data",
                        Json.tree(
                                part.getData() == null
                                        ? Map.of()
                                        : part.getData().getMap()));
            }
            return Response.json(up ? 200 : 503, body);
        });
    }

    private Future<Response> docs(Request request) {
        // relative links need the slash at the end
        return Future.succeededFuture(
                request.path().endsWith("/")
                        ? Pages.secured(Response.bytes(200, "text/html; charset=utf-8", docs))
                        : Response.empty(302).header("Location", publicPath + "/docs/"));
    }

    private Future<Response> docsFile(Request request) {
        String file = request.parameter("file");
        String type = DOCS.get(file);
        if (type == null) {
            throw ServiceException.notFound("This path does not exist");
        }
        return vertx.executeBlocking(() -> Pages.resource(file.equals(START) ? "/docs.js" : webjar + file), false)
                .map(bytes -> Response.bytes(200, type, bytes).header("X-Content-Type-Options", "nosniff"));
    }

    private static String swaggerUiVersion() {
        try (InputStream in =
                OpsRoutes.class.getResourceAsStream("/META-INF/maven/org.webjars/swagger-ui/pom.properties")) {
            Properties properties = new Properties();
            if (in != null) {
                properties.load(new java.io.InputStreamReader(in, StandardCharsets.UTF_8));
            }
            return properties.getProperty("version", "");
        } catch (IOException e) {
            throw new IllegalStateException("the packaged pages cannot be read", e);
        }
    }
}
