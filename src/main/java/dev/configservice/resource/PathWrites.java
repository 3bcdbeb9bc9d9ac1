package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
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
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Backoff;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes of resources that are named by their path. What is at the path is looked up on this node, which may lag behind:
 * a write that does not fit is therefore tried again once the node has applied the whole log.
 */
public final class PathWrites {
    static final int TRIES = 20;

    private static final String TAKEN_BACK = "taken back: what was written at the same time does not fit";
    private static final Duration FIRST_PAUSE = Duration.ofMillis(2);
    private static final Duration MAX_PAUSE = Duration.ofMillis(100);
    /** The failures that a node that lags behind may find without cause. */
    private static final Set<ErrorCode> DOUBTFUL = Set.of(ErrorCode.NOT_FOUND, ErrorCode.PRECONDITION_FAILED);

    private final Vertx vertx;
    private final Resources resources;
    private final ChangeBus bus;
    private final Ids ids;
    private final Map<VersionedKind, String[]> readOnly = new ConcurrentHashMap<>();

    public PathWrites(Vertx vertx, Resources resources, ChangeBus bus, Ids ids) {
        this.vertx = vertx;
        this.resources = resources;
        this.bus = bus;
        this.ids = ids;
    }

    /**
     * The path of a resource.
     *
     * @param serviceName empty if it belongs to no service
     */
    public record Path(VersionedKind kind, String environment, String serviceName, String name) {
        /** Returns the unit of the resource. */
        public UnitId unit() {
            return new UnitId(kind.name(), environment, serviceName);
        }

        /** Returns the path in words. */
        String describe() {
            return "The " + kind.name().replace('_', ' ') + " '" + name + "'"
                    + (environment.isEmpty() ? "" : " in environment '" + environment + "'")
                    + (serviceName.isEmpty() ? "" : " of service '" + serviceName + "'");
        }

        /** Returns the members of a body that repeat the path. */
        private ObjectNode members() {
            ObjectNode members = Json.object().put(kind.nameField(), name);
            if (!kind.isGlobal()) {
                members.put("environment", environment);
            }
            if (kind.belongsToService()) {
                members.put("service_name", serviceName.isEmpty() ? null : serviceName);
            }
            return members;
        }
    }

    /**
     * The caller of a write.
     *
     * @param origin returns the origin of a command with a comment
     * @param isForced whether the caller wants the write in spite of a conflict with resources of other kinds
     */
    public record By(Caller caller, Function<@Nullable String, Origin> origin, boolean isForced) {
        public By(Caller caller, Function<@Nullable String, Origin> origin) {
            this(caller, origin, false);
        }
    }

    /**
     * The result of a write.
     *
     * @param isNew whether it created the resource
     * @param warnings what the caller should know about it
     */
    public record Written(WriteResult result, boolean isNew, List<String> warnings) {}

    /**
     * A command that fits what is at its path.
     *
     * @param content the content after it, which the kind has rules for; null if there are none
     * @param warnings what the caller should know about it
     */
    record Judged(Command command, @Nullable ObjectNode content, List<String> warnings) {
        Judged(Command command) {
            this(command, null, List.of());
        }

        /** Returns the same with the warnings of the writer. */
        List<String> warnings(WriteResult result) {
            List<String> all = new ArrayList<>(warnings);
            all.addAll(result.warnings());
            return all;
        }

        /** Tells whether a failure means that something else is at the path by now. */
        boolean hasMoved(Throwable failure) {
            ErrorCode code = failure instanceof ServiceException e ? e.code() : ErrorCode.INTERNAL;
            return command instanceof Command.Create
                    ? code == ErrorCode.CONFLICT
                    : command instanceof Command.Update && (code == ErrorCode.NOT_FOUND || code == ErrorCode.CONFLICT);
        }
    }

    /**
     * Creates the resource at a path, or changes the fields that are given. Fails with {@link ErrorCode#FORBIDDEN},
     * {@link ErrorCode#INVALID} or {@link ErrorCode#PRECONDITION_FAILED}.
     */
    public Future<Written> put(Path path, ObjectNode body, Precondition precondition, By by) {
        path.kind().requireWrite(by.caller(), path.environment(), path.serviceName());
        return write(path, current -> put(path, current, body, precondition, by), by, backoff(), 0);
    }

    /**
     * Creates the resource that a body describes with its path. Fails with {@link ErrorCode#FORBIDDEN},
     * {@link ErrorCode#INVALID}, or with {@link ErrorCode#CONFLICT} if there is one.
     */
    public Future<Written> create(VersionedKind kind, ObjectNode body, By by) {
        long since = resources.applied();
        Judged judged = create(kind, FieldReader.write(body), by);
        String name = judged.command() instanceof Command.Create c ? c.name() : "";
        return checked(kind, name, judged, by, ignored -> false)
                .compose(j -> bus.write(j.command())
                        .compose(result -> upheld(kind, name, j, by, since, result))
                        .map(result -> new Written(result, true, j.warnings(result))));
    }

