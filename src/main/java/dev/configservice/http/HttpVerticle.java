package dev.configservice.http;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.settings.HttpSettings;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.CorsHandler;
import java.net.SocketException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The HTTP server of one event loop. */
public final class HttpVerticle extends VerticleBase {
    private static final int MAX_LINE = 16 * 1024;
    private static final int MAX_HEADERS = 32 * 1024;
    /** The time for which a browser may keep that it may send a request; browsers keep it for no longer than this. */
    private static final int PREFLIGHT_SECONDS = 7200;

    private static final long SWEEP_MILLIS = 15_000;
    private static final long BODY_SWEEP_MILLIS = 250;

    /**
     * The number of bytes that are read from a connection at a time. All requests in them are decoded before the first is
     * handled, and take more than twenty times their size. A client that sends requests without waiting for answers so
     * cannot fill the heap with them.
     */
    private static final RecvByteBufAllocator READ_SIZE =
            new AdaptiveRecvByteBufAllocator(512, 2048, 2048).maxMessagesPerRead(1);

    private final HttpSettings settings;
    private final List<Routes> features;
    private final Forwarder forwarder;
    private final ServerContext server;
    private final Bodies bodies;
    private final Answers answers;
    private final Pipeline pipeline;
    private final Map<Dialect, RouteMetrics> unknown = new HashMap<>();
    private final IdleConnections connections;
    private final Set<Dialect> dialects = new LinkedHashSet<>();
    private @Nullable HttpServer http;

    public HttpVerticle(HttpSettings settings, List<Routes> features, Forwarder forwarder, ServerContext server) {
        this.settings = settings;
        this.features = features;
        this.forwarder = forwarder;
        this.server = server;
        this.bodies = new Bodies(server.bodies(), Bodies.DEADLINE);
        this.answers = new Answers(server.answers(), task -> context.runOnContext(v -> task.run()), Answers.DEADLINE);
        this.pipeline = new Pipeline(server, bodies, answers, settings.corsOrigins());
        this.connections = new IdleConnections(server.connections());
    }

    @Override
    public Future<?> start() {
        TlsFiles tls = settings.isTls() ? new TlsFiles(settings) : null;
        HttpServerOptions options = new HttpServerOptions();
        if (tls != null) {
            options.setSsl(true).setKeyCertOptions(tls.options());
        }
        HttpServer created = vertx.createHttpServer(options.setHost(settings.host())
                        .setPort(settings.port())
                        .setCompressionSupported(false)
                        // otherwise a connection is reported only after the client has sent something
                        .setHttp2ClearTextEnabled(false)
                        // no route uses web sockets, and their handlers would inspect every message
                        .setPerMessageWebSocketCompressionSupported(false)
                        .setPerFrameWebSocketCompressionSupported(false)
                        .setMaxInitialLineLength(MAX_LINE)
                        .setMaxHeaderSize(MAX_HEADERS)
                        .setTcpNoDelay(true))
                .connectionHandler(this::opened)
                .invalidRequestHandler(this::malformed)
                .requestHandler(checked(withCors(dispatcher())));
        vertx.setPeriodic(SWEEP_MILLIS, t -> connections.sweep(IdleConnections.IDLE, IdleConnections.BUSY));
        vertx.setPeriodic(BODY_SWEEP_MILLIS, t -> {
            bodies.sweep();
            answers.sweep();
        });
        server.pulses().begin(vertx);
        http = created;
        if (tls == null) {
            return created.listen();
        }
        return created.listen()
                .recover(e -> Future.failedFuture(e instanceof SocketException ? e : TlsFiles.refused(e)))
                .onSuccess(v -> tls.follow(vertx, created));
    }

    private void opened(HttpConnection connection) {
        if (connection instanceof HttpServerConnection server) {
            server.channelHandlerContext().channel().config().setRecvByteBufAllocator(READ_SIZE);
        }
        connections.opened(connection);
    }

    /** Returns the port that the server listens on; 0 before it has started. */
    public int port() {
        return http == null ? 0 : http.actualPort();
    }

    /** Answers what the decoder refuses, as a problem like every other error. */
    private void malformed(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        ServiceException failure = cause instanceof TooLongHttpLineException
                ? new ServiceException(ErrorCode.URI_TOO_LONG, "The request line is longer than " + MAX_LINE + " bytes")
                : cause instanceof TooLongHttpHeaderException
                        ? new ServiceException(
                                ErrorCode.HEADERS_TOO_LARGE, "The headers are larger than " + MAX_HEADERS + " bytes")
                        : new ServiceException(ErrorCode.INVALID, "The request is not well-formed HTTP/1.1");
        RequestContext context = context(request, Map.of());
        context.dialect = dialect(String.valueOf(request.path()));
        pipeline.refuseMalformed(context, unknown(context.dialect), failure);
    }

    /** Returns the counts of requests that match no route. */
    private RouteMetrics unknown(Dialect dialect) {
        return unknown.computeIfAbsent(dialect, d -> new RouteMetrics(server.meters(), "any", "unknown", d));
    }

