package dev.configservice.http;

import dev.configservice.access.Authenticator;
import dev.configservice.access.Right;
import dev.configservice.cluster.NodeState;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.settings.HttpSettings;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The HTTP server of one event loop, and its routes. */
public final class HttpVerticle extends VerticleBase {
    private static final String BASE = "/api/v1";
    /** More than there are routes: what separates the groups that they are tried in. */
    private static final int EACH = 1000;

    private static final long SWEEP_MILLIS = 15_000;
    private static final long BODY_SWEEP_MILLIS = 250;

    private static final Pattern PARAMETER = Pattern.compile(":([a-z]+)");

    private final HttpSettings settings;
    private final Pipeline pipeline;
    private final List<Routes> features;
    private final @Nullable Forwarder cores;
    private final MeterRegistry meters;
    private final RouteMetrics unknown;
    private final IdleConnections connections = new IdleConnections();
    private final Bodies bodies;
    private @Nullable HttpServer server;

    /**
     * @param cores where requests go that need the log; null on a node that has it
     */
    public HttpVerticle(
            HttpSettings settings,
            Authenticator access,
            ChangeFeed feed,
            Ids ids,
            List<Routes> features,
            @Nullable Forwarder cores,
            NodeState state,
            BodyBudget bodyBudget,
            MeterRegistry meters) {
        this.settings = settings;
        this.bodies = new Bodies(bodyBudget, Bodies.DEADLINE);
        this.cores = cores;
        this.pipeline = new Pipeline(access, feed, ids, state, bodies);
        this.features = features;
        this.meters = meters;
        this.unknown = new RouteMetrics(meters, "any", "unknown");
    }

    @Override
    public Future<?> start() {
        TlsFiles tls = settings.isTls() ? new TlsFiles(settings) : null;
        HttpServerOptions options = new HttpServerOptions();
        if (tls != null) {
            options.setSsl(true).setKeyCertOptions(tls.options());
        }
        HttpServer http = vertx.createHttpServer(options.setHost(settings.host())
                        .setPort(settings.port())
                        .setCompressionSupported(false)
                        // else a connection is known only once it has sent something
                        .setHttp2ClearTextEnabled(false)
                        // no web sockets: their handlers would look at every message
                        .setPerMessageWebSocketCompressionSupported(false)
                        .setPerFrameWebSocketCompressionSupported(false)
                        .setMaxInitialLineLength(16 * 1024)
                        .setMaxHeaderSize(32 * 1024)
                        .setTcpNoDelay(true))
                .connectionHandler(connections::opened)
                .requestHandler(router());
        vertx.setPeriodic(SWEEP_MILLIS, t -> connections.sweep(IdleConnections.IDLE, IdleConnections.BUSY));
        vertx.setPeriodic(BODY_SWEEP_MILLIS, t -> bodies.sweep());
        server = http;
        if (tls == null) {
            return http.listen();
        }
        return http.listen()
                .recover(e -> Future.failedFuture(e instanceof SocketException ? e : TlsFiles.refused(e)))
                .onSuccess(v -> tls.follow(vertx, http));
    }

    /** The port that it listens on. */
    public int port() {
        return server == null ? 0 : server.actualPort();
    }

    /** The short way for requests with plain paths, the router for all others; both have the same routes. */
    private Handler<HttpServerRequest> router() {
        Entries entries = new Entries();
        features.forEach(f -> f.mount(entries));
        entries.refuseOtherMethods();
        Router router = entries.router;
        complete(router);
        // CORS is the router's
        PlainPaths plain = settings.corsOrigins().isEmpty() ? entries.plain : new PlainPaths(BASE);
        return request -> {
            boolean isHead = request.method().equals(HttpMethod.HEAD);
            PlainPaths.Match match =
                    plain.find(isHead ? "GET" : request.method().name(), String.valueOf(request.path()));
            if (match == null) {
                router.handle(request);
            } else {
                match.handler().accept(call(request, match.parameters()));
            }
        };
    }

    private Router newRouter() {
        Router router = Router.router(vertx);
        if (!settings.corsOrigins().isEmpty()) {
            CorsHandler cors = cors();
            List<String> origins = settings.corsOrigins();
            router.route().order(-1).handler(ctx -> {
                String origin = ctx.request().getHeader("Origin");
                // of another origin, e.g. this service's own pages: without the headers, the browser decides
                if (origin != null && (origins.contains("*") || origins.contains(origin))) {
                    cors.handle(ctx);
                } else {
                    ctx.next();
                }
            });
        }
        return router;
    }