    /**
     * Changes the fields that are given of a resource with an id. Fails with {@link ErrorCode#FORBIDDEN},
     * {@link ErrorCode#INVALID}, {@link ErrorCode#PRECONDITION_FAILED}, or with {@link ErrorCode#NOT_FOUND} if it is not at
     * its path.
     */
    public Future<Written> change(Path path, String id, ObjectNode body, Precondition precondition, By by) {
        path.kind().requireWrite(by.caller(), path.environment(), path.serviceName());
        return write(
                path,
                current -> {
                    if (current == null || !current.id().equals(id)) {
                        throw gone();
                    }
                    precondition.check(current);
                    return change(path, current, body, precondition, by);
                },
                by,
                backoff(),
                0);
    }

    private static ServiceException gone() {
        return ServiceException.notFound("The resource does not exist, or was deleted");
    }

    /** Completes with a command once the rules of its kind for its content permit it, and with what they warn of. */
    static Future<Judged> checked(
            VersionedKind kind, String name, Judged judged, By by, Predicate<Resource> isReplaced) {
        VersionedKind.ContentRules rules = kind.contentRules();
        ObjectNode content = judged.content();
        if (rules == null || content == null) {
            return Future.succeededFuture(judged);
        }
        return rules.check(name, content, by.isForced(), isReplaced)
                .map(warnings -> new Judged(
                        judged.command(),
                        content,
                        Stream.concat(judged.warnings().stream(), warnings.stream())
                                .toList()));
    }

    /** Completes with the result of a write, unless what was written meanwhile does not permit it: then it is taken back. */
    private Future<WriteResult> upheld(
            VersionedKind kind, String name, Judged judged, By by, long since, WriteResult result) {
        return conflict(kind, name, judged, by, since, result)
                .compose(failure -> failure == null
                        ? Future.succeededFuture(result)
                        : bus.write(takingBack(result, by)).transform(done -> Future.failedFuture(failure)));
    }

    /** Completes with the failure for which a write must be taken back; null if it may stay. */
    static Future<@Nullable ServiceException> conflict(
            VersionedKind kind, String name, Judged judged, By by, long since, WriteResult result) {
        VersionedKind.ContentRules rules = kind.contentRules();
        ObjectNode content = judged.content();
        boolean isUnchanged = result.replayed() || result.resource().equals(result.before());
        return rules == null || content == null || isUnchanged
                ? Future.succeededFuture(null)
                : rules.recheck(name, content, by.isForced(), since, result.revision());
    }

    /** Returns the command that brings a resource to its state before a write, unless it was changed since. */
    Command takingBack(WriteResult result, By by) {
        Resource after = result.resource();
        Resource before = result.before();
        Origin origin = by.origin().apply(TAKEN_BACK).withoutKey();
        List<Long> revision = List.of(result.revision());
        return before == null
                ? new Command.Delete(ids.next(), after.kind(), after.id(), revision, Action.DELETED, null, origin)
                : new Command.Rollback(
                        ids.next(),
                        before.kind(),
                        before.id(),
                        before.environment(),
                        before.serviceName(),
                        before.name(),
                        before.row(),
                        before.sealed(),
                        revision,
                        origin);
    }

    /** Fails if the caller may not write some content of a kind. */
    static void requireContent(VersionedKind kind, Caller caller, ObjectNode content) {
        VersionedKind.ContentRules rules = kind.contentRules();
        if (rules != null) {
            rules.require(caller, content);
        }
    }

    static Backoff backoff() {
        return new Backoff(FIRST_PAUSE, MAX_PAUSE);
    }

    /** Returns the command that creates the resource at a path, or changes the fields that are given. */
    Judged put(Path path, @Nullable Resource current, ObjectNode body, Precondition precondition, By by) {
        precondition.check(current);
        return current == null ? create(path, body, by) : change(path, current, body, precondition, by);
    }

    /**
     * Deletes the resource at a path. Fails with {@link ErrorCode#FORBIDDEN}, with {@link ErrorCode#PRECONDITION_FAILED},
     * or with {@link ErrorCode#NOT_FOUND} if nothing is there.
     */
    public Future<WriteResult> delete(Path path, Precondition precondition, By by) {
        return delete(path, null, precondition, by);
    }

    /** Deletes the resource at a path if it has an id, in the same way. */
    public Future<WriteResult> delete(Path path, @Nullable String id, Precondition precondition, By by) {
        path.kind().requireWrite(by.caller(), path.environment(), path.serviceName());
        return write(
                        path,
                        current -> {
                            if (id != null && (current == null || !current.id().equals(id))) {
                                throw gone();
                            }
                            precondition.check(current);
                            return deletion(path, current, precondition, by);
                        },
                        by,
                        backoff(),
                        0)
                .map(Written::result);
    }

