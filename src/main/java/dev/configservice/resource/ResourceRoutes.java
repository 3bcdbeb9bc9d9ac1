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
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.log.WriteResult;
import dev.configservice.postgres.Select;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Resources.Found;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The routes of every versioned kind: create, then read, change, delete and roll back, and the history. In a path, what
 * looks like an id is one; anything else is a name, which together with {@code environment} and {@code service_name} is the
 * path of a resource.
 */
public final class ResourceRoutes implements Routes {
    private static final String ENVIRONMENT = "environment";
    private static final String SERVICE_NAME = "service_name";

    private static final String PREFIX = "prefix";
    private static final int MAX_WARNINGS = 5;
    /** The length from which a warning is cut, in characters. */
    private static final int MAX_WARNING = 300;

    private final VersionedKind kind;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final PathWrites byPath;
    private final PastSnapshots past;

    public ResourceRoutes(
            VersionedKind kind, Resources resources, PastSnapshots past, ChangeBus bus, Ids ids, PathWrites byPath) {
        this.past = past;
        this.kind = kind;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
        this.byPath = byPath;
    }

    /** Returns the fields of a kind that a change may give only as they are. */
    static String[] readOnly(VersionedKind kind) {
        List<String> fields = new ArrayList<>(List.of(
                "id", kind.nameField(), "version", "revision", "created_at", "updated_at", "created_by", "updated_by"));
        if (!kind.isGlobal()) {
            fields.add(ENVIRONMENT);
        }
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
        if (kind.isGlobal()) {
            routes.add(Route.api("GET", kind.path(), this::list)
                    .needs(Right.READ)
                    .with(listParameters())
                    .onLog());
        }
        return routes;
    }

