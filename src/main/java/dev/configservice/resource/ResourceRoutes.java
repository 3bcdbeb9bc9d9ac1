package dev.configservice.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
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
import dev.configservice.log.Change;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.log.WriteResult;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Resources.Found;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The routes of every versioned kind: create, then read, change, delete and roll back, and the history. In a path, what
 * looks like an id is one; anything else is a name, which together with {@code environment} and {@code service_name} is the
 * path of a resource.
 */
public final class ResourceRoutes implements Routes {
    private static final String ENVIRONMENT = "environment";
    private static final String SERVICE_NAME = "service_name";

    private final VersionedKind kind;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final PathWrites byPath;
    private final PastSnapshots past;
    private final String[] readOnly;

    public ResourceRoutes(
            VersionedKind kind, Resources resources, PastSnapshots past, ChangeBus bus, Ids ids, PathWrites byPath) {
        this.past = past;
        this.kind = kind;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
        this.byPath = byPath;
        this.readOnly = readOnly(kind);
    }

    /** Returns the fields of a kind that a change may give only as they are. */
    static String[] readOnly(VersionedKind kind) {
        List<String> fields = new ArrayList<>(List.of(
                "id",
                kind.nameField(),
                ENVIRONMENT,
                "version",
                "revision",
                "created_at",
                "updated_at",
                "created_by",
                "updated_by"));
        if (kind.belongsToService()) {
            fields.add(SERVICE_NAME);
        }
        return fields.toArray(String[]::new);
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(writing());
        routes.add(Route.api("GET", kind.path() + "/:id", this::get)
                .needs(Right.READ)
                .with(pathParameters(Map.of(Route.AT, PastSnapshots.MOMENT))));
        return routes;
    }

    /** Returns the query parameters that, with a name, are the path of a resource, and others. */
    private Map<String, StringRule> pathParameters(Map<String, StringRule> others) {
        Map<String, StringRule> parameters = new HashMap<>(others);
        parameters.put(ENVIRONMENT, StringRule.NAME);
        if (kind.belongsToService()) {
            parameters.put(SERVICE_NAME, StringRule.NAME);
        }
        return parameters;
    }

    /** Returns all routes except the read of one, for a kind that has its own route to read by id and by name. */
    public List<Route> writing() {
        String byId = kind.path() + "/:id";
        return List.of(
                Route.api("POST", kind.path(), this::create)
                        .needs(kind.writeRight())
                        .onLog(),
                Route.api("PUT", byId, this::put)
                        .needs(kind.writeRight())
                        .with(pathParameters(Map.of()))
                        .onLog(),
                Route.api("DELETE", byId, this::delete)
                        .needs(kind.writeRight())
                        .with(pathParameters(Map.of("comment", StringRule.COMMENT)))
                        .onLog(),
                Route.api("GET", byId + "/history", this::history)
                        .needs(Right.READ)
                        .with(Page.PARAMETERS)
                        .onLog(),
                Route.api("POST", byId + "/rollback", this::rollback)
                        .needs(kind.writeRight())
                        .onLog());
    }

    private Future<Response> create(Request request) {
        FieldReader fields = FieldReader.write(request.object());
        UUID id = ids.next();
        String comment = fields.text("comment", StringRule.COMMENT);
        VersionedKind.Creation made = kind.create(fields, id.toString());
        kind.requireWrite(request.caller(), made.environment(), made.serviceName());
        return bus.write(new Command.Create(
                        id,
                        kind.name(),
                        id.toString(),
                        made.environment(),
                        made.serviceName(),
                        made.name(),
                        Json.write(made.fields()),
                        made.sealed(),
                        request.origin(comment)))
                .map(result -> created(result, request));
    }

    private Response created(WriteResult result, Request request) {
        return written(201, result, request)
                .header(
                        "Location",
                        Route.API + kind.path() + "/" + result.resource().id());
    }

