package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.flag.eval.EvaluationContext;
import dev.configservice.flag.eval.Trace;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Resource;
import dev.configservice.postgres.Select;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.snapshot.Resources;
import io.vertx.core.Future;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/** The routes of feature flags. */
public final class FlagRoutes implements Routes {
    private static final int MAX_BULK = 1000;
    private static final List<String> STALE_REASONS = List.of("expired", "settled", "unused");

    /** The statement that finds flags which are probably no longer needed. Each reason is a boolean column. */
    private static final String STALE = "select " + Resources.KEYS + """
            , expired, settled, unused
            from (
              select r.*,
                coalesce((row ->> 'expires_at')::timestamptz < now(), false) as expired,
                (row ->> 'updated_at')::timestamptz < now() - interval '30 days'
                  and (row ->> 'is_enabled' = 'false'
                       or (coalesce((row ->> 'rollout_percentage')::numeric, 100) in (0, 100)
                           and json_array_length(row -> 'target_users') = 0 and json_array_length(row -> 'rules') = 0
                           and json_array_length(row -> 'variants') <= 1)) as settled,
                (row ->> 'created_at')::timestamptz < now() - interval '30 days'
                  and not exists (select from flag_usage u where u.flag_id = r.id
                                  and u.last_at > now() - interval '30 days') as unused
              from resources r
              where kind = ?) r""";

    private static final String ORDER = "name, environment";

    private final Flags flags;
    private final Resources resources;
    private final FlagUsage usage;
    private final FlagKind kind;
    private final ResourceRoutes byId;

    public FlagRoutes(Flags flags, Resources resources, FlagUsage usage, FlagKind kind, ResourceRoutes byId) {
        this.flags = flags;
        this.resources = resources;
        this.usage = usage;
        this.kind = kind;
        this.byId = byId;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(byId.routes());
        routes.add(Route.api("GET", "/feature-flags", this::list)
                .needs(Right.READ)
                .with(Page.parameters(Map.of(
                        "environment",
                        StringRule.NAME,
                        "name",
                        StringRule.ANY,
                        "prefix",
                        StringRule.ANY,
                        "tag",
                        StringRule.ANY,
                        "owner",
                        StringRule.ANY,
                        "stale",
                        StringRule.BOOLEAN)))
                .onLog());
        routes.add(Route.api("POST", "/feature-flags/evaluate", this::evaluate).needs(Right.READ));
        routes.add(Route.api("POST", "/feature-flags/evaluate/bulk", this::evaluateBulk)
                .needs(Right.READ));
        routes.add(Route.api("GET", "/feature-flags/:id/usage", this::usage)
                .needs(Right.READ)
                .onLog());
        return routes;
    }

    private Future<Response> list(Request request) {
        String environment = request.query("environment");
        boolean stale = Boolean.TRUE.equals(request.flag("stale"));
        Page page = Page.of(request, 2);
        Caller caller = request.caller();
        Select select = stale
                ? new Select(STALE, kind.name()).where("expired or settled or unused")
                : Resources.select(kind.name());
        select.whereGiven("environment = ?", environment)
                .whereGiven("name = ?", request.query("name"))
                .wherePrefix("name", request.query("prefix"))
                .whereGiven("jsonb_exists((row -> 'tags')::jsonb, ?)", request.query("tag"))
                .whereGiven("row ->> 'owner' = ?", request.query("owner"))
                .whereWithin("environment", caller.environments().patterns(), false);
        if (!page.isFirst()) {
            select.where("(name, environment) > (?, ?)", page.after().toArray());
        }
        return stale ? stale(request, page, select) : all(request, page, select, environment);
    }

    private Future<Response> all(
            Request request, Page page, Select select, @org.jspecify.annotations.Nullable String environment) {
        long lastChange = resources.lastChange(kind.name(), environment, "");
        return resources
                .list(select, ORDER, page.limit())
                .map(found -> page.response(
                                request,
                                found,
                                r -> kind.render(r, request.caller()),
                                r -> List.of(r.name(), r.environment()))
                        .tagged(Long.toString(lastChange)));
    }

