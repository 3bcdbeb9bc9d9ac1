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
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The routes of configurations. */
public final class ConfigurationRoutes implements Routes {
    /** A service name, or an empty string for the shared configurations. */
    private static final int MAX_BULK = 500;
    /** The query parameter that asks where each configuration comes from. */
    private static final String EXPLAIN = "explain";

    /** The query parameter that asks for encrypted values not to be shown, also to those who may see them. */
    private static final String SECRETS = "secrets";

    private static final StringRule OMITTED = StringRule.oneOf(List.of("omit"));

    /** The query parameter that asks for the last states of what was deleted. */
    private static final String DELETED = "deleted";

    /** The number of configurations of an environment up to which they can be listed as of an earlier moment. */
    private static final int MAX_LISTED = 20_000;

    /** The length of configurations from which rendering them takes too long for an event loop. */
    private static final int LARGE_CHARS = 256 << 10;

    private final Configurations configurations;
    private final Resources resources;
    private final ConfigurationKind kind;
    private final PastSnapshots past;
    private final ResourceRoutes byId;

    public ConfigurationRoutes(
            Configurations configurations,
            Resources resources,
            PastSnapshots past,
            ConfigurationKind kind,
            ResourceRoutes byId) {
        this.configurations = configurations;
        this.resources = resources;
        this.past = past;
        this.kind = kind;
        this.byId = byId;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(byId.writing());
        routes.add(Route.api("GET", "/config", this::list)
                .needs(Right.READ)
                .with(Page.parameters(Map.ofEntries(
                        Map.entry("environment", StringRule.NAME),
                        Map.entry("service_name", StringRule.NAME_OR_NONE),
                        Map.entry("prefix", StringRule.ANY),
                        Map.entry("q", StringRule.ANY),
                        Map.entry("is_encrypted", StringRule.BOOLEAN),
                        Map.entry(ListOrder.PARAMETER, ListOrder.RULE),
                        Map.entry(DELETED, StringRule.BOOLEAN),
                        Map.entry(SECRETS, OMITTED),
                        Map.entry(Route.AT, PastSnapshots.MOMENT))))
                .onLog());
        routes.add(Route.api("POST", "/config/bulk", this::bulk).with(Map.of(Route.AT, PastSnapshots.MOMENT)));
        routes.add(Route.api("GET", "/config/service/:service_name", this::ofService)
                .needs(Right.READ)
                .with(Map.of(
                        "environment",
                        StringRule.NAME,
                        "format",
                        FlatDocument.FORMAT,
                        SECRETS,
                        OMITTED,
                        EXPLAIN,
                        StringRule.BOOLEAN,
                        Route.AT,
                        PastSnapshots.MOMENT)));
        routes.add(Route.api("GET", "/config/:id", this::get)
                .with(Map.of(
                        "environment",
                        StringRule.NAME,
                        "service_name",
                        StringRule.NAME,
                        "is_encrypted",
                        StringRule.BOOLEAN,
                        SECRETS,
                        OMITTED,
                        EXPLAIN,
                        StringRule.BOOLEAN,
                        Route.AT,
                        PastSnapshots.MOMENT)));
        return routes;
    }

