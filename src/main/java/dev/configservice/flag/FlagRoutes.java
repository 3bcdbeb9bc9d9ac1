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
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/** The routes of feature flags. */
public final class FlagRoutes implements Routes {
    private static final Pattern NAME_FORM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}");
    static final StringRule NAME = text -> {
        if (!NAME_FORM.matcher(text).matches()) {
            return "must be 1 to 100 of A-Z a-z 0-9 . _ : - and start with a letter, a digit or _";
        }
        return Ids.isId(text) ? "may not look like a UUID" : null;
    };
    private static final StringRule DESCRIPTION = StringRule.text(0, 2000);
    private static final StringRule SHORT = StringRule.text(1, 200);
    private static final StringRule USER = StringRule.text(0, 1000);
    private static final int MAX_USERS = 10_000;
    private static final int MAX_BULK = 1000;

    private static final String FILTERS = """
              and ($1::text is null or environment = $1)
              and ($2::text is null or name = $2)
              and ($3::text is null or starts_with(name, $3))
              and ($4::text is null or (row -> 'tags')::jsonb ? $4)
              and ($5::text is null or row ->> 'owner' = $5)
              and (name, environment) > ($6, $7)
              and ($8::text[] is null or exists (
                    select from unnest($8) p where environment = p or (right(p, 1) = '*'
                        and starts_with(environment, left(p, -1)))))
            order by name, environment
            limit $9""";

    private static final String LIST = """
            select kind, id, environment, service_name, name, version, revision, fence, row::text as row, sealed
            from resources r
            where kind = 'feature_flag'
            """ + FILTERS;

    private static final String LIST_STALE = """
            select kind, id, environment, service_name, name, version, revision, fence, row::text as row, sealed,
                   expired, settled, unused
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
              where kind = 'feature_flag') r
            where (expired or settled or unused)
            """ + FILTERS;

    private final Resources resources;
    private final ChangeBus bus;
    private final EvaluationBus evaluations;
    private final FlagUsage usage;
    private final Ids ids;
    private final String defaultEnvironment;
    private final FlagFace face;
    private final ResourceRoutes shared;

    public FlagRoutes(
            SnapshotCache cache,
            Resources resources,
            ChangeBus bus,
            EvaluationBus evaluations,
            FlagUsage usage,
            Ids ids,
            String defaultEnvironment) {
        this.resources = resources;
        this.bus = bus;
        this.evaluations = evaluations;
        this.usage = usage;
        this.ids = ids;
        this.defaultEnvironment = defaultEnvironment;
        this.face = new FlagFace(cache);
        this.shared = new ResourceRoutes(face, resources, bus, ids);
    }

    @Override
    public void mount(Table table) {
        table.coreRoute("POST", "/feature-flags", Right.FLAGS_WRITE, Map.of(), this::create);
        table.coreRoute(
                "GET",
                "/feature-flags",
                Right.READ,
                Map.of(
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
                        Page.LIMIT,
                        Page.SIZE,
                        Page.TOKEN,
                        StringRule.ANY),
                this::list);
        table.route("POST", "/feature-flags/evaluate", Right.READ, Map.of(), this::evaluate);
        table.route("POST", "/feature-flags/evaluate/bulk", Right.READ, Map.of(), this::evaluateBulk);
        table.route("GET", "/feature-flags/:id", Right.READ, Map.of(), shared::get);
        table.coreRoute("PUT", "/feature-flags/:id", Right.FLAGS_WRITE, Map.of(), this::update);
        table.coreRoute("GET", "/feature-flags/:id/usage", Right.READ, Map.of(), this::usage);
        shared.mount(table);
    }

    private Future<Response> create(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String name = form.required("name", NAME);
        String given = form.text("environment", StringRule.NAME);
        String environment = given == null ? defaultEnvironment : given;
        String comment = form.text("comment", ResourceRoutes.COMMENT);
        ObjectNode content = fields(form, true);
        form.unknown();
        check(form, name, content);
        face.requireWrite(request.caller(), environment, "");
        UUID id = ids.next();
        return face.refuseCycle(environment, name, content, request)
                .compose(v -> bus.write(new Command.Create(
                        id,
                        Flags.KIND,
                        id.toString(),
                        environment,
                        "",
                        name,
                        Json.write(content),
                        Sealed.NONE,
                        request.origin(comment))))
                .map(result -> shared.written(201, result, request));
    }

    /** Every error of the fields by themselves, and of what they come to together. */
    private static void check(FieldReader form, String name, ObjectNode content) {
        try {
            Flags.check(name, content);
        } catch (ServiceException e) {
            form.errors().addAll(e.errors());
        }
        if (!form.errors().isEmpty()) {
            throw ServiceException.invalid(form.errors());
        }
    }

    /** The fields that a caller gives; of a creation all, with what stands where they are not given. */
    private static ObjectNode fields(FieldReader form, boolean all) {
        ObjectNode o = Json.object();
        if (!all) {
            form.refuseNull("is_enabled");
        }
        if (all || form.has("description")) {
            o.put("description", form.text("description", DESCRIPTION));
        }
        if (all || form.has("is_enabled")) {
            o.put("is_enabled", Boolean.TRUE.equals(form.bool("is_enabled")));
        }
        if (all || form.has("rollout_percentage")) {
            o.set("rollout_percentage", form.node("rollout_percentage"));
        }
        if (all || form.has("target_users")) {
            List<String> users = form.texts("target_users", USER, MAX_USERS);
            o.set("target_users", Json.tree(users == null ? List.of() : users));
        }
        for (String field : List.of("rules", "variants", "prerequisites")) {
            if (all || form.has(field)) {
                o.set(field, Flags.list(form, field, 200));
            }
        }
        if (all || form.has("salt")) {
            o.put("salt", form.text("salt", SHORT));
        }
        if (all || form.has("tags")) {
            List<String> tags = form.texts("tags", SHORT, 50);
            o.set("tags", Json.tree(tags == null ? List.of() : tags));
        }
        if (all || form.has("owner")) {
            o.put("owner", form.text("owner", SHORT));
        }
        if (all || form.has("expires_at")) {
            Instant at = form.time("expires_at");
            o.put("expires_at", at == null ? null : Json.time(at));
        }
        return o;
    }

    private Future<Response> update(Request request) {
        ObjectNode body = request.object();
        return shared.forWrite(request).compose(found -> {
            Resource current = found.present();
            FieldReader form = FieldReader.write(body);
            form.readOnly(
                    face.render(current, request.caller()),
                    "id",
                    "name",
                    "environment",
                    "version",
                    "revision",
                    "created_at",
                    "updated_at",
                    "created_by",
                    "updated_by");
            // what a list of stale flags adds is no field of the flag
            form.node("stale_reasons");
            String comment = form.text("comment", ResourceRoutes.COMMENT);
            ObjectNode fields = fields(form, false);
            form.unknown();
            ObjectNode after = Json.readObject(current.row());
            after.setAll(fields);
            check(form, current.name(), after);
            return face.refuseCycle(current.environment(), current.name(), after, request)
                    .compose(v -> bus.write(new Command.Update(
                            ids.next(),
                            Flags.KIND,
                            current.id(),
                            Json.write(fields),
                            Sealed.NONE,
                            request.ifMatch(),
                            Action.UPDATED,
                            null,
                            request.origin(comment))))
                    .map(result -> shared.written(200, result, request));
        });
    }

    private Future<Response> list(Request request) {
        String environment = request.query("environment");
        boolean stale = Boolean.TRUE.equals(request.flag("stale"));
        Page page = Page.of(request, 2);
        Caller caller = request.caller();
        List<String> reach = caller.environments().patterns();
        Tuple arguments = Tuple.tuple()
                .addString(environment)
                .addString(request.query("name"))
                .addString(request.query("prefix"))
                .addString(request.query("tag"))
                .addString(request.query("owner"))
                .addString(page.isFirst() ? "" : page.after().get(0))
                .addString(page.isFirst() ? "" : page.after().get(1))
                .addArrayOfString(reach.isEmpty() ? null : reach.toArray(String[]::new))
                .addInteger(page.limit() + 1);
        long lastChange = resources.lastChange(Flags.KIND, environment, null);
        if (!stale) {
            return resources
                    .list(LIST, arguments)
                    .map(found -> page.answer(
                                    request,
                                    found,
                                    r -> face.render(r, caller),
                                    r -> List.of(r.name(), r.environment()))
                            .tagged(Long.toString(lastChange)));
        }
        return resources
                .list(LIST_STALE, arguments, (resource, row) -> {
                    ObjectNode o = face.render(resource, caller);
                    ArrayNode why = o.putArray("stale_reasons");
                    for (String reason : List.of("expired", "settled", "unused")) {
                        if (Boolean.TRUE.equals(row.getBoolean(reason))) {
                            why.add(reason);
                        }
                    }
                    return o;
                })
                .map(found -> page.answer(
                        request,
                        found,
                        o -> o,
                        o -> List.of(
                                o.get("name").textValue(), o.get("environment").textValue())));
    }

    private Future<Response> evaluate(Request request) {
        FieldReader form = FieldReader.read(request.object());
        String name = form.required("flag_name", NAME);
        String environment = environment(form);
        EvaluationContext subject = subject(form);
        JsonNode otherwise = form.value("default_value");
        boolean explain = Boolean.TRUE.equals(form.bool("explain"));
        form.done();
        request.caller().require(Right.READ, environment, "");
        return evaluations
                .evaluate(new EvaluationRequest(environment, Set.of(name), subject, explain, request.minRevision()))
                .map(answer -> {
                    RenderedEvaluation outcome = answer.outcomes().get(0);
                    if (otherwise == null && answer.trace() == null) {
                        return Response.ready(Response.JSON, outcome.body()).asOf(answer.asOf(), answer.outdated());
                    }
                    ObjectNode o = outcome.render(otherwise);
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
        FieldReader form = FieldReader.read(request.object());
        String environment = environment(form);
        EvaluationContext subject = subject(form);
        List<String> names = form.texts("flag_names", NAME, MAX_BULK);
        form.done();
        request.caller().require(Right.READ, environment, "");
        return evaluations
                .evaluate(new EvaluationRequest(
                        environment,
                        names == null ? null : new LinkedHashSet<>(names),
                        subject,
                        false,
                        request.minRevision()))
                .map(answer -> Response.ready(Response.JSON, RenderedEvaluation.body(answer.outcomes()))
                        .asOf(answer.asOf(), answer.outdated()));
    }

    private String environment(FieldReader form) {
        String environment = form.text("environment", StringRule.NAME);
        return environment == null ? defaultEnvironment : environment;
    }

    private static EvaluationContext subject(FieldReader form) {
        String user = form.text("user_id", USER);
        JsonNode context = form.node("context");
        if (context != null && !context.isObject()) {
            form.error("context", "must be an object");
        }
        return new EvaluationContext(user, Flags.context(context != null && context.isObject() ? context : null));
    }

    private Future<Response> usage(Request request) {
        return shared.find(request).compose(found -> {
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