    private void complete(Router router) {
        router.route()
                .last()
                .handler(ctx -> pipeline.refuse(
                        call(ctx), unknown, ServiceException.notFound("There is nothing at this path"), null));
        router.errorHandler(500, ctx -> pipeline.fail(call(ctx), unknown, ctx.failure()));
        router.errorHandler(
                400, ctx -> pipeline.fail(call(ctx), unknown, ServiceException.invalid("path", "is not well-formed")));
    }

    private RequestContext call(RoutingContext ctx) {
        return call(ctx.request(), ctx.pathParams());
    }

    private RequestContext call(HttpServerRequest request, Map<String, String> parameters) {
        return new RequestContext(request, parameters, connections.of(request.connection()));
    }

    private CorsHandler cors() {
        CorsHandler cors = CorsHandler.create();
        if (settings.corsOrigins().contains("*")) {
            cors.addOrigin("*");
        } else {
            cors.addOrigins(settings.corsOrigins());
        }
        return cors.allowedMethods(
                        Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE))
                .allowedHeaders(Set.of(
                        "Authorization",
                        "Content-Type",
                        "If-Match",
                        "If-None-Match",
                        "Idempotency-Key",
                        "Last-Event-ID",
                        "X-Min-Revision",
                        "X-Request-Id"))
                .exposedHeaders(Set.of(
                        "ETag",
                        "Link",
                        "Location",
                        "Retry-After",
                        "X-Request-Id",
                        "X-Config-Revision",
                        "X-Config-Stale"));
    }

    private final class Entries implements Routes.Table {
        private final Router router = newRouter();
        private final Map<String, Set<String>> methods = new LinkedHashMap<>();
        private final PlainPaths plain = new PlainPaths(BASE);
        private int entered;

        @Override
        public void route(
                String method,
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Request, Future<Response>> handler) {
            Pipeline.Spec spec =
                    new Pipeline.Spec(method, BASE + path, need, query, new RouteMetrics(meters, method, BASE + path));
            enter(method, BASE + path, call -> pipeline.run(call, spec, handler));
        }

        @Override
        public void coreRoute(
                String method,
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Request, Future<Response>> handler) {
            Forwarder handOn = cores;
            String name = method + " " + path;
            route(method, path, need, query, handOn == null ? handler : request -> handOn.forward(name, request));
        }

        @Override
        public void stream(
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Routes.Exchange, Future<Void>> handler) {
            Pipeline.Spec spec =
                    new Pipeline.Spec("GET", BASE + path, need, query, new RouteMetrics(meters, "GET", BASE + path));
            enter("GET", BASE + path, call -> pipeline.stream(call, spec, handler));
        }

        @Override
        public void root(String path, Function<Request, Future<Response>> handler) {
            Pipeline.Spec spec = new Pipeline.Spec("GET", path, null, Map.of(), new RouteMetrics(meters, "GET", path));
            enter("GET", path, call -> pipeline.run(call, spec, handler));
        }

        private void enter(String method, String path, Consumer<RequestContext> handler) {
            Set<String> known = methods.computeIfAbsent(path, p -> new LinkedHashSet<>());
            Route route = router.routeWithRegex(regex(path)).method(HttpMethod.valueOf(method));
            route.order(order(path, false));
            known.add(method);
            if (method.equals("GET")) {
                known.add("HEAD");
                route.method(HttpMethod.HEAD);
            }
            route.handler(ctx -> handler.accept(call(ctx)));
            plain.enter(method, path, handler);
        }

        /** Paths without parameters come first, each with all its methods: so a fixed name is never a parameter. */
        private int order(String path, boolean refusal) {
            entered++;
            return (path.contains(":") ? 2 : 0) * EACH + (refusal ? EACH : 0) + entered;
        }

        void refuseOtherMethods() {
            methods.forEach((path, known) -> {
                String allow = String.join(", ", new TreeSet<>(known));
                router.routeWithRegex(regex(path))
                        .order(order(path, true))
                        .handler(ctx -> pipeline.refuse(
                                call(ctx),
                                unknown,
                                new ServiceException(
                                        ErrorCode.METHOD_NOT_ALLOWED,
                                        ctx.request().method() + " is not for this path (allowed: " + allow + ")"),
                                allow));
            });
        }

        /** A path as a regular expression: its parameters are groups, a slash at the end makes no difference. */
        private static String regex(String path) {
            List<String> parts = new ArrayList<>();
            for (String part : path.split("/", -1)) {
                if (!part.isEmpty()) {
                    var m = PARAMETER.matcher(part);
                    parts.add(m.matches() ? "(?<" + m.group(1) + ">[^/]+)" : Pattern.quote(part));
                }
            }
            return "/" + String.join("/", parts) + "/?";
        }
    }
}
