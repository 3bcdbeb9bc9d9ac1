package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sealed;
import dev.configservice.secret.Sha256;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The routes of API keys. A caller can create, rotate or delete a key only if the caller has every right of the key and
 * the scopes of the key are within the scopes of the caller.
 */
public final class AccessKeyRoutes implements Routes {
    private static final UnitId KEYS = new UnitId(AccessKey.KIND, "", "");
    private static final StringRule KEY_NAME = StringRule.text(1, 200);
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
    private static final long MAX_GRACE_SECONDS = 30L * 24 * 3600;

    private final SnapshotCache cache;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final KeyUsage usage;
    private final InstantSource clock;

    public AccessKeyRoutes(
            SnapshotCache cache, Resources resources, ChangeBus bus, Ids ids, KeyUsage usage, InstantSource clock) {
        this.cache = cache;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
        this.usage = usage;
        this.clock = clock;
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
                Route.api("DELETE", "/access/keys/:id", this::delete)
                        .needs(Right.KEYS_WRITE)
                        .onLog(),
                Route.api("POST", "/access/keys/:id/rotate", this::rotate)
                        .needs(Right.KEYS_WRITE)
                        .onLog());
    }

    private static Response self(Request request) {
        Caller caller = request.caller();
        ObjectNode o = Json.object();
        o.put("id", caller.isAnonymous() ? null : caller.id());
        o.put("name", caller.name());
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

    private Future<Response> create(Request request) {
        FieldReader form = FieldReader.write(request.object());
        String name = form.required("name", KEY_NAME);
        List<String> rights = form.texts("rights", RIGHT, 20);
        if (rights == null || rights.isEmpty()) {
            form.error("rights", "is required (expected: an array of at least one right)");
        }
        List<String> environments = reach(form, "environments");
        List<String> serviceNames = reach(form, "service_names");
        Instant expiresAt = form.time("expires_at");
        if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
            form.error("expires_at", "must be in the future");
        }
        form.done();
        Set<Right> given = EnumSet.noneOf(Right.class);
        (rights == null ? List.<String>of() : rights).forEach(r -> Right.of(r).ifPresent(given::add));
        requireWithin(
                request.caller(),
                given,
                new Scope(environments == null ? List.of() : environments),
                new Scope(serviceNames == null ? List.of() : serviceNames));

        UUID id = ids.next();
        String secret = AccessKey.newSecret();
        ObjectNode content = Json.object();
        content.put("name", name);
        ArrayNode list = content.putArray("rights");
        given.forEach(r -> list.add(r.text()));
        content.set("environments", environments == null ? null : Json.tree(environments));
        content.set("service_names", serviceNames == null ? null : Json.tree(serviceNames));
        content.put("expires_at", expiresAt == null ? null : Json.time(expiresAt));
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
                .map(result -> withKey(201, result.resource(), result.replayed() ? null : secret, request.caller())
                        .wrote(result.revision())
                        .header(
                                "Location",
                                "/api/v1/access/keys/" + result.resource().id()));
    }

    private static Response withKey(int status, Resource resource, @Nullable String secret, Caller caller) {
        ObjectNode o = render(resource, null, caller.has(Right.AUDIT_READ));
        o.put("key", secret == null ? null : "cs_" + resource.id() + "_" + secret);
        return Response.json(status, o).asSecret(true);
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
        ObjectNode row = Json.readObject(resource.row());
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        for (String field : List.of("name", "rights", "environments", "service_names", "expires_at", "created_at")) {
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
        return find(request)
                .compose(key -> bus.write(new Command.Delete(
                        ids.next(),
                        AccessKey.KIND,
                        key.id(),
                        request.ifMatch(),
                        Action.DELETED,
                        null,
                        request.origin(null))))
                .map(result -> Response.empty(204).wrote(result.revision()));
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
        return find(request)
                .compose(key -> bus.write(new Command.Update(
                        ids.next(),
                        AccessKey.KIND,
                        key.id(),
                        Json.write(fields),
                        Sealed.NONE,
                        null,
                        Action.UPDATED,
                        null,
                        request.origin(null))))
                .map(result -> withKey(200, result.resource(), result.replayed() ? null : secret, request.caller())
                        .wrote(result.revision()));
    }
}
