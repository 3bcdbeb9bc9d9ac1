package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.log.WriteResult;
import dev.configservice.secret.Sealed;
import dev.configservice.secret.Sha256;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The routes of API keys. A caller can create, rotate or delete a key only if the caller has every right of the key and
 * the scopes of the key are within the scopes of the caller.
 */
public final class AccessKeyRoutes implements Routes {
    private static final UnitId KEYS = new UnitId(AccessKey.KIND, "", "");
    /** Names that stand for other identities in the audit. */
    private static final Set<String> RESERVED = Set.of("admin", "system", "anonymous");

    private static final StringRule TEXT = StringRule.text(1, 200);
    private static final StringRule KEY_NAME = text -> {
        String problem = TEXT.problem(text);
        if (problem == null && RESERVED.contains(text.strip().toLowerCase(Locale.ROOT))) {
            return "is reserved (reserved: admin, anonymous, system)";
        }
        return problem == null && !text.equals(text.strip()) ? "must not begin or end with white space" : problem;
    };
    private static final StringRule PATTERN = StringRule.pattern(
            "[a-zA-Z0-9._-]{1,100}\\*?|\\*", "must be 1 to 100 of A-Z a-z 0-9 . _ - and may end with *");
    private static final StringRule RIGHT = text -> Right.of(text).isPresent()
            ? null
            : "must be one of "
                    + String.join(
                            ", ",
                            java.util.Arrays.stream(Right.values())
                                    .map(Right::text)
                                    .toList());
    private static final int TRIES = 3;
    private static final long MAX_GRACE_SECONDS = 30L * 24 * 3600;

    private final SnapshotCache cache;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final KeyUsage usage;
    private final InstantSource clock;
    private final Duration tokenKeyMaxAge;

