package dev.configservice.config;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.postgres.Select;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The routes of configurations. */
public final class ConfigurationRoutes implements Routes {
    /** A service name, or an empty string for the shared configurations. */
    private static final StringRule NAME_OR_NONE = text -> text.isEmpty() ? null : StringRule.NAME.problem(text);

    private static final int MAX_BULK = 500;

    private final Configurations configurations;
    private final Resources resources;
    private final ConfigurationKind kind;
    private final ResourceRoutes byId;

    public ConfigurationRoutes(
            Configurations configurations, Resources resources, ConfigurationKind kind, ResourceRoutes byId) {
        this.configurations = configurations;
        this.resources = resources;
        this.kind = kind;
        this.byId = byId;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(byId.writing());
        routes.add(Route.api("GET", "/config", this::list)
                .needs(Right.READ)
                .with(Page.parameters(Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        NAME_OR_NONE,
                        "prefix",
                        StringRule.ANY,
                        "q",
                        StringRule.ANY,
                        "is_encrypted",
                        StringRule.BOOLEAN)))
                .onLog());
        routes.add(Route.api("POST", "/config/bulk", this::bulk));
        routes.add(Route.api("GET", "/config/service/:service_name", this::ofService)
                .needs(Right.READ)
                .with(Map.of("environment", StringRule.NAME, "format", FlatDocument.FORMAT)));
        routes.add(Route.api("GET", "/config/:id", this::get)
                .with(Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        StringRule.NAME,
                        "is_encrypted",
                        StringRule.BOOLEAN)));
        return routes;
    }

    private Future<Response> get(Request request) {
        String key = request.parameter("id");
        if (Ids.isId(key)) {
            return byId.get(request);
        }
        String environment = environment(request);
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        return Futures.map(configurations.view(environment, service, request.minRevision()), view -> {
            VisibleConfiguration found = view.get(key);
            if (found == null || (encrypted != null && encrypted != found.isSealed())) {
                request.caller().require(Right.READ, environment, service == null ? "" : service);
                throw ServiceException.notFound("Configuration '" + shown(key) + "' does not exist in environment '"
                        + environment + "'" + (service == null ? "" : " for service '" + service + "'"));
            }
            if (!found.isSealed() && !request.caller().has(Right.AUDIT_READ)) {
                // the JSON without actors and encrypted values is cached
                request.caller().require(Right.READ, environment, service == null || found.isShared() ? "" : service);
                return asOf(
                        view,
                        Response.ready(Response.JSON, Buffer.buffer(found.json()))
                                .tagged(Long.toString(found.revision())));
            }
            return asOf(view, byId.read(found.resource(), request));
        });
    }

    private static String shown(String key) {
        return ConfigurationKind.KEY.problem(key) == null ? key : "(not a valid key)";
    }

    private static Response asOf(Configurations.View view, Response response) {
        return response.asOf(view.asOf(), view.isOutdated());
    }

    private String environment(Request request) {
        String environment = request.query("environment");
        return environment == null ? configurations.defaultEnvironment() : environment;
    }

    private Future<Response> ofService(Request request) {
        String service = request.parameter("service_name");
        String problem = StringRule.NAME.problem(service);
        if (problem != null) {
            throw ServiceException.invalid("service_name", problem);
        }
        String environment = environment(request);
        String format = request.query("format");
        FlatDocument document = format == null ? null : FlatDocument.of(format);
        Caller caller = request.caller();
        caller.require(Right.READ, environment, service);
        Future<Configurations.View> whole = Futures.then(
                configurations.view(environment, service, request.minRevision()), Configurations.View::whole);
        return Futures.then(whole, view -> {
            if (document == null && !caller.has(Right.AUDIT_READ) && !caller.has(Right.SECRETS_READ)) {
                return Future.succeededFuture(asOf(
                        view,
                        Response.ready(Response.JSON, view.json())
                                .tagged(view.lastChange() + (view.hasSealed() ? "-m" : ""))));
            }
            return view.isLarge()
                    ? Futures.onWorker(() -> asOf(view, written(view, document, request)))
                    : Future.succeededFuture(asOf(view, written(view, document, request)));
        });
    }

    /** Renders all configurations that a service sees. Values that the caller may not see are masked. */
    private Response written(Configurations.View view, @Nullable FlatDocument document, Request request) {
        Caller caller = request.caller();
        boolean actors = caller.has(Right.AUDIT_READ);
        boolean secrets = false;
        boolean masked = false;
        Buffer all = Buffer.buffer("[");
        ObjectNode flat = Json.object();
        for (VisibleConfiguration configuration : view.all()) {
            Resource r = configuration.resource();
            boolean hidden = kind.isMasked(r, caller);
            kind.noteRead(r, caller, request.id());
            ObjectNode rendered = document != null || (r.isSealed() && !hidden) ? kind.render(r, caller) : null;
            secrets |= r.isSealed() && !hidden;
            hidden |= rendered != null && rendered.has(ConfigurationKind.UNREADABLE);
            masked |= hidden;
            if (document == null) {
                byte[] json = rendered != null
                        ? Json.bytes(rendered)
                        : actors ? configuration.jsonWithActors() : configuration.json();
                all.appendString(all.length() > 1 ? "," : "").appendBytes(json);
            } else if (rendered != null && !hidden) {
                flat.set(r.name(), rendered.get("value"));
            }
        }
        Response response = document == null
                ? Response.ready(Response.JSON, all.appendString("]"))
                : Response.text(document.contentType(), document.write(flat));
        return response.tagged(view.lastChange() + (masked ? "-m" : "")).asSecret(secrets);
    }

    private Future<Response> list(Request request) {
        String environment = request.query("environment");
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        String part = request.query("q");
        Page page = Page.of(request, 3);
        Caller caller = request.caller();
        long lastChange = resources.lastChange(kind.name(), environment, service);
        Select select = Resources.select(kind.name())
                .whereGiven("environment = ?", environment)
                .whereGiven("service_name = ?", service)
                .wherePrefix("name", request.query("prefix"))
                .whereContains("words", part == null ? null : ConfigurationKind.words(part))
                .whereWithin("environment", caller.environments().patterns(), false)
                .whereWithin("service_name", caller.serviceNames().patterns(), true);
        if (encrypted != null) {
            select.where(encrypted ? "sealed is not null" : "sealed is null");
        }
        if (!page.isFirst()) {
            select.where(
                    "(name, environment, service_name) > (?, ?, ?)",
                    page.after().toArray());
        }
        return resources
                .list(select, "name, environment, service_name", page.limit())
                .map(found -> page.response(
                                request,
                                found,
                                r -> {
                                    kind.noteRead(r, caller, request.id());
                                    return kind.render(r, caller);
                                },
                                r -> List.of(r.name(), r.environment(), r.serviceName()))
                        .tagged(lastChange
                                + (found.items().stream().anyMatch(r -> kind.isMasked(r, caller)) ? "-m" : ""))
                        .asSecret(found.items().stream().anyMatch(r -> r.isSealed() && !kind.isMasked(r, caller))));
    }

    private Future<Response> bulk(Request request) {
        FieldReader fields = FieldReader.read(request.object());
        String environment = fields.required("environment", StringRule.NAME);
        String service = fields.text("service_name", StringRule.NAME);
        List<String> keys = fields.texts("keys", ConfigurationKind.KEY, MAX_BULK);
        if (!fields.has("keys")) {
            fields.error("keys", "is required");
        }
        fields.done();
        List<String> wanted = keys == null ? List.of() : keys;
        Caller caller = request.caller();
        caller.require(Right.READ, environment, service == null ? "" : service);
        return Futures.map(configurations.view(environment, service, request.minRevision()), view -> {
            ObjectNode body = Json.object();
            ObjectNode items = body.putObject("items");
            ArrayNode missing = body.putArray("missing");
            boolean secrets = false;
            for (String key : wanted) {
                VisibleConfiguration found = view.get(key);
                if (found == null) {
                    missing.add(key);
                } else {
                    Resource r = found.resource();
                    secrets |= r.isSealed() && !kind.isMasked(r, caller);
                    kind.noteRead(r, caller, request.id());
                    items.set(key, kind.render(r, caller));
                }
            }
            return asOf(view, Response.json(200, body).asSecret(secrets));
        });
    }
}