    private Future<Response> put(Request request) {
        ObjectNode body = request.object();
        if (!isById(request)) {
            return byPath.put(
                            path(request),
                            body,
                            Precondition.of(request),
                            new PathWrites.By(request.caller(), request::origin))
                    .map(written -> written.isNew()
                            ? created(written.result(), request)
                            : warned(written(200, written.result(), request), written.warning()));
        }
        return forWrite(request).compose(found -> {
            Resource current = found.present();
            FieldReader fields = FieldReader.write(body);
            fields.readOnly(kind.render(current, request.caller()), readOnly);
            String comment = fields.text("comment", StringRule.COMMENT);
            VersionedKind.Update change = kind.change(fields, current, request.caller());
            return bus.write(new Command.Update(
                            ids.next(),
                            kind.name(),
                            current.id(),
                            Json.write(change.fields()),
                            change.sealed(),
                            request.ifMatch(),
                            Action.UPDATED,
                            null,
                            request.origin(comment)))
                    .map(result -> warned(written(200, result, request), change.warning()));
        });
    }

    private static Response warned(Response response, @Nullable String warning) {
        return warning == null ? response : response.header("Warning", "299 config-service \"" + warning + "\"");
    }

    /** Tells whether a request names a resource by its id. Fails if it does, and has parameters of a path, too. */
    private static boolean isById(Request request) {
        if (!Ids.isId(request.parameter("id"))) {
            return false;
        }
        for (String parameter : List.of(ENVIRONMENT, SERVICE_NAME)) {
            if (request.query(parameter) != null) {
                throw ServiceException.invalid(parameter, "is not taken where the path has an id");
            }
        }
        return true;
    }

    private PathWrites.Path path(Request request) {
        String environment = request.query(ENVIRONMENT);
        if (environment == null) {
            throw ServiceException.invalid(ENVIRONMENT, "is required, as the path has a name and not an id");
        }
        String service = request.query(SERVICE_NAME);
        return new PathWrites.Path(kind, environment, service == null ? "" : service, request.parameter("id"));
    }

    /** Finds the resource of a request by id, and fails if the caller may not write it. */
    private Future<Found> forWrite(Request request) {
        return find(request).map(found -> {
            kind.requireWrite(
                    request.caller(),
                    found.path().unit().environment(),
                    found.path().unit().serviceName());
            return found;
        });
    }

    /** Finds the resource of a request by id. */
    public Future<Found> find(Request request) {
        return resources.find(kind.name(), request.parameter("id"), request.minRevision());
    }

    /** Reads the resource of a request. */
    public Future<Response> get(Request request) {
        String at = request.query(Route.AT);
        if (at != null) {
            return past.revision(at).compose(moment -> getAt(request, moment));
        }
        Future<Found> found = isById(request) ? find(request) : atPath(request);
        return found.map(f -> read(f.present(), request)
                .asOf(f.snapshot().asOf().revision(), f.snapshot().isOutdated()));
    }

    /** Reads the resource of a request as of a revision, without encrypted values. */
    public Future<Response> getAt(Request request, long revision) {
        Future<Resources.Path> path;
        if (isById(request)) {
            path = resources.path(kind.name(), id(request));
        } else {
            PathWrites.Path named = path(request);
            path = Future.succeededFuture(new Resources.Path(named.unit(), named.name()));
        }
        return path.compose(p -> past.get(p.unit(), revision).map(snapshot -> {
            request.caller()
                    .require(Right.READ, p.unit().environment(), p.unit().serviceName());
            Resource there = snapshot.resources().byName(p.name());
            if (there == null || (isById(request) && !there.id().equals(id(request)))) {
                throw ServiceException.notFound("It did not exist at revision " + revision);
            }
            return Response.json(200, kind.render(there, request.caller().withoutSecrets()))
                    .tagged(there.revision() + (there.isSealed() ? "-m" : ""))
                    .at(revision);
        }));
    }

    private Future<Found> atPath(Request request) {
        if (request.query(ENVIRONMENT) == null) {
            throw ServiceException.notFound("This is no id; a name needs the parameter 'environment'");
        }
        PathWrites.Path path = path(request);
        request.caller().require(Right.READ, path.environment(), path.serviceName());
        return resources.at(path.unit(), path.name(), request.minRevision());
    }