    /**
     * Returns a handler that answers requests without a path. While the default key is in use it also refuses requests
     * whose {@code Host} is not this machine: a page of any site can have its own name resolve to it.
     */
    private Handler<HttpServerRequest> checked(Handler<HttpServerRequest> next) {
        return request -> {
            if (server.loopbackHostsOnly() && !Carriers.isLoopback(request.getHeader(HttpHeaders.HOST))) {
                refuse(
                        request,
                        new ServiceException(
                                ErrorCode.FORBIDDEN,
                                "With the default admin key, only requests to localhost are answered (set"
                                        + " access.admin-key)"),
                        null);
            } else if (request.method().equals(HttpMethod.CONNECT)) {
                pipeline.refuseMalformed(
                        context(request, Map.of()),
                        unknown(ApiDialect.INSTANCE),
                        new ServiceException(ErrorCode.METHOD_NOT_ALLOWED, "This service is no proxy"));
            } else if ("*".equals(request.uri())) {
                pipeline.options(context(request, Map.of()), unknown(ApiDialect.INSTANCE));
            } else {
                next.handle(request);
            }
        };
    }

    /** Returns a handler that hands each request to its route, and refuses requests that match no route. */
    private Handler<HttpServerRequest> dispatcher() {
        RouteTable<Consumer<RequestContext>> table = new RouteTable<>();
        for (Routes feature : features) {
            for (Route route : feature.routes()) {
                table.add(route, bound(route));
                dialects.add(route.dialect());
            }
        }
        return request -> {
            RouteTable.Found<Consumer<RequestContext>> found;
            try {
                found = table.find(request.method().name(), String.valueOf(request.path()));
            } catch (IllegalArgumentException e) {
                refuse(request, ServiceException.invalid("path", "is not well-formed"), null);
                return;
            }
            if (found instanceof RouteTable.Found.Match<Consumer<RequestContext>> match) {
                match.value().accept(context(request, match.parameters()));
            } else if (found instanceof RouteTable.Found.OtherMethods<Consumer<RequestContext>> other) {
                String allow = String.join(", ", other.allowed());
                refuse(
                        request,
                        new ServiceException(
                                ErrorCode.METHOD_NOT_ALLOWED,
                                request.method() + " is not allowed for this path (allowed: " + allow + ")"),
                        allow);
            } else {
                refuse(request, ServiceException.notFound("This path does not exist"), null);
            }
        };
    }

    private void refuse(HttpServerRequest request, ServiceException failure, @Nullable String allow) {
        RequestContext context = context(request, Map.of());
        context.dialect = dialect(String.valueOf(request.path()));
        pipeline.refuse(context, unknown(context.dialect), failure, allow);
    }

    /** Returns the dialect of a path without a route: that of the routes with the same root. */
    private Dialect dialect(String path) {
        for (Dialect dialect : dialects) {
            if (dialect.roots().stream().anyMatch(root -> RouteTable.isBelowRoot(path, root))) {
                return dialect;
            }
        }
        return ApiDialect.INSTANCE;
    }

    private RequestContext context(HttpServerRequest request, Map<String, String> parameters) {
        return new RequestContext(request, parameters, connections.of(request.connection()));
    }

    /** Returns the handler for requests of a route on this event loop. */
    private Consumer<RequestContext> bound(Route route) {
        RouteMetrics metrics = new RouteMetrics(server.meters(), route.method(), route.template(), route.dialect());
        if (route.handler() instanceof Route.Handler.Streaming streaming) {
            return context -> pipeline.stream(context, route, metrics, streaming.open());
        }
        Route.Handler.Answering answering = (Route.Handler.Answering) route.handler();
        String name = route.name();
        if (route.readsPast()) {
            return context -> pipeline.run(
                    context,
                    route,
                    metrics,
                    request -> request.query(Route.AT) == null
                            ? answering.answer().apply(request)
                            : forwarder.forward(name, answering.answer(), request));
        }
        return route.needsLog()
                ? context -> pipeline.run(
                        context, route, metrics, request -> forwarder.forward(name, answering.answer(), request))
                : context -> pipeline.run(context, route, metrics, answering.answer());
    }

    /** Passes requests from allowed origins through the CORS handler first, which answers preflight requests. */
    private Handler<HttpServerRequest> withCors(Handler<HttpServerRequest> next) {
        List<String> origins = settings.corsOrigins();
        if (origins.isEmpty()) {
            return next;
        }
        Router router = Router.router(vertx);
        router.route().handler(cors());
        router.route().handler(ctx -> next.handle(ctx.request()));
        return request -> {
            String origin = request.getHeader("Origin");
            // an origin that is not listed, e.g. that of this service's own pages, gets no CORS headers: the browser
            // then decides whether its page may read the response
            if (origin != null && (origins.contains("*") || origins.contains(origin))) {
                router.handle(request);
            } else {
                next.handle(request);
            }
        };
    }

    private CorsHandler cors() {
        CorsHandler cors = CorsHandler.create();
        if (settings.corsOrigins().contains("*")) {
            cors.addOrigin("*");
        } else {
            cors.addOrigins(settings.corsOrigins());
        }
        return cors.maxAgeSeconds(PREFLIGHT_SECONDS)
                .allowedMethods(
                        Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE))
                .allowedHeaders(Set.of(
                        "Authorization",
                        "Content-Type",
                        "If-Match",
                        "If-None-Match",
                        "Idempotency-Key",
                        "Last-Event-ID",
                        "X-API-Key",
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
}
