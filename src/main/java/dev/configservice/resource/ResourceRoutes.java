package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
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
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.Resources.Found;
import io.vertx.core.Future;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the routes of all kinds of versioned resources share: read by id, delete, history, rollback, and their answers. */
public final class ResourceRoutes {
    /** The longest comment of a write. */
    public static final StringRule COMMENT = StringRule.text(0, 2000);

    private final Face face;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;

    public ResourceRoutes(Face face, Resources resources, ChangeBus bus, Ids ids) {
        this.face = face;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
    }

    /** What differs from kind to kind. */
    public interface Face {
        String kind();

        /** The path below {@code /api/v1}, without a slash at its end. */
        String path();

        Right writeRight();

        /** The resource as this caller sees it; what it may not see is masked. */
        ObjectNode render(Resource resource, Caller caller);

        /** Whether something of it is masked for this caller. */
        boolean isMasked(Resource resource, Caller caller);

        /** Fails where this caller may not read the resource by itself, {@code serviceName} being the one it reads for. */
        void requireRead(Resource resource, Caller caller);

        /** Fails where this caller may not write there. */
        default void requireWrite(Caller caller, String environment, String serviceName) {
            caller.requireWrite(writeRight(), environment, serviceName);
        }

        /** Fails where an earlier state may not be brought back, by what stands around it. */
        default Future<Void> checkRollback(Resource earlier, Request request) {
            return Future.succeededFuture();
        }

        /** Hears that a resource was read by itself, as far as this caller may see it. */
        default void wasRead(Resource resource, Request request) {}

        /** What stood at a version, as history shows it; null where nobody may see it. */
        @Nullable
        JsonNode historyValue(Change change);
    }

    /** Enters the routes by id. GET and PUT are the feature's own. */
    public void mount(Routes.Table table) {
        String byId = face.path() + "/:id";
        table.coreRoute("DELETE", byId, face.writeRight(), Map.of(), this::delete);
        table.coreRoute(
                "GET",
                byId + "/history",
                Right.READ,
                Map.of(Page.LIMIT, Page.SIZE, Page.TOKEN, StringRule.ANY),
                this::history);
        table.coreRoute("POST", byId + "/rollback", face.writeRight(), Map.of(), this::rollback);
    }

    /** A resource by id that is there, for a write of this caller. */
    public Future<Found> forWrite(Request request) {
        return find(request).map(found -> {
            requireWrite(request, found);
            return found;
        });
    }

    private void requireWrite(Request request, Found found) {
        face.requireWrite(
                request.caller(),
                found.path().unit().environment(),
                found.path().unit().serviceName());
    }

    public Future<Found> find(Request request) {
        return resources.find(face.kind(), request.parameter("id"), request.minRevision());
    }

    /** GET by id. */
    public Future<Response> get(Request request) {
        return find(request).map(found -> {
            Resource resource = found.present();
            return read(resource, request)
                    .asOf(found.snapshot().asOf().revision(), found.snapshot().isOutdated());
        });
    }

    /** The answer to a read of one resource. */
    public Response read(Resource resource, Request request) {
        face.requireRead(resource, request.caller());
        face.wasRead(resource, request);
        return show(200, resource, request.caller());
    }

    private Response show(int status, Resource resource, Caller caller) {
        boolean masked = face.isMasked(resource, caller);
        return Response.json(status, face.render(resource, caller))
                .tagged(resource.revision() + (masked ? "-m" : ""))
                .asSecret(resource.isSealed() && !masked);
    }

    /** The answer to a write. */
    public Response written(int status, WriteResult result, Request request) {
        face.wasRead(result.resource(), request);
        Response answer = show(status, result.resource(), request.caller()).wrote(result.revision());
        return status == 201
                ? answer.header(
                        "Location",
                        "/api/v1" + face.path() + "/" + result.resource().id())
                : answer;
    }

    private Future<Response> delete(Request request) {
        return forWrite(request).compose(found -> {
            Resource resource = found.present();
            return bus.write(new Command.Delete(
                            ids.next(),
                            face.kind(),
                            resource.id(),
                            request.ifMatch(),
                            Action.DELETED,
                            null,
                            request.origin(null)))
                    .map(result -> Response.empty(204).wrote(result.revision()));
        });
    }

    private Future<Response> history(Request request) {
        Page page = Page.of(request, 1);
        long below = page.isFirst() ? Long.MAX_VALUE : parse(page.after().get(0));
        return find(request).compose(found -> {
            request.caller()
                    .require(
                            Right.READ,
                            found.path().unit().environment(),
                            found.path().unit().serviceName());
            String id = request.parameter("id").toLowerCase(java.util.Locale.ROOT);
            return resources
                    .history(face.kind(), id, below, page.limit() + 1)
                    .map(changes -> page.answer(
                                    request,
                                    changes,
                                    c -> version(c, request.caller()),
                                    c -> List.of(Long.toString(c.resource().version())))
                            .tagged(Long.toString(found.snapshot().lastChange())));
        });
    }

    private static long parse(String version) {
        try {
            return Long.parseLong(version);
        } catch (NumberFormatException e) {
            throw ServiceException.invalid(Page.TOKEN, "is not one that a page gave");
        }
    }

    private ObjectNode version(Change change, Caller caller) {
        ObjectNode o = Json.object();
        o.put("version", change.resource().version());
        o.put("revision", change.revision());
        o.put("action", change.action().text());
        o.set("value", change.action().isRemoval() ? null : face.historyValue(change));
        o.put("changed_by", caller.has(Right.AUDIT_READ) ? change.actor() : null);
        o.put("changed_at", Json.time(change.occurredAt()));
        o.put("comment", change.comment());
        return o;
    }

    private Future<Response> rollback(Request request) {
        FieldReader form = FieldReader.write(request.object());
        Long version = form.integer("version", 1, Long.MAX_VALUE);
        if (version == null && form.errors().isEmpty()) {
            form.error("version", "is required");
        }
        String comment = form.text("comment", COMMENT);
        form.done();
        long wanted = version == null ? 0 : version;
        return find(request)
                .compose(found -> {
                    requireWrite(request, found);
                    String id = request.parameter("id").toLowerCase(java.util.Locale.ROOT);
                    Origin origin = request.origin(comment);
                    return resources.version(face.kind(), id, wanted).compose(earlier -> {
                        Change change = earlier.orElseThrow(
                                () -> ServiceException.invalid("version", "is not one that this resource has had"));
                        if (change.action().isRemoval()) {
                            throw new ServiceException(
                                    ErrorCode.CONFLICT, "Version " + wanted + " is a deletion; nothing stood there");
                        }
                        Resource was = change.resource();
                        return face.checkRollback(was, request)
                                .compose(v -> bus.write(new Command.Rollback(
                                        ids.next(),
                                        face.kind(),
                                        id,
                                        was.environment(),
                                        was.serviceName(),
                                        was.name(),
                                        was.row(),
                                        was.sealed(),
                                        origin)));
                    });
                })
                .map(result -> written(200, result, request));
    }
}