    /** Returns the response to a read of one resource. Fails if the caller may not read it. */
    public Response read(Resource resource, Request request) {
        kind.requireRead(resource, request.caller());
        return show(200, resource, request);
    }

    private Response show(int status, Resource resource, Request request) {
        Caller caller = request.caller();
        kind.noteRead(resource, caller, request.id());
        boolean masked = kind.isMasked(resource, caller);
        ObjectNode shown = kind.render(resource, caller);
        // one that cannot be opened for now is shown masked, too
        boolean hidden = masked || shown.has("unreadable");
        return Response.json(status, shown)
                .tagged(resource.revision() + (hidden ? "-m" : ""))
                .asSecret(resource.isSealed() && !masked);
    }

    private Response written(int status, WriteResult result, Request request) {
        return show(status, result.resource(), request).wrote(result.revision());
    }

    private Future<Response> delete(Request request) {
        Origin origin = request.origin(request.query("comment"));
        Future<WriteResult> deleted = isById(request)
                ? forWrite(request)
                        .compose(found -> bus.write(new Command.Delete(
                                ids.next(),
                                kind.name(),
                                found.present().id(),
                                request.ifMatch(),
                                Action.DELETED,
                                null,
                                origin)))
                : byPath.delete(path(request), Precondition.of(request), request.caller(), origin);
        return deleted.map(WriteResult::revision)
                .recover(e -> resources.repeatedOr(origin, e))
                .map(revision -> Response.empty(204).wrote(revision));
    }

    private Future<Response> history(Request request) {
        Page page = Page.of(request, 1);
        long below = page.isFirst() ? Long.MAX_VALUE : version(page.after().get(0));
        return find(request).compose(found -> {
            request.caller()
                    .require(
                            Right.READ,
                            found.path().unit().environment(),
                            found.path().unit().serviceName());
            return resources
                    .history(kind.name(), id(request), below, page.limit())
                    .map(changes -> page.response(
                                    request,
                                    changes,
                                    c -> version(c, request.caller()),
                                    c -> List.of(Long.toString(c.resource().version())))
                            .tagged(Long.toString(found.snapshot().lastChange())));
        });
    }

    private static String id(Request request) {
        return request.parameter("id").toLowerCase(Locale.ROOT);
    }

    private static long version(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Page.invalidToken();
        }
    }

    private ObjectNode version(Change change, Caller caller) {
        ObjectNode o = Json.object();
        o.put("version", change.resource().version());
        o.put("revision", change.revision());
        o.put("action", change.action().text());
        o.set("value", change.action().isRemoval() ? null : kind.historyValue(change.resource()));
        o.set("changed_by", caller.has(Right.AUDIT_READ) ? change.actor().toJson() : null);
        o.put("changed_at", Json.time(change.occurredAt()));
        o.put("comment", change.comment());
        return o;
    }

    private Future<Response> rollback(Request request) {
        FieldReader fields = FieldReader.write(request.object());
        Long version = fields.integer("version", 1, Long.MAX_VALUE);
        if (version == null && fields.errors().isEmpty()) {
            fields.error("version", "is required");
        }
        String comment = fields.text("comment", StringRule.COMMENT);
        fields.done();
        long wanted = version == null ? 0 : version;
        return forWrite(request)
                .compose(found -> resources.version(kind.name(), id(request), wanted))
                .compose(earlier -> {
                    Change change = earlier.orElseThrow(
                            () -> ServiceException.invalid("version", "is not a version of this resource"));
                    if (change.action().isRemoval()) {
                        throw new ServiceException(
                                ErrorCode.CONFLICT,
                                "Version " + wanted + " is a deletion: there is no state to restore");
                    }
                    Resource was = change.resource();
                    return bus.write(new Command.Rollback(
                            ids.next(),
                            kind.name(),
                            was.id(),
                            was.environment(),
                            was.serviceName(),
                            was.name(),
                            was.row(),
                            was.sealed(),
                            null,
                            request.origin(comment)));
                })
                .map(result -> written(200, result, request));
    }
}