    private Future<Response> get(Request request) {
        String key = request.parameter("id");
        String at = request.query(Route.AT);
        boolean isExplained = Boolean.TRUE.equals(request.flag(EXPLAIN));
        if (Ids.isId(key)) {
            if (isExplained) {
                throw ServiceException.invalid(EXPLAIN, "needs a key: an id is of one configuration");
            }
            if (at == null && request.query(SECRETS) != null) {
                return byId.find(request).map(found -> masked(found, request));
            }
            return byId.get(request);
        }
        String environment = environment(request);
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        if (at != null) {
            return past.at(
                    at,
                    (reads, revision) -> configurations
                            .viewAt(reads, environment, service, revision)
                            .map(view -> asOf(view, getAt(request, view, key, environment, service, encrypted))));
        }
        return Futures.map(configurations.view(environment, service, request.minRevision()), view -> {
            VisibleConfiguration found = view.get(key);
            if (found == null || (encrypted != null && encrypted != found.isSealed())) {
                request.caller().require(Right.READ, environment, service == null ? "" : service);
                throw ServiceException.notFound("Configuration '" + shown(key) + "' does not exist in environment '"
                        + environment + "'" + (service == null ? "" : " for service '" + service + "'"));
            }
            if (isExplained) {
                kind.requireRead(found.resource(), request.caller());
                kind.noteRead(found.resource(), request.caller(), request.id());
                return asOf(view, explained(request, view, found));
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

    private Response masked(Resources.Found found, Request request) {
        Resource r = found.present();
        request.caller().require(Right.READ, r.environment(), r.serviceName());
        return Response.json(200, kind.render(r, request.caller().withoutSecrets()))
                .tagged(r.revision() + (r.isSealed() ? "-m" : ""))
                .asOf(found.snapshot().asOf().revision(), found.snapshot().isOutdated());
    }

    private Response getAt(
            Request request,
            Configurations.View view,
            String key,
            String environment,
            @Nullable String service,
            @Nullable Boolean encrypted) {
        VisibleConfiguration found = view.get(key);
        if (found == null || (encrypted != null && encrypted != found.isSealed())) {
            request.caller().require(Right.READ, environment, service == null ? "" : service);
            throw ServiceException.notFound("Configuration '" + shown(key) + "' did not exist in environment '"
                    + environment + "' at revision " + view.asOf());
        }
        request.caller().require(Right.READ, environment, service == null || found.isShared() ? "" : service);
        return Boolean.TRUE.equals(request.flag(EXPLAIN))
                ? explained(request, view, found)
                : Response.json(200, kind.render(found.resource(), reader(request)))
                        .tagged(found.revision() + (found.isSealed() ? "-m" : ""));
    }

    /** Shows a configuration, and where it comes from. */
    private Response explained(Request request, Configurations.View view, VisibleConfiguration found) {
        Caller caller = reader(request);
        ObjectNode shown = kind.render(found.resource(), caller);
        VisibleConfiguration overridden = view.overriddenBy(found);
        long last = Math.max(found.revision(), overridden == null ? 0 : overridden.revision());
        boolean isMasked = kind.isMasked(found.resource(), caller)
                || (overridden != null && kind.isMasked(overridden.resource(), caller));
        shown.set("origin", origin(request, found, overridden, caller));
        return Response.json(200, shown)
                .tagged(last + (isMasked ? "-m" : ""))
                .asSecret(showsSecret(found, caller) || (overridden != null && showsSecret(overridden, caller)));
    }

    private boolean showsSecret(VisibleConfiguration configuration, Caller caller) {
        return configuration.isSealed() && !kind.isMasked(configuration.resource(), caller);
    }

    /** Returns the layer of a configuration, and the shared one that it takes the place of. */
    private ObjectNode origin(
            Request request, VisibleConfiguration found, @Nullable VisibleConfiguration overridden, Caller caller) {
        ObjectNode origin = Json.object().put("layer", found.isShared() ? "shared" : "own");
        if (overridden == null) {
            return origin.putNull("overrides");
        }
        Resource r = overridden.resource();
        kind.noteRead(r, caller, request.id());
        ObjectNode shown = kind.render(r, caller);
        ObjectNode overrides = Json.object();
        for (String field : List.of("id", "version", "revision", "value")) {
            overrides.set(field, shown.get(field));
        }
        return (ObjectNode) origin.set("overrides", overrides);
    }

    private static String shown(String key) {
        return ConfigurationKind.KEY.problem(key) == null ? key : "(not a valid key)";
    }

    private static Response asOf(Configurations.View view, Response response) {
        return view.isPast() ? response.at(view.asOf()) : response.asOf(view.asOf(), view.isOutdated());
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
        boolean isExplained = Boolean.TRUE.equals(request.flag(EXPLAIN));
        if (isExplained && document != null) {
            throw ServiceException.invalid(EXPLAIN, "cannot be shown in a flat document");
        }
        Caller caller = request.caller();
        caller.require(Right.READ, environment, service);
        boolean isPlain =
                document == null && !isExplained && !caller.has(Right.AUDIT_READ) && !caller.has(Right.SECRETS_READ);
        return withView(
                request,
                environment,
                service,
                read -> Futures.then(read.whole(), view -> {
                    if (isPlain) {
                        return Future.succeededFuture(asOf(
                                view,
                                Response.ready(Response.JSON, view.json())
                                        .tagged(view.lastChange() + (view.hasSealed() ? "-m" : ""))));
                    }
                    return view.isLarge()
                            ? configurations.whenItsTurn(() -> asOf(view, written(view, document, request)))
                            : Future.succeededFuture(asOf(view, written(view, document, request)));
                }));
    }

    /** Answers with what a service sees, or saw at the moment that a request asks for. */
    private Future<Response> withView(
            Request request,
            String environment,
            @Nullable String service,
            Function<Configurations.View, Future<Response>> answer) {
        String at = request.query(Route.AT);
        return at == null
                ? Futures.then(configurations.view(environment, service, request.minRevision()), answer)
                : past.at(
                        at,
                        (reads, revision) -> configurations
                                .viewAt(reads, environment, service, revision)
                                .compose(answer));
    }

    /** Returns the caller of a request. Of an earlier state, nobody may see encrypted values. */
    private static Caller reader(Request request) {
        return request.query(Route.AT) == null && request.query(SECRETS) == null
                ? request.caller()
                : request.caller().withoutSecrets();
    }

    /** Renders all configurations that a service sees. Values that the caller may not see are masked. */
    private Response written(Configurations.View view, @Nullable FlatDocument document, Request request) {
        Caller caller = reader(request);
        boolean actors = caller.has(Right.AUDIT_READ);
        boolean isExplained = Boolean.TRUE.equals(request.flag(EXPLAIN));
        boolean secrets = false;
        boolean masked = false;
        Buffer all = Buffer.buffer("[");
        ObjectNode flat = Json.object();
        for (VisibleConfiguration configuration : view.all()) {
            Resource r = configuration.resource();
            boolean hidden = kind.isMasked(r, caller);
            kind.noteRead(r, caller, request.id());
            ObjectNode rendered =
                    document != null || isExplained || (r.isSealed() && !hidden) ? kind.render(r, caller) : null;
            if (isExplained && rendered != null) {
                VisibleConfiguration overridden = view.overriddenBy(configuration);
                rendered.set("origin", origin(request, configuration, overridden, caller));
                secrets |= overridden != null && showsSecret(overridden, caller);
                masked |= overridden != null && kind.isMasked(overridden.resource(), caller);
            }
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

    /** Returns a page of the configurations of an environment at an earlier moment. */
    private Future<Response> listAt(Request request, String moment) {
        String environment = request.query("environment");
        if (environment == null) {
            throw ServiceException.invalid("environment", "is required with at");
        }
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        String prefix = request.query("prefix");
        String part = request.query("q");
        ListOrder order = ListOrder.of(request.query(ListOrder.PARAMETER));
        Page page = order.page(request);
        Caller caller = reader(request);
        return past.at(
                moment,
                (reads, revision) -> reads.resources(kind.name(), environment, service, revision, MAX_LISTED + 1)
                        .compose(all -> Futures.onWorker(() -> {
                            if (all.size() > MAX_LISTED) {
                                throw ServiceException.invalid(
                                        "service_name", "is required: the environment holds too much for a list");
                            }
                            List<Resource> found = all.stream()
                                    .filter(r -> caller.may(Right.READ, r.environment(), r.serviceName()))
                                    .filter(r -> prefix == null || r.name().startsWith(prefix))
                                    .filter(r -> part == null || kind.words(r).contains(ConfigurationKind.words(part)))
                                    .filter(r -> encrypted == null || encrypted == r.isSealed())
                                    .sorted(order)
                                    .filter(r -> page.isFirst() || order.isAfter(r, page.after()))
                                    .limit(page.limit() + 1L)
                                    .toList();
                            return page.response(request, found, r -> kind.render(r, caller), order::key)
                                    .at(revision);
                        })));
    }

    private Future<Response> list(Request request) {
        String moment = request.query(Route.AT);
        boolean isOfDeleted = Boolean.TRUE.equals(request.flag(DELETED));
        if (moment != null) {
            if (isOfDeleted) {
                throw ServiceException.invalid(DELETED, "is told only of now: it cannot be asked for with at");
            }
            return listAt(request, moment);
        }
        String environment = request.query("environment");
        String service = request.query("service_name");
        Boolean encrypted = request.flag("is_encrypted");
        String part = request.query("q");
        ListOrder order = ListOrder.of(request.query(ListOrder.PARAMETER));
        Page page = order.page(request);
        // of what was deleted, nobody sees encrypted values, as in its history
        Caller caller = isOfDeleted ? request.caller().withoutSecrets() : reader(request);
        long lastChange = resources.lastChange(kind.name(), environment, service);
        String words = isOfDeleted ? "lower(name || E'\\n' || coalesce(row ->> 'description', ''))" : "words";
        Select select = (isOfDeleted ? Resources.selectDeleted(kind.name()) : Resources.select(kind.name()))
                .whereGiven("environment = ?", environment)
                .whereGiven("service_name = ?", service)
                .wherePrefix("name", request.query("prefix"))
                .whereContains(words, part == null ? null : ConfigurationKind.words(part))
                .whereWithin("environment", caller.environments().patterns(), false)
                .whereWithin("service_name", caller.serviceNames().patterns(), true);
        if (encrypted != null) {
            select.where(encrypted ? "sealed is not null" : "sealed is null");
        }
        if (!page.isFirst()) {
            select.where(order.after(), order.values(page.after()));
        }
        return (isOfDeleted
                        ? resources.listDeleted(select, order.sql(), page.limit())
                        : resources.list(select, order.sql(), page.limit()))
                .map(found -> page.response(
                                request,
                                found,
                                r -> {
                                    kind.noteRead(r, caller, request.id());
                                    return kind.render(r, caller);
                                },
                                order::key)
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
        Caller caller = reader(request);
        caller.require(Right.READ, environment, service == null ? "" : service);
        return withView(
                request,
                environment,
                service,
                view -> length(view, wanted) > LARGE_CHARS
                        ? configurations.whenItsTurn(() -> bulk(view, wanted, caller, request))
                        : Future.succeededFuture(bulk(view, wanted, caller, request)));
    }

    private static long length(Configurations.View view, List<String> keys) {
        long chars = 0;
        for (String key : keys) {
            VisibleConfiguration found = view.get(key);
            chars += found == null ? 0 : found.resource().row().length();
        }
        return chars;
    }

    private Response bulk(Configurations.View view, List<String> keys, Caller caller, Request request) {
        ObjectNode body = Json.object();
        ObjectNode items = body.putObject("items");
        ArrayNode missing = body.putArray("missing");
        boolean secrets = false;
        for (String key : keys) {
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
    }
}
