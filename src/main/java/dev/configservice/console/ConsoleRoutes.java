package dev.configservice.console;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Pages;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.secret.Sha256;
import dev.configservice.settings.ConsoleSettings;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The routes of the console. The page names its files by the digest of all of them, so that a browser keeps them for as
 * long as it likes and never mixes two releases. All links are relative, so a proxy may put a path in front.
 */
public final class ConsoleRoutes implements Routes {
    private static final String FOLDER = "/console/";
    private static final String WEBJARS = "/META-INF/resources/webjars/";
    private static final String JAVASCRIPT = "text/javascript; charset=utf-8";
    private static final String CSS = "text/css; charset=utf-8";
    private static final String DIGEST = "@digest@";

    /** The files of the console, below its folder. */
    private static final List<String> OWN = List.of(
            "app.css",
            "app.js",
            "api.js",
            "bucket.js",
            "compare.js",
            "config.js",
            "diff.js",
            "document.js",
            "flags.js",
            "json.js",
            "login.js",
            "operations.js",
            "registry.js",
            "route.js",
            "rules.js",
            "templates.js",
            "trail.js",
            "ui.js",
            "write.js",
            "icon.svg");

    /** The files of libraries, by the name under which they are served. */
    private static final Map<String, String> LIBRARIES = Map.of(
            "lit-html.js", "lit-html/3.3.2/lit-html.js",
            "uplot.js", "uplot/1.6.30/dist/uPlot.iife.min.js",
            "uplot.css", "uplot/1.6.30/dist/uPlot.min.css",
            "diff-lib.js", "diff/5.1.0/dist/diff.min.js",
            "yaml-lib.js", "js-yaml/4.1.1/dist/js-yaml.min.js");

    private final ConsoleSettings settings;
    private final String publicPath;
    private final @Nullable String issuer;
    private final Map<String, byte[]> files = new TreeMap<>();
    private final String digest;
    private final byte[] page;

    /**
     * Creates the routes, and reads all files.
     *
     * @param publicPath the path that a proxy puts in front; empty for none
     * @param issuer the issuer of tokens; null if there is none
     */
    public ConsoleRoutes(ConsoleSettings settings, String publicPath, @Nullable String issuer) {
        this.settings = settings;
        this.publicPath = publicPath;
        this.issuer = issuer;
        StringBuilder all = new StringBuilder();
        OWN.forEach(file -> files.put(file, Pages.resource(FOLDER + file)));
        LIBRARIES.forEach((file, path) -> files.put(file, Pages.resource(WEBJARS + path)));
        files.forEach(
                (file, bytes) -> all.append(file).append(Sha256.hex(new String(bytes, StandardCharsets.ISO_8859_1))));
        digest = Sha256.hex(all.toString()).substring(0, 16);
        page = new String(Pages.resource(FOLDER + "index.html"), StandardCharsets.UTF_8)
                .replace(DIGEST, digest)
                .getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public List<Route> routes() {
        if (!settings.enabled()) {
            return List.of();
        }
        return List.of(
                Route.root(
                        "/",
                        r -> Future.succeededFuture(Response.empty(302).header("Location", publicPath + "/console/"))),
                // an issuer of tokens leads back with parameters of its own
                Route.root("/console", this::page).with(Map.of("*", StringRule.ANY)),
                Route.root("/console/settings.json", r -> Future.succeededFuture(settings())),
                Route.root("/console/files/:digest/:file", this::file));
    }

    private Future<Response> page(Request request) {
        // relative links need the slash at the end
        return Future.succeededFuture(
                request.path().endsWith("/")
                        ? Pages.secured(Response.bytes(200, "text/html; charset=utf-8", page), issuer)
                                .tagged(digest)
                        : Response.empty(302).header("Location", publicPath + "/console/"));
    }

    private Future<Response> file(Request request) {
        byte[] bytes = files.get(request.parameter("file"));
        if (bytes == null || !request.parameter("digest").equals(digest)) {
            throw ServiceException.notFound("This path does not exist");
        }
        String file = request.parameter("file");
        String type = file.endsWith(".css") ? CSS : file.endsWith(".svg") ? "image/svg+xml" : JAVASCRIPT;
        return Future.succeededFuture(Response.bytes(200, type, bytes)
                .header("Cache-Control", "max-age=31536000, immutable")
                .header("X-Content-Type-Options", "nosniff"));
    }

    /** Returns what the page must know. Nothing of it is secret. */
    private Response settings() {
        ObjectNode body = Json.object();
        body.set("production", Json.tree(settings.production()));
        body.put("comment_required", settings.commentRequired());
        if (settings.oidcClientId().isEmpty() || issuer == null) {
            body.putNull("oidc");
        } else {
            body.putObject("oidc").put("issuer", issuer).put("client_id", settings.oidcClientId());
        }
        return Response.json(200, body).header("X-Content-Type-Options", "nosniff");
    }
}
