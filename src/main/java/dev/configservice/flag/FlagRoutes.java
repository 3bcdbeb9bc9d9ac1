package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
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
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import dev.configservice.postgres.Select;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import io.vertx.core.Future;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

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

    private static final String USAGE = "usage";

    private final Flags flags;
    private final Resources resources;
    private final PastSnapshots past;
    private final FlagUsage usage;
    private final FlagKind kind;
    private final ResourceRoutes byId;

    public FlagRoutes(
            Flags flags, Resources resources, PastSnapshots past, FlagUsage usage, FlagKind kind, ResourceRoutes byId) {
        this.flags = flags;
        this.resources = resources;
        this.past = past;
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
                        StringRule.BOOLEAN,
                        USAGE,
                        StringRule.BOOLEAN,
                        Route.AT,
                        PastSnapshots.MOMENT)))
                .onLog());
        routes.add(Route.api("POST", "/feature-flags/evaluate", this::evaluate)
                .needs(Right.READ)
                .with(Map.of(Route.AT, PastSnapshots.MOMENT)));
        routes.add(Route.api("POST", "/feature-flags/evaluate/bulk", this::evaluateBulk)
                .needs(Right.READ)
                .with(Map.of(Route.AT, PastSnapshots.MOMENT)));
        routes.add(Route.api("GET", "/feature-flags/:id/" + USAGE, this::usage)
                .needs(Right.READ)
                .onLog());
        return routes;
    }

    private Future<Response> list(Request request) {
        String environment = request.query("environment");
        boolean stale = Boolean.TRUE.equals(request.flag("stale"));
        boolean withUsage = Boolean.TRUE.equals(request.flag(USAGE));
        String moment = request.query(Route.AT);
        if (withUsage && (moment != null || stale)) {
            throw ServiceException.invalid(USAGE, "is told only of now and of all flags: not with at or stale");
        }
        if (moment != null) {
            return listAt(request, moment, stale);
        }
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
        return stale
                ? stale(request, page, select)
                : withUsage ? withUsage(request, page, select) : all(request, page, select, environment);
    }

    /** Returns a page of the flags of an environment at an earlier moment. */
    private Future<Response> listAt(Request request, String moment, boolean stale) {
        String environment = request.query("environment");
        if (environment == null) {
            throw ServiceException.invalid("environment", "is required with at");
        }
        if (stale) {
            throw ServiceException.invalid("stale", "is told only of now: it cannot be asked for with at");
        }
        Page page = Page.of(request, 2);
        request.caller().require(Right.READ, environment, "");
        String name = request.query("name");
        String prefix = request.query("prefix");
        String tag = request.query("tag");
        String owner = request.query("owner");
        return past.at(
                moment,
                (reads, revision) -> reads.get(FlagFormat.unit(environment), revision)
                        .map(snapshot -> {
                            List<Resource> found = StreamSupport.stream(
                                            snapshot.resources().spliterator(), false)
                                    .filter(r -> name == null || name.equals(r.name()))
                                    .filter(r -> prefix == null || r.name().startsWith(prefix))
                                    .filter(r -> matches(r, tag, owner))
                                    .filter(r -> page.isFirst()
                                            || CodePointOrder.INSTANCE.compare(
                                                            r.name(),
                                                            page.after().get(0))
                                                    > 0)
                                    .limit(page.limit() + 1L)
                                    .toList();
                            return page.response(
                                            request,
                                            found,
                                            r -> kind.render(r, request.caller()),
                                            r -> List.of(r.name(), r.environment()))
                                    .at(revision);
                        }));
    }

    private static boolean matches(Resource flag, @Nullable String tag, @Nullable String owner) {
        if (tag == null && owner == null) {
            return true;
        }
        JsonNode row = flag.row().fields();
        boolean hasTag = tag == null;
        for (JsonNode t : row.path("tags")) {
            hasTag |= t.asText().equals(tag);
        }
        return hasTag && (owner == null || owner.equals(row.path("owner").asText(null)));
    }

    private Future<Response> all(Request request, Page page, Select select, @Nullable String environment) {
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

    /** Returns a page of flags, each with the time of its last evaluation. It has no tag: such times come without a revision. */
    private Future<Response> withUsage(Request request, Page page, Select select) {
        return resources
                .list(select, ORDER, page.limit())
                .compose(found -> usage.lastEvaluated(
                                found.items().stream().map(Resource::id).toList())
                        .map(last -> page.response(
                                request,
                                found,
                                r -> {
                                    Instant at = last.get(r.id());
                                    return kind.render(r, request.caller())
                                            .put("last_evaluated_at", at == null ? null : Json.time(at));
                                },
                                r -> List.of(r.name(), r.environment()))));
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
        String at = request.query(Route.AT);
        Future<EvaluationResult> evaluated = at == null
                ? flags.evaluate(environment, name, context, explain, request.minRevision())
                : past.at(
                        at,
                        (reads, moment) ->
                                flags.evaluateAt(reads, environment, Set.of(name), context, explain, moment));
        return evaluated.map(answer -> {
            RenderedEvaluation evaluation = answer.evaluations().get(0);
            if (otherwise == null && answer.trace() == null) {
                return dated(Response.ready(Response.JSON, evaluation.body()), answer, at);
            }
            ObjectNode o = evaluation.render(otherwise);
            if (answer.trace() != null) {
                ArrayNode steps = o.putArray("steps");
                for (Trace.Step step : answer.trace().steps()) {
                    steps.addObject().put("step", step.step()).put("result", step.result());
                }
            }
            return dated(Response.json(200, o), answer, at);
        });
    }

    private Future<Response> evaluateBulk(Request request) {
        FieldReader fields = FieldReader.read(request.object());
        String environment = environment(fields);
        EvaluationContext context = context(fields);
        List<String> names = fields.texts("flag_names", FlagFormat.NAME, MAX_BULK);
        fields.done();
        request.caller().require(Right.READ, environment, "");
        Set<String> wanted = names == null ? null : new LinkedHashSet<>(names);
        String at = request.query(Route.AT);
        Future<EvaluationResult> evaluated = at == null
                ? flags.evaluateAll(environment, wanted, context, request.minRevision())
                : past.at(at, (reads, moment) -> flags.evaluateAt(reads, environment, wanted, context, false, moment));
        return evaluated.map(answer ->
                dated(Response.ready(Response.JSON, RenderedEvaluation.body(answer.evaluations())), answer, at));
    }

    private static Response dated(Response response, EvaluationResult of, @Nullable String at) {
        return at == null ? response.asOf(of.asOf(), of.outdated()) : response.at(of.asOf());
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