    /**
     * Writes what fits the state of a path.
     *
     * @param judge returns the command for what is there; null stands for nothing
     * @param tries the number of tries before; from the second one on, this node has applied the whole log
     */
    private Future<Written> write(
            Path path, Function<@Nullable Resource, Judged> judge, By by, Backoff pauses, int tries) {
        long since = resources.applied();
        Future<Judged> fitting = resources
                .at(path.unit(), path.name(), 0)
                .map(found -> judge.apply(found.resource()))
                .compose(judged -> checked(path.kind(), path.name(), judged, by, ignored -> false));
        return fitting.transform(done -> {
            if (done.failed()) {
                boolean mayBeOutdated =
                        tries == 0 && done.cause() instanceof ServiceException e && DOUBTFUL.contains(e.code());
                return mayBeOutdated
                        ? resources.awaitLatest().compose(v -> write(path, judge, by, pauses, 1))
                        : Future.failedFuture(done.cause());
            }
            Judged judged = done.result();
            return bus.write(judged.command())
                    .compose(result -> upheld(path.kind(), path.name(), judged, by, since, result))
                    .map(result -> new Written(
                            result, isNew(result, judged.command() instanceof Command.Create), judged.warnings(result)))
                    .recover(e -> {
                        if (!judged.hasMoved(e)) {
                            return Future.failedFuture(e);
                        }
                        return tries + 1 < TRIES
                                ? vertx.timer(pauses.nextMillis(), TimeUnit.MILLISECONDS)
                                        .compose(t -> resources.awaitLatest())
                                        .compose(v -> write(path, judge, by, pauses, tries + 1))
                                : Future.failedFuture(ServiceException.unavailable(
                                        "Others create and delete it all the time; nothing was written"));
                    });
        });
    }

    /** Tells whether a write created its resource. A repeated request is told what the first one did. */
    private static boolean isNew(WriteResult result, boolean isCreation) {
        return result.replayed() ? result.resource().version() == 1 : isCreation;
    }

    private Judged create(Path path, ObjectNode body, By by) {
        ObjectNode whole = body.deepCopy();
        FieldReader fields = FieldReader.write(whole);
        for (var member : path.members().properties()) {
            JsonNode given = whole.get(member.getKey());
            if (given != null && !given.equals(member.getValue())) {
                fields.error(member.getKey(), "must be as in the path");
            }
            whole.set(member.getKey(), member.getValue());
        }
        return create(path.kind(), fields, by);
    }

    private Judged create(VersionedKind kind, FieldReader fields, By by) {
        String comment = fields.text("comment", StringRule.COMMENT);
        UUID id = ids.next();
        VersionedKind.Creation made = kind.create(fields, id.toString());
        kind.requireWrite(by.caller(), made.environment(), made.serviceName());
        requireContent(kind, by.caller(), made.fields());
        Command command = new Command.Create(
                id,
                kind.name(),
                id.toString(),
                made.environment(),
                made.serviceName(),
                made.name(),
                Json.write(made.fields()),
                made.sealed(),
                by.origin().apply(comment));
        return new Judged(command, made.fields(), List.of());
    }

    private Judged change(Path path, Resource current, ObjectNode body, Precondition precondition, By by) {
        FieldReader fields = FieldReader.write(body);
        refuseReadOnly(fields, path, current, body, by);
        String comment = fields.text("comment", StringRule.COMMENT);
        requireContent(path.kind(), by.caller(), current);
        VersionedKind.Update change = path.kind().change(fields, current, by.caller());
        Command command = new Command.Update(
                ids.next(),
                path.kind().name(),
                current.id(),
                Json.write(change.fields()),
                change.sealed(),
                precondition.revisions(),
                Action.UPDATED,
                null,
                by.origin().apply(comment));
        List<String> warnings = change.warning() == null ? List.of() : List.of(change.warning());
        if (path.kind().contentRules() == null) {
            return new Judged(command, null, warnings);
        }
        ObjectNode content = current.row().fields().setAll(change.fields());
        requireContent(path.kind(), by.caller(), content);
        return new Judged(command, content, warnings);
    }

    /** Fails if the caller may not write the content that a resource has. */
    static void requireContent(VersionedKind kind, Caller caller, Resource current) {
        if (kind.contentRules() != null) {
            requireContent(kind, caller, current.row().fields());
        }
    }

    /** Adds an error for each field that cannot be changed and is given otherwise than it is. */
    private void refuseReadOnly(FieldReader fields, Path path, Resource current, ObjectNode body, By by) {
        String[] names = readOnly.computeIfAbsent(path.kind(), ResourceRoutes::readOnly);
        ObjectNode members = path.members();
        boolean isOnlyPath = true;
        for (String name : names) {
            JsonNode given = body.get(name);
            isOnlyPath &= given == null || given.equals(members.get(name));
        }
        // most bodies give no more of it than the path, and then the resource need not be rendered
        fields.readOnly(isOnlyPath ? members : path.kind().render(current, by.caller()), names);
    }

    /** Returns the command that deletes the resource at a path. Fails with {@link ErrorCode#NOT_FOUND} if nothing is there. */
    Judged deletion(Path path, @Nullable Resource current, Precondition precondition, By by) {
        if (current == null) {
            throw ServiceException.notFound(path.describe() + " does not exist");
        }
        requireContent(path.kind(), by.caller(), current);
        Command command = new Command.Delete(
                ids.next(),
                path.kind().name(),
                current.id(),
                precondition.revisions(),
                Action.DELETED,
                null,
                by.origin().apply(null));
        return new Judged(command);
    }
}
