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
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes of resources that are named by their path. What is at the path is looked up on this node, which may lag behind:
 * a write that does not fit is therefore tried again once the node has applied the whole log.
 */
public final class PathWrites {
    static final int TRIES = 20;
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
        UnitId unit() {
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
            ObjectNode members = Json.object().put(kind.nameField(), name).put("environment", environment);
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
     */
    public record By(Caller caller, Function<@Nullable String, Origin> origin) {}

    /**
     * The result of a write.
     *
     * @param isNew whether it created the resource
     * @param warning a warning for the caller; null if there is none
     */
    public record Written(
            WriteResult result, boolean isNew, @Nullable String warning) {}

    /**
     * A command that fits what is at its path.
     *
     * @param warning a warning for the caller; null if there is none
     */
    record Judged(Command command, @Nullable String warning) {
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
        return write(path, current -> put(path, current, body, precondition, by), backoff(), 0);
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
    public Future<WriteResult> delete(Path path, Precondition precondition, Caller caller, Origin origin) {
        path.kind().requireWrite(caller, path.environment(), path.serviceName());
        return write(
                        path,
                        current -> {
                            precondition.check(current);
                            return delete(path, current, precondition, origin);
                        },
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
    private Future<Written> write(Path path, Function<@Nullable Resource, Judged> judge, Backoff pauses, int tries) {
        Future<Judged> fitting = resources.at(path.unit(), path.name(), 0).map(found -> judge.apply(found.resource()));
        return fitting.transform(done -> {
            if (done.failed()) {
                boolean mayBeOutdated =
                        tries == 0 && done.cause() instanceof ServiceException e && DOUBTFUL.contains(e.code());
                return mayBeOutdated
                        ? resources.awaitLatest().compose(v -> write(path, judge, pauses, 1))
                        : Future.failedFuture(done.cause());
            }
            Judged judged = done.result();
            return bus.write(judged.command())
                    .map(result -> new Written(
                            result, isNew(result, judged.command() instanceof Command.Create), judged.warning()))
                    .recover(e -> {
                        if (!judged.hasMoved(e)) {
                            return Future.failedFuture(e);
                        }
                        return tries + 1 < TRIES
                                ? vertx.timer(pauses.nextMillis(), TimeUnit.MILLISECONDS)
                                        .compose(t -> resources.awaitLatest())
                                        .compose(v -> write(path, judge, pauses, tries + 1))
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
        String comment = fields.text("comment", StringRule.COMMENT);
        UUID id = ids.next();
        VersionedKind.Creation made = path.kind().create(fields, id.toString());
        Command command = new Command.Create(
                id,
                path.kind().name(),
                id.toString(),
                made.environment(),
                made.serviceName(),
                made.name(),
                Json.write(made.fields()),
                made.sealed(),
                by.origin().apply(comment));
        return new Judged(command, null);
    }

    private Judged change(Path path, Resource current, ObjectNode body, Precondition precondition, By by) {
        FieldReader fields = FieldReader.write(body);
        refuseReadOnly(fields, path, current, body, by);
        String comment = fields.text("comment", StringRule.COMMENT);
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
        return new Judged(command, change.warning());
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
    Judged delete(Path path, @Nullable Resource current, Precondition precondition, Origin origin) {
        if (current == null) {
            throw ServiceException.notFound(path.describe() + " does not exist");
        }
        Command command = new Command.Delete(
                ids.next(), path.kind().name(), current.id(), precondition.revisions(), Action.DELETED, null, origin);
        return new Judged(command, null);
    }
}