    private Future<Response> stale(Request request, Page page, Select select) {
        return resources
                .list(select, ORDER, page.limit(), ", q.expired, q.settled, q.unused", (resource, row) -> {
                    ObjectNode o = kind.render(resource, request.caller());
                    ArrayNode why = o.putArray("stale_reasons");
                    for (String reason : STALE_REASONS) {
                        if (Boolean.TRUE.equals(row.getBoolean(reason))) {
                            why.add(reason);
                        }
                    }
                    return o;
                })
                .map(found -> page.response(
                        request,
                        found,
                        o -> o,
                        o -> List.of(
                                o.get("name").textValue(), o.get("environment").textValue())));
    }

    private Future<Response> evaluate(Request request) {
        FieldReader fields = FieldReader.read(request.object());
        String name = fields.required("flag_name", FlagFormat.NAME);
        String environment = environment(fields);
        EvaluationContext context = context(fields);
        JsonNode otherwise = fields.value("default_value");
        boolean explain = Boolean.TRUE.equals(fields.bool("explain"));
        fields.done();
        request.caller().require(Right.READ, environment, "");
        return flags.evaluate(environment, name, context, explain, request.minRevision())
                .map(answer -> {
                    RenderedEvaluation evaluation = answer.evaluations().get(0);
                    if (otherwise == null && answer.trace() == null) {
                        return Response.ready(Response.JSON, evaluation.body()).asOf(answer.asOf(), answer.outdated());
                    }
                    ObjectNode o = evaluation.render(otherwise);
                    if (answer.trace() != null) {
                        ArrayNode steps = o.putArray("steps");
                        for (Trace.Step step : answer.trace().steps()) {
                            steps.addObject().put("step", step.step()).put("result", step.result());
                        }
                    }
                    return Response.json(200, o).asOf(answer.asOf(), answer.outdated());
                });
    }

    private Future<Response> evaluateBulk(Request request) {
        FieldReader fields = FieldReader.read(request.object());
        String environment = environment(fields);
        EvaluationContext context = context(fields);
        List<String> names = fields.texts("flag_names", FlagFormat.NAME, MAX_BULK);
        fields.done();
        request.caller().require(Right.READ, environment, "");
        return flags.evaluateAll(
                        environment, names == null ? null : new LinkedHashSet<>(names), context, request.minRevision())
                .map(answer -> Response.ready(Response.JSON, RenderedEvaluation.body(answer.evaluations()))
                        .asOf(answer.asOf(), answer.outdated()));
    }

    private String environment(FieldReader fields) {
        String environment = fields.text("environment", StringRule.NAME);
        return environment == null ? flags.defaultEnvironment() : environment;
    }

    private static EvaluationContext context(FieldReader fields) {
        String user = fields.text("user_id", FlagFormat.USER);
        JsonNode context = fields.node("context");
        if (context != null && !context.isObject()) {
            fields.error("context", "must be an object");
        }
        return Flags.context(user, context != null && context.isObject() ? context : null);
    }

    private Future<Response> usage(Request request) {
        return byId.find(request).compose(found -> {
            Resource flag = found.present();
            request.caller().require(Right.READ, flag.environment(), "");
            return usage.read(flag.id()).map(lines -> {
                ObjectNode body = Json.object();
                body.put("flag_id", flag.id());
                Instant last = null;
                ArrayNode items = Json.object().arrayNode();
                for (FlagUsage.Line line : lines) {
                    last = last == null || line.lastAt().isAfter(last) ? line.lastAt() : last;
                    items.addObject()
                            .put("hour", Json.time(line.hour()))
                            .put("variant", line.variant().isEmpty() ? null : line.variant())
                            .put("reason", line.reason())
                            .put("evaluations", line.evaluations());
                }
                body.put("last_evaluated_at", last == null ? null : Json.time(last));
                body.set("items", items);
                return Response.json(200, body);
            });
        });
    }
}