    /**
     * Creates the routes.
     *
     * @param tokenKeyMaxAge the longest lifetime of a key that is made with a token
     */
    public AccessKeyRoutes(
            SnapshotCache cache,
            Resources resources,
            ChangeBus bus,
            Ids ids,
            KeyUsage usage,
            InstantSource clock,
            Duration tokenKeyMaxAge) {
        this.cache = cache;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
        this.usage = usage;
        this.clock = clock;
        this.tokenKeyMaxAge = tokenKeyMaxAge;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.api("GET", "/access/self", r -> Future.succeededFuture(self(r))),
                Route.api("POST", "/access/keys", this::create)
                        .needs(Right.KEYS_WRITE)
                        .onLog(),
                Route.api("GET", "/access/keys", this::list)
                        .needs(Right.KEYS_WRITE)
                        .with(Page.PARAMETERS)
                        .onLog(),
                Route.api("GET", "/access/keys/:id", this::get)
                        .needs(Right.KEYS_WRITE)
                        .onLog(),
                Route.api("PUT", "/access/keys/:id", this::edit)
                        .needs(Right.KEYS_WRITE)
                        .onLog(),
                Route.api("DELETE", "/access/keys/:id", this::delete)
                        .needs(Right.KEYS_WRITE)
                        .with(Map.of("comment", StringRule.COMMENT))
                        .onLog(),
                Route.api("POST", "/access/keys/:id/rotate", this::rotate)
                        .needs(Right.KEYS_WRITE)
                        .onLog());
    }

    private static Response self(Request request) {
        Caller caller = request.caller();
        ObjectNode o = Json.object();
        Actor actor = caller.actor();
        o.put("type", actor == null ? null : actor.type().text());
        o.put("id", actor == null ? null : actor.id());
        o.put("name", actor == null ? "anonymous" : actor.name());
        o.put("anonymous", caller.isAnonymous());
        ArrayNode rights = o.putArray("rights");
        caller.rights().forEach(r -> rights.add(r.text()));
        putReach(o, "environments", caller.environments());
        putReach(o, "service_names", caller.serviceNames());
        o.put("expires_at", caller.expiresAt() == null ? null : Json.time(caller.expiresAt()));
        return Response.json(200, o);
    }

    private static void putReach(ObjectNode o, String field, Scope reach) {
        if (reach.isAll()) {
            o.putNull(field);
        } else {
            ArrayNode names = o.putArray(field);
            reach.patterns().forEach(names::add);
        }
    }

    /** The fields of a key that a caller sets, as they are after a request. */
    private record Form(
            @Nullable String name,
            @Nullable List<String> rights,
            @Nullable List<String> environments,
            @Nullable List<String> serviceNames,
            @Nullable Instant expiresAt) {

        Set<Right> rightSet() {
            Set<Right> set = EnumSet.noneOf(Right.class);
            if (rights != null) {
                rights.forEach(r -> Right.of(r).ifPresent(set::add));
            }
            return set;
        }

        static Scope scope(@Nullable List<String> patterns) {
            return new Scope(patterns == null ? List.of() : patterns);
        }
    }

    private Form form(FieldReader form, @Nullable String name) {
        List<String> rights = form.texts("rights", RIGHT, 20);
        if (rights != null && rights.isEmpty()) {
            form.error("rights", "may not be empty");
        }
        List<String> environments = reach(form, "environments");
        List<String> serviceNames = reach(form, "service_names");
        Instant expiresAt = form.time("expires_at");
        if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
            form.error("expires_at", "must be in the future");
        }
        return new Form(name, rights, environments, serviceNames, expiresAt);
    }

    private Future<Response> create(Request request) {
        FieldReader fields = FieldReader.write(request.object());
        Form form = form(fields, fields.required("name", KEY_NAME));
        if (form.rights() == null
                && fields.errors().stream().noneMatch(e -> e.field().startsWith("rights"))) {
            fields.error("rights", "is required (expected: an array of at least one right)");
        }
        fields.done();
        Caller caller = request.caller();
        requireWithin(caller, form.rightSet(), Form.scope(form.environments()), Form.scope(form.serviceNames()));
        Instant latest = latest(caller);
        boolean cut =
                latest != null && (form.expiresAt() == null || form.expiresAt().isAfter(latest));
        Instant expiresAt = cut ? latest : form.expiresAt();

        UUID id = ids.next();
        String secret = AccessKey.newSecret();
        ObjectNode content = Json.object();
        content.put("name", form.name());
        ArrayNode list = content.putArray("rights");
        form.rightSet().forEach(r -> list.add(r.text()));
        content.set("environments", Json.tree(form.environments()));
        content.set("service_names", Json.tree(form.serviceNames()));
        content.put("expires_at", expiresAt == null ? null : Json.time(expiresAt));
        content.put("enabled", true);
        content.put("hash", Sha256.hex(secret));
        return bus.write(new Command.Create(
                        id,
                        AccessKey.KIND,
                        id.toString(),
                        "",
                        "",
                        id.toString(),
                        Json.write(content),
                        Sealed.NONE,
                        request.origin(null)))
                .map(result -> {
                    ObjectNode key = render(result.resource(), null, caller.has(Right.AUDIT_READ));
                    Response response = withSecret(201, key, result.replayed() ? null : secret)
                            .wrote(result.revision())
                            .header(
                                    "Location",
                                    "/api/v1/access/keys/" + result.resource().id());
                    return cut
                            ? response.header(
                                    "Warning",
                                    "299 - \"expires_at was cut: a key expires with the credential that made it, or "
                                            + tokenKeyMaxAge.toDays() + " days after a token made it\"")
                            : response;
                });
    }

    /** Returns the latest time at which something that a caller makes may expire; null if there is no limit. */
    private @Nullable Instant latest(Caller caller) {
        return caller.identity().type() == Actor.Type.TOKEN
                ? clock.instant().plus(tokenKeyMaxAge).truncatedTo(ChronoUnit.MILLIS)
                : caller.expiresAt();
    }

    /** Tells whether a key outlives what a caller may make. */
    private boolean outlives(@Nullable Instant expiresAt, Caller caller) {
        Instant latest = latest(caller);
        return latest != null && (expiresAt == null || expiresAt.isAfter(latest));
    }

    private static ServiceException outlivesRefused() {
        return new ServiceException(
                ErrorCode.FORBIDDEN,
                "The key expires later than what you may make (give it an earlier expires_at first, or use a key that"
                        + " does not expire)");
    }

    private static Response withSecret(int status, ObjectNode key, @Nullable String secret) {
        key.put("key", secret == null ? null : "cs_" + key.get("id").textValue() + "_" + secret);
        return Response.json(status, key).asSecret(true);
    }

    private static @Nullable List<String> reach(FieldReader form, String field) {
        List<String> patterns = form.texts(field, PATTERN, 100);
        if (patterns != null && patterns.isEmpty()) {
            form.error(field, "may not be empty (omit it for no limit)");
        }
        return patterns;
    }

    private static void requireWithin(Caller caller, Set<Right> rights, Scope environments, Scope serviceNames) {
        for (Right right : rights) {
            if (!caller.holds(right)) {
                throw new ServiceException(
                        ErrorCode.FORBIDDEN,
                        "The key has the right " + right.text() + ", which you do not have",
                        List.of(),
                        Map.of("missing_right", right.text()));
            }
        }
        if (!caller.environments().contains(environments)) {
            throw new ServiceException(ErrorCode.FORBIDDEN, "The key covers environments outside your scope");
        }
        if (!caller.serviceNames().contains(serviceNames)) {
            throw new ServiceException(ErrorCode.FORBIDDEN, "The key covers service_names outside your scope");
        }
    }

    private Future<Response> list(Request request) {
        Page page = Page.of(request, 1);
        String after = page.isFirst() ? "" : page.after().get(0);
        return usage.read()
                .compose(used -> cache.get(KEYS, request.minRevision()).map(snapshot -> {
                    List<Resource> found = snapshot.resources().stream()
                            .filter(r -> r.id().compareTo(after) > 0)
                            .limit(page.limit() + 1L)
                            .toList();
                    return page.response(
                                    request,
                                    found,
                                    r -> render(
                                            r,
                                            used.get(r.id()),
                                            request.caller().has(Right.AUDIT_READ)),
                                    r -> List.of(r.id()))
                            .tagged(Long.toString(snapshot.lastChange()));
                }));
    }

    static ObjectNode render(Resource resource, @Nullable Instant lastUsed, boolean withActor) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        for (String field :
                List.of("name", "rights", "environments", "service_names", "expires_at", "enabled", "created_at")) {
            o.set(field, row.get(field));
        }
        o.set("created_by", withActor ? row.get("created_by") : null);
        o.put("last_used_at", lastUsed == null ? null : Json.time(lastUsed));
        return o;
    }

    private Future<Resource> find(Request request) {
        return resources
                .find(AccessKey.KIND, request.parameter("id"), request.minRevision())
                .map(found -> {
                    Resource resource = found.present();
                    AccessKey key = AccessKey.of(resource);
                    requireWithin(request.caller(), key.rights(), key.environments(), key.serviceNames());
                    return resource;
                });
    }

    private Future<Response> delete(Request request) {
        Origin origin = request.origin(request.query("comment"));
        return find(request)
                .compose(key -> bus.write(new Command.Delete(
                        ids.next(), AccessKey.KIND, key.id(), request.ifMatch(), Action.DELETED, null, origin)))
                .map(WriteResult::revision)
                .recover(e -> resources.repeatedOr(origin, e))
                .map(revision -> Response.empty(204).wrote(revision));
    }

    private Future<Response> get(Request request) {
        return find(request)
                .compose(key -> usage.read()
                        .map(used -> Response.json(
                                        200,
                                        render(
                                                key,
                                                used.get(key.id()),
                                                request.caller().has(Right.AUDIT_READ)))
                                .tagged(Long.toString(key.revision()))));
    }

    private Future<Response> edit(Request request) {
        FieldReader fields = FieldReader.write(request.object());
        for (String field : List.of("name", "rights", "enabled")) {
            fields.refuseNull(field);
        }
        Form form = form(fields, fields.text("name", KEY_NAME));
        Boolean enabled = fields.bool("enabled");
        List<Long> ifMatch = request.ifMatch();
        Caller caller = request.caller();
        return overwrite(request, TRIES, key -> {
                    fields.readOnly(render(key, null, caller.has(Right.AUDIT_READ)), "id", "created_at", "created_by");
                    // it may have changed since the caller read it
                    fields.time("last_used_at");
                    fields.done();
                    if (ifMatch != null && !ifMatch.contains(key.revision())) {
                        throw ServiceException.preconditionFailed(key.revision());
                    }
                    ObjectNode after = edited(request.object(), form, enabled);
                    requireMayEdit(caller, AccessKey.of(key), after);
                    return after;
                })
                .compose(result -> written(result, caller)
                        .map(key -> Response.json(200, key)
                                .tagged(Long.toString(result.resource().revision()))
                                .wrote(result.revision())));
    }

    /**
     * Writes fields of a key. They are judged by the state that is written over: if that changed meanwhile, all is done
     * again.
     *
     * @param fields returns the fields to write, or fails if the caller may not write them over a state
     */
    private Future<WriteResult> overwrite(Request request, int tries, Function<Resource, ObjectNode> fields) {
        return find(request).compose(key -> {
            Command update = new Command.Update(
                    ids.next(),
                    AccessKey.KIND,
                    key.id(),
                    Json.write(fields.apply(key)),
                    Sealed.NONE,
                    List.of(key.revision()),
                    Action.UPDATED,
                    null,
                    request.origin(null));
            return bus.write(update)
                    .recover(e -> tries > 1 && e instanceof ServiceException refused && refused.currentRevision() > 0
                            ? resources
                                    .awaitApplied(refused.currentRevision())
                                    .compose(v -> overwrite(request, tries - 1, fields))
                            : Future.failedFuture(e));
        });
    }

    /** Renders a key that was written. If its last use cannot be read, it is null: the write itself succeeded. */
    private Future<ObjectNode> written(WriteResult result, Caller caller) {
        return usage.read()
                .otherwise(Map.of())
                .map(used ->
                        render(result.resource(), used.get(result.resource().id()), caller.has(Right.AUDIT_READ)));
    }

    /** Returns the fields that a request changes. A field that is null is cleared. */
    private static ObjectNode edited(ObjectNode given, Form form, @Nullable Boolean enabled) {
        ObjectNode after = Json.object();
        if (form.name() != null) {
            after.put("name", form.name());
        }
        if (form.rights() != null) {
            ArrayNode list = after.putArray("rights");
            form.rightSet().forEach(r -> list.add(r.text()));
        }
        if (given.has("environments")) {
            after.set("environments", Json.tree(form.environments()));
        }
        if (given.has("service_names")) {
            after.set("service_names", Json.tree(form.serviceNames()));
        }
        if (given.has("expires_at")) {
            after.put("expires_at", form.expiresAt() == null ? null : Json.time(form.expiresAt()));
        }
        if (enabled != null) {
            after.put("enabled", enabled);
        }
        return after;
    }

    /**
     * Fails if the caller may not make an edit: the key then has more than the caller, or outlives it with more than it
     * had before.
     */
    private void requireMayEdit(Caller caller, AccessKey before, ObjectNode edited) {
        AccessKey after = before.with(edited);
        requireWithin(caller, after.rights(), after.environments(), after.serviceNames());
        boolean gains = !before.rights().containsAll(after.rights())
                || !before.environments().contains(after.environments())
                || !before.serviceNames().contains(after.serviceNames())
                || (before.expiresAt() != null
                        && (after.expiresAt() == null || after.expiresAt().isAfter(before.expiresAt())));
        if (gains && outlives(after.expiresAt(), caller)) {
            throw outlivesRefused();
        }
    }

    private Future<Response> rotate(Request request) {
        long grace = 0;
        if (request.body().length() > 0) {
            FieldReader form = FieldReader.write(request.object());
            Long seconds = form.integer("grace_seconds", 0, MAX_GRACE_SECONDS);
            form.done();
            grace = seconds == null ? 0 : seconds;
        }
        String secret = AccessKey.newSecret();
        ObjectNode fields = Json.object();
        fields.put("hash", Sha256.hex(secret));
        fields.put("previous_until", Json.time(clock.instant().plusSeconds(grace)));
        Caller caller = request.caller();
        return overwrite(request, TRIES, key -> {
                    // the caller gets the new secret
                    if (outlives(AccessKey.of(key).expiresAt(), caller)) {
                        throw outlivesRefused();
                    }
                    return fields;
                })
                .compose(result -> written(result, caller)
                        .map(key -> withSecret(200, key, result.replayed() ? null : secret)
                                .wrote(result.revision())));
    }
}