    /** Returns the query parameters that, with a name, are the path of a resource, and others. */
    private Map<String, StringRule> pathParameters(Map<String, StringRule> others) {
        Map<String, StringRule> parameters = new HashMap<>(others);
        if (!kind.isGlobal()) {
            parameters.put(ENVIRONMENT, StringRule.NAME);
        }
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
                        .with(kind.writeParameters())
                        .onLog(),
                Route.api("PUT", byId, this::put)
                        .needs(kind.writeRight())
                        .with(pathParameters(kind.writeParameters()))
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
                        .with(kind.writeParameters())
                        .onLog());
    }

    private Future<Response> create(Request request) {
        return create(request, request.object());
    }

    /** Creates the resource that a body describes. */
    public Future<Response> create(Request request, ObjectNode body) {
        return byPath.create(kind, body, by(request))
                .map(written -> warned(created(written.result(), request), written.warnings()));
    }

    private Map<String, StringRule> listParameters() {
        Map<String, StringRule> all = new HashMap<>(kind.listParameters());
        all.put(PREFIX, StringRule.ANY);
        return Page.parameters(all);
    }

    private Future<Response> list(Request request) {
        Page page = Page.of(request, 1);
        Select select = Resources.select(kind.name()).wherePrefix("name", request.query(PREFIX));
        if (!page.isFirst()) {
            select.where("name > ?", page.after().get(0));
        }
        kind.filter(select, request);
        long lastChange = resources.lastChange(kind.name(), "", "");
        return resources
                .list(select, "name", page.limit())
                .map(found -> page.response(
                                request, found, r -> kind.render(r, request.caller()), r -> List.of(r.name()))
                        .tagged(Long.toString(lastChange)));
    }

    private static PathWrites.By by(Request request) {
        return new PathWrites.By(
                request.caller(), request::origin, Boolean.TRUE.equals(request.flag(VersionedKind.FORCE)));
    }

    private Response created(WriteResult result, Request request) {
        return written(201, result, request)
                .header(
                        "Location",
                        Route.API + kind.path() + "/" + result.resource().id());
    }

    private Future<Response> put(Request request) {
        return put(request, request.object());
    }

    /** Creates or changes the resource of a request as a body says. */
    public Future<Response> put(Request request, ObjectNode body) {
        Precondition precondition = Precondition.of(request);
        Origin origin = request.origin(null);
        return resources
                .repeated(origin)
                .compose(first -> first.isPresent()
                        ? resources
                                .change(first.get().revision())
                                .compose(change -> repeated(first.get(), change, request))
                        : put(request, body, precondition));
    }

    /** Answers a repeated request with what the first one did. */
    private Future<Response> repeated(ChangeLog.Repeated first, Optional<Change> found, Request request) {
        boolean changedNothing = first.set() != null;
        if (found.isPresent()) {
            Change change = found.get();
            WriteResult result = new WriteResult(change.resource(), change.revision(), true, null);
            return Future.succeededFuture(
                    change.action() == Action.CREATED && !changedNothing
                            ? created(result, request)
                            : written(200, result, request));
        }
        ServiceException gone =
                new ServiceException(ErrorCode.GONE, "The result of the first request is no longer in the log");
        if (!changedNothing) {
            return Future.failedFuture(gone);
        }
        // what it found unchanged may be older than the log, and still be there
        return (isById(request) ? find(request) : atPath(request)).map(f -> {
            Resource now = f.present();
            if (now.revision() != first.revision()) {
                throw gone;
            }
            return written(200, new WriteResult(now, now.revision(), true, now), request);
        });
    }

    private Future<Response> put(Request request, ObjectNode body, Precondition precondition) {
        if (!isById(request)) {
            return byPath.put(path(request), body, precondition, by(request))
                    .map(written -> warned(
                            written.isNew()
                                    ? created(written.result(), request)
                                    : written(200, written.result(), request),
                            written.warnings()));
        }
        return named(request)
                .compose(path -> byPath.change(path, id(request), body, precondition, by(request)))
                .map(written -> warned(written(200, written.result(), request), written.warnings()));
    }

    /** Returns the path of a resource that a request names by its id. Fails with {@link ErrorCode#NOT_FOUND}. */
    private Future<PathWrites.Path> named(Request request) {
        return resources
                .path(kind.name(), id(request))
                .map(p -> new PathWrites.Path(
                        kind, p.unit().environment(), p.unit().serviceName(), p.name()));
    }

    private static Response warned(Response response, List<String> warnings) {
        if (warnings.isEmpty()) {
            return response;
        }
        String all = warnings.stream()
                .limit(MAX_WARNINGS)
                .map(w -> "299 config-service \"" + ascii(w) + "\"")
                .collect(Collectors.joining(", "));
        return response.header("Warning", all);
    }

    /** Returns a string as a quoted string in a header may hold it. */
    private static String ascii(String text) {
        String shown = text.length() > MAX_WARNING ? text.substring(0, MAX_WARNING) + "..." : text;
        StringBuilder safe = new StringBuilder();
        shown.chars().forEach(c -> safe.append(c == '"' ? '\'' : c < 32 || c > 126 || c == '\\' ? '?' : (char) c));
        return safe.toString();
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
        if (kind.isGlobal()) {
            return new PathWrites.Path(kind, "", "", request.parameter("id"));
        }
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

    /**
     * Finds the resource of a request by id; if names are unique over the service, also by name, and then the last one that
     * had the name if it was deleted.
     */
    public Future<Found> find(Request request) {
        String given = request.parameter("id");
        if (!kind.isGlobal() || Ids.isId(given)) {
            return resources.find(kind.name(), given, request.minRevision());
        }
        return resources
                .lastAt(path(request).unit(), given)
                .compose(id -> resources.find(kind.name(), id, request.minRevision()));
    }

    /** Reads the resource of a request. */
    public Future<Response> get(Request request) {
        String at = request.query(Route.AT);
        if (at != null) {
            return past.at(at, (reads, revision) -> getAt(request, reads, revision));
        }
        Future<Found> found = isById(request) ? find(request) : atPath(request);
        return found.map(f -> read(f.present(), request)
                .asOf(f.snapshot().asOf().revision(), f.snapshot().isOutdated()));
    }

    /** Reads the resource of a request as of a revision, without encrypted values. */
    private Future<Response> getAt(Request request, PastSnapshots.Reads past, long revision) {
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
        if (request.query(ENVIRONMENT) == null && !kind.isGlobal()) {
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
        Precondition precondition = Precondition.of(request);
        Origin origin = request.origin(request.query("comment"));
        PathWrites.By by = new PathWrites.By(request.caller(), ignored -> origin);
        Future<WriteResult> deleted = isById(request)
                ? named(request).compose(path -> byPath.delete(path, id(request), precondition, by))
                : byPath.delete(path(request), precondition, by);
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
                    .history(kind.name(), found.id(), below, page.limit())
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
                .compose(found ->
                        resources.version(kind.name(), found.id(), wanted).map(earlier -> new Earlier(found, earlier)))
                .compose(both -> {
                    Optional<Change> earlier = both.change();
                    Change change = earlier.orElseThrow(
                            () -> ServiceException.invalid("version", "is not a version of this resource"));
                    if (change.action().isRemoval()) {
                        throw new ServiceException(
                                ErrorCode.CONFLICT,
                                "Version " + wanted + " is a deletion: there is no state to restore");
                    }
                    Resource was = change.resource();
                    Resource current = both.found().resource();
                    if (current != null) {
                        PathWrites.requireContent(kind, request.caller(), current);
                    }
                    PathWrites.requireContent(kind, request.caller(), was);
                    Command.Rollback rollback = new Command.Rollback(
                            ids.next(),
                            kind.name(),
                            was.id(),
                            was.environment(),
                            was.serviceName(),
                            was.name(),
                            was.row(),
                            was.sealed(),
                            null,
                            request.origin(comment));
                    PathWrites.Judged judged =
                            new PathWrites.Judged(rollback, was.row().fields(), List.of());
                    return PathWrites.checked(kind, was.name(), judged, by(request), ignored -> false)
                            .compose(checked -> bus.write(rollback)
                                    .map(result -> warned(written(200, result, request), checked.warnings(result))));
                });
    }

    /** A resource, and the change that made an earlier version of it. */
    private record Earlier(Found found, Optional<Change> change) {}
}
