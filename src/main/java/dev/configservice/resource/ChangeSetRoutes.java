package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.log.WriteResult;
import dev.configservice.resource.ChangeSets.Operation;
import dev.configservice.resource.ChangeSets.Outcome;
import dev.configservice.resource.PathWrites.By;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.snapshot.PastSnapshots;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The routes of change sets: do several operations at once, read what a set did, and undo it. */
public final class ChangeSetRoutes implements Routes {
    private static final Pattern OPERATION = Pattern.compile("operations\\[(\\d+)]");
    /** The size from which a value is not repeated in an answer, in characters. */
    private static final int MAX_SHOWN = 16 << 10;

    private static final String ENVIRONMENT = "environment";
    private static final String SERVICE_NAME = "service_name";
    private static final String IF_REVISION = "if_revision";
    private static final String DRY_RUN = "dry_run";

    private final Map<String, VersionedKind> kinds = new HashMap<>();
    private final ChangeSets sets;
    private final ChangeLog changeLog;
    /** The turns of requests that read much of the past. */
    private final PastSnapshots reads;

    private final Ids ids;

    /** Creates the routes for resources of some kinds. */
    public ChangeSetRoutes(
            List<? extends VersionedKind> kinds, ChangeSets sets, ChangeLog changeLog, PastSnapshots reads, Ids ids) {
        kinds.forEach(kind -> this.kinds.put(kind.name(), kind));
        this.sets = sets;
        this.changeLog = changeLog;
        this.reads = reads;
        this.ids = ids;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.api("POST", "/change-sets", this::write)
                        .with(Map.of("full", StringRule.BOOLEAN, VersionedKind.FORCE, StringRule.BOOLEAN))
                        .withBodiesUpTo(SetMember.MAX_BYTES)
                        .onLog(),
                Route.api("GET", "/change-sets/:id", this::read)
                        .needs(Right.READ)
                        .onLog(),
                Route.api("POST", "/change-sets/:id/revert", this::revert)
                        .with(Map.of("full", StringRule.BOOLEAN))
                        .onLog());
    }

    // writing

    private Future<Response> write(Request request) {
        requireWriter(request.caller());
        FieldReader fields = FieldReader.write(request.object());
        String comment = fields.text("comment", StringRule.COMMENT);
        boolean isDry = Boolean.TRUE.equals(fields.bool(DRY_RUN));
        JsonNode given = fields.node("operations");
        if (given == null || !given.isArray() || given.isEmpty() || given.size() > SetMember.MAX_OPERATIONS) {
            fields.error("operations", "must be an array of 1 to " + SetMember.MAX_OPERATIONS + " operations");
            given = Json.object().arrayNode();
        }
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            operation(given.get(i), "operations[" + i + "]", fields.errors()).ifPresent(operations::add);
        }
        if (fields.errors().isEmpty()) {
            refuseTwice(operations, fields.errors());
        }
        fields.done();
        return repeatedOr(request, isDry, () -> done(operations, isDry, comment, request));
    }

    /** Answers a repeated request with what the first one did. Otherwise, or if it is dry, runs it. */
    public Future<Response> repeatedOr(Request request, boolean isDry, Supplier<Future<Response>> run) {
        if (isDry) {
            return run.get();
        }
        return first(request)
                .compose(first -> first.isPresent()
                        ? repeated(first.get(), Boolean.TRUE.equals(request.flag("full")), request)
                        : run.get());
    }

    private Future<Optional<ChangeLog.Repeated>> first(Request request) {
        IdempotencyKey key = request.origin(null).idempotencyKey();
        return key == null ? Future.succeededFuture(Optional.empty()) : changeLog.repeated(key);
    }

    /** Fails unless the caller may write anything. Each operation is checked by itself. */
    public void requireWriter(Caller caller) {
        if (kinds.values().stream().noneMatch(kind -> caller.has(kind.writeRight()))) {
            caller.require(Right.CONFIG_WRITE);
        }
    }

    private Optional<Operation> operation(JsonNode node, String at, List<FieldError> errors) {
        if (!(node instanceof ObjectNode object)) {
            errors.add(new FieldError(at, "must be an object"));
            return Optional.empty();
        }
        int before = errors.size();
        FieldReader fields = FieldReader.write(object);
        String op = fields.required("op", StringRule.oneOf(List.of("put", "delete")));
        String type = fields.required(
                "resource_type",
                StringRule.oneOf(kinds.values().stream()
                        .filter(k -> !k.isInternal())
                        .map(VersionedKind::name)
                        .sorted()
                        .toList()));
        VersionedKind kind = kinds.get(type);
        Long revision = fields.integer(IF_REVISION, 0, Long.MAX_VALUE);
        if (object.has("comment")) {
            fields.error("comment", "is that of the whole set");
        }
        boolean isGlobal = kind != null && kind.isGlobal();
        String environment = isGlobal ? "" : fields.required(ENVIRONMENT, StringRule.NAME);
        String service = kind != null && kind.belongsToService() ? fields.text(SERVICE_NAME, StringRule.NAME) : null;
        // the kind has the rule for the name
        String name = kind == null ? "" : fields.required(kind.nameField(), StringRule.text(1, 255));
        fields.errors().forEach(e -> errors.add(new FieldError(at + "." + e.field(), e.message())));
        if (kind == null || errors.size() > before) {
            return Optional.empty();
        }
        Path path = new Path(kind, environment, service == null ? "" : service, name);
        Precondition precondition = revision == null
                ? Precondition.NONE
                : revision == 0 ? Precondition.ABSENT : Precondition.revision(revision);
        ObjectNode rest = Json.object().setAll(object);
        rest.remove(List.of("op", "resource_type", IF_REVISION));
        if (op.equals("put")) {
            return Optional.of(new Operation.Put(path, rest, precondition));
        }
        rest.remove(kind.nameField());
        if (!isGlobal) {
            rest.remove(List.of(ENVIRONMENT, SERVICE_NAME));
        }
        rest.fieldNames()
                .forEachRemaining(field -> errors.add(new FieldError(at + "." + field, "is not known in a deletion")));
        return Optional.of(new Operation.Delete(path, precondition));
    }

    private static void refuseTwice(List<Operation> operations, List<FieldError> errors) {
        Map<Path, Integer> known = new HashMap<>();
        for (int i = 0; i < operations.size(); i++) {
            Integer other = known.putIfAbsent(operations.get(i).path(), i);
            if (other != null) {
                errors.add(new FieldError(
                        "operations[" + i + "]", "has the same path as operations[" + other + "]: give one of them"));
            }
        }
    }

    /** Does operations of a request, of which no two have the same path, and answers what they did. */
    public Future<Response> done(
            List<? extends Operation> operations, boolean isDry, @Nullable String comment, Request request) {
        Caller caller = request.caller();
        if (operations.isEmpty()) {
            IdempotencyKey key = isDry ? null : request.origin(comment).idempotencyKey();
            return key == null
                    ? Future.succeededFuture(nothing(isDry, request))
                    : changeLog
                            .keepKey(key, ids.next())
                            .compose(first -> repeated(first, Boolean.TRUE.equals(request.flag("full")), request));
        }
        if (isDry) {
            operations.forEach(o ->
                    caller.require(Right.READ, o.path().environment(), o.path().serviceName()));
        }
        Origin origin = isDry ? request.origin(comment).withoutKey() : request.origin(comment);
        boolean isFull = isDry || Boolean.TRUE.equals(request.flag("full"));
        return sets.write(
                        operations,
                        isDry,
                        new By(caller, ignored -> origin, Boolean.TRUE.equals(request.flag(VersionedKind.FORCE))))
                .compose(outcome -> outcome.result().replayed()
                        ? first(request).compose(first -> repeated(first.orElseThrow(), isFull, request))
                        : Future.succeededFuture(shown(outcome, operations, isDry, isFull, request)));
    }

    /** Answers a request that has nothing to change. */
    private Response nothing(boolean isDry, Request request) {
        Outcome nothing = new Outcome(null, new WriteResult.OfSet(0, List.of(), false), List.of());
        return shown(nothing, List.of(), isDry, false, request);
    }

    private Response shown(
            Outcome outcome, List<? extends Operation> operations, boolean isDry, boolean isFull, Request request) {
        List<WriteResult> members = outcome.result().members();
        ObjectNode body = Json.object();
        ArrayNode results = Json.object().arrayNode();
        long last = 0;
        for (int i = 0; i < members.size(); i++) {
            WriteResult r = members.get(i);
            boolean isUnchanged = r.resource().equals(r.before());
            boolean isRemoval = !isUnchanged && isRemoval(operations.get(i));
            String action =
                    isUnchanged ? "unchanged" : isRemoval ? "deleted" : r.before() == null ? "created" : "updated";
            ObjectNode result = result(
                    i, action, r.resource(), r.before(), isRemoval, isDry && !isUnchanged, isFull, request.caller());
            List<String> warnings = outcome.warnings().get(i);
            if (!warnings.isEmpty()) {
                warnings.forEach(result.putArray("warnings")::add);
            }
            if (!isInternal(r.resource())) {
                results.add(result);
            }
            last = isUnchanged ? last : Math.max(last, r.revision());
        }
        UUID id = outcome.id();
        body.put("id", id == null ? null : id.toString());
        body.put("applied", !isDry);
        body.put("first_revision", id == null ? null : (Long) outcome.result().firstRevision());
        body.put("last_revision", id == null ? null : (Long) last);
        body.set("results", results);
        Response response = Response.json(200, body);
        return id == null ? response : response.wrote(last);
    }

    private boolean isInternal(Resource resource) {
        VersionedKind kind = kinds.get(resource.kind());
        return kind != null && kind.isInternal();
    }

    private static boolean isRemoval(Operation operation) {
        return operation instanceof Operation.Delete
                || (operation instanceof Operation.Restore restore && restore.earlier() == null);
    }

    /**
     * Returns a failure of operations that were made of something else, with the places there.
     *
     * @param place returns the place of an operation
     */
    public static Throwable placed(Throwable e, IntFunction<String> place) {
        if (!(e instanceof ServiceException s) || s.errors().isEmpty()) {
            return e;
        }
        List<FieldError> errors = new ArrayList<>();
        for (FieldError error : s.errors()) {
            String field = error.field();
            int end = field.indexOf(']');
            if (field.startsWith("operations[") && end > 0) {
                int index = Integer.parseInt(field.substring("operations[".length(), end));
                field = place.apply(index) + field.substring(end + 1);
            }
            errors.add(new FieldError(field, error.message()));
        }
        if (s.code() == ErrorCode.INVALID) {
            return ServiceException.invalid(errors);
        }
        String detail = OPERATION
                .matcher(String.valueOf(s.getMessage()))
                .replaceAll(m -> Matcher.quoteReplacement(place.apply(Integer.parseInt(m.group(1)))));
        return new ServiceException(s.code(), detail, errors, s.members());
    }

    /** Returns what an operation did. Encrypted values are never shown. */
    private ObjectNode result(
            int index,
            String action,
            Resource after,
            @Nullable Resource before,
            boolean isRemoval,
            boolean isDry,
            boolean isFull,
            Caller caller) {
        ObjectNode o = Json.object();
        o.put("index", index);
        o.put("action", action);
        o.put("id", after.id());
        o.put("version", after.version());
        o.put("revision", isDry ? null : (Long) after.revision());
        if (isFull) {
            o.set("before", before == null ? null : state(before, caller));
            ObjectNode now = isRemoval ? null : state(after, caller);
            if (now != null && isDry) {
                now.putNull("revision");
            }
            o.set("after", now);
        }
        return o;
    }

    private @Nullable ObjectNode state(Resource resource, Caller caller) {
        VersionedKind kind = kinds.get(resource.kind());
        if (kind == null || !caller.may(Right.READ, resource.environment(), resource.serviceName())) {
            return null;
        }
        ObjectNode shown = kind.render(resource, caller);
        JsonNode value = shown.get("value");
        if (resource.isSealed()) {
            shown.putNull("value");
        } else if (value != null && Json.write(value).length() > MAX_SHOWN) {
            shown.putNull("value").put("truncated", true);
        }
        return shown;
    }

    // reading

    /** The changes of a set, each with the state before it. */
    private record Past(UUID id, List<Change> changes, Map<String, Resource> before) {
        /** Returns the resource of a change as it was before; null if it was not there. */
        @Nullable
        Resource before(Change change) {
            return before.get(
                    ChangeLog.key(change.resource().kind(), change.resource().id()));
        }
    }

    private Future<Past> past(UUID id) {
        return changeLog.ofSet(id).compose(changes -> {
            if (changes.isEmpty()) {
                throw ServiceException.notFound("There is no such change set");
            }
            SetMember first = changes.get(0).set();
            if (first != null && changes.size() < first.count()) {
                throw new ServiceException(ErrorCode.GONE, "The log no longer holds all changes of this set");
            }
            return changeLog.before(changes).map(before -> new Past(id, changes, before));
        });
    }

    private static UUID id(Request request) {
        String id = request.parameter("id");
        if (!Ids.isId(id)) {
            throw ServiceException.notFound("There is no such change set");
        }
        return UUID.fromString(id);
    }

    private Future<Response> read(Request request) {
        UUID id = id(request);
        return reads.inTurn(turn -> past(id).map(past -> {
            List<Change> visible = past.changes().stream()
                    .filter(c -> request.caller()
                            .may(
                                    Right.READ,
                                    c.resource().environment(),
                                    c.resource().serviceName()))
                    .toList();
            if (visible.isEmpty()) {
                throw ServiceException.notFound("There is no such change set");
            }
            ObjectNode body = shown(past, visible, true, request.caller());
            Change first = past.changes().get(0);
            body.put("comment", first.comment());
            body.put("changed_at", Json.time(first.occurredAt()));
            body.set(
                    "changed_by",
                    request.caller().has(Right.AUDIT_READ) ? first.actor().toJson() : null);
            return Response.json(200, body);
        }));
    }

    private ObjectNode shown(Past past, List<Change> changes, boolean isFull, Caller caller) {
        ObjectNode body = Json.object();
        body.put("id", past.id().toString());
        body.put("applied", true);
        body.put("first_revision", past.changes().get(0).revision());
        body.put("last_revision", past.changes().get(past.changes().size() - 1).revision());
        ArrayNode results = body.putArray("results");
        for (Change change : changes) {
            if (isInternal(change.resource())) {
                continue;
            }
            SetMember set = change.set();
            Resource before = past.before(change);
            boolean isRemoval = change.action().isRemoval();
            String action = isRemoval ? "deleted" : before != null ? "updated" : "created";
            results.add(result(
                    set == null ? 0 : set.index(),
                    action,
                    change.resource(),
                    before,
                    isRemoval,
                    false,
                    isFull,
                    caller));
        }
        return body;
    }

    /** Answers a repeated request with what the first one did: its changes, as far as the log holds them. */
    private Future<Response> repeated(ChangeLog.Repeated first, boolean isFull, Request request) {
        if (first.revision() == 0) {
            return Future.succeededFuture(nothing(false, request));
        }
        return changeLog.at(first.revision()).compose(found -> {
            SetMember set = found.map(Change::set).orElse(null);
            if (set == null) {
                throw new ServiceException(ErrorCode.GONE, "The result of the first request is no longer in the log");
            }
            return reads.inTurn(turn -> past(set.id()).map(past -> {
                long last = past.changes().get(past.changes().size() - 1).revision();
                return Response.json(200, shown(past, past.changes(), isFull, request.caller()))
                        .wrote(last);
            }));
        });
    }

    // undoing

    private Future<Response> revert(Request request) {
        requireWriter(request.caller());
        FieldReader fields = FieldReader.write(request.object());
        String comment = fields.text("comment", StringRule.COMMENT);
        boolean isDry = Boolean.TRUE.equals(fields.bool(DRY_RUN));
        boolean skips = Boolean.TRUE.equals(fields.bool("skip_changed"));
        fields.done();
        return repeatedOr(request, isDry, () -> revert(request, comment, isDry, skips));
    }

    private Future<Response> revert(Request request, @Nullable String comment, boolean isDry, boolean skips) {
        UUID id = id(request);
        return reads.inTurn(turn -> past(id).compose(past -> {
            List<Operation.Restore> undone = new ArrayList<>();
            Set<Path> seen = new HashSet<>();
            for (int i = past.changes().size() - 1; i >= 0; i--) {
                Operation.Restore restore = undo(past, past.changes().get(i));
                if (seen.add(restore.path())) {
                    undone.add(restore);
                }
            }
            // the notes of templates last, so that the others have the places that the caller sees
            undone.sort(Comparator.comparing(restore -> restore.path().kind().isInternal()));
            return (skips ? sets.unchangedSince(undone) : Future.succeededFuture(undone))
                    .compose(left -> left.isEmpty()
                            ? Future.failedFuture(new ServiceException(
                                    ErrorCode.CONFLICT, "All of it has been changed since: nothing is left to undo"))
                            : done(left, isDry, comment, request));
        }));
    }

    private Operation.Restore undo(Past past, Change change) {
        Resource r = change.resource();
        VersionedKind kind = kinds.get(r.kind());
        if (kind == null) {
            throw new ServiceException(ErrorCode.CONFLICT, "This version does not know the kind " + r.kind());
        }
        Path path = new Path(kind, r.environment(), r.serviceName(), r.name());
        Long expected = change.action().isRemoval() ? null : (Long) change.revision();
        return new Operation.Restore(path, past.before(change), expected);
    }
}
