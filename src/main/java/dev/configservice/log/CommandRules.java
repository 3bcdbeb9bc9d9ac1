package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.LogEntry.Op;
import dev.configservice.log.ResourceKind.Content;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules that all kinds of resources share. They compute the log entry from a command and the current state, without
 * side effects.
 */
final class CommandRules {
    private final ResourceKinds kinds;

    CommandRules(ResourceKinds kinds) {
        this.kinds = kinds;
    }

    /** The decision on a command: to append an entry to the log, or to keep the resource as it is. */
    sealed interface Decision {
        record Append(LogEntry entry) implements Decision {}

        record Keep(Resource current) implements Decision {}
    }

    /**
     * Decides on a command.
     *
     * @param current the current resource; null if it does not exist
     * @param last the last state of the resource, even if it was deleted; needed only for {@link Command.Rollback} and
     *     {@link Command.Put}
     * @throws ServiceException if the command is refused
     */
    Decision decide(Command command, @Nullable Resource current, @Nullable Resource last, Instant now) {
        if (command instanceof Command.Create c) {
            return create(c, now);
        } else if (command instanceof Command.Put c) {
            return put(c, current, last, now);
        } else if (command instanceof Command.Update c) {
            return update(c, present(command, current), now);
        } else if (command instanceof Command.Delete c) {
            return delete(c, present(command, current), now);
        } else if (command instanceof Command.Rollback c) {
            return rollback(c, current, present(c, last), now);
        }
        throw new IllegalStateException("unknown command: " + command.getClass());
    }

    private Decision create(Command.Create c, Instant now) {
        ResourceRow row =
                RowMeta.created(Json.readObject(c.content()), now, c.origin().actor());
        Resource after =
                new Resource(c.kind(), c.id(), c.environment(), c.serviceName(), c.name(), 1, 0, 0, row, c.sealed());
        return new Decision.Append(
                new LogEntry(Op.CREATE, c.eventId(), Action.CREATED, after, null, false, c.origin(), now, null, null));
    }

    private Decision put(Command.Put c, @Nullable Resource current, @Nullable Resource last, Instant now) {
        ObjectNode content =
                kinds.get(c.kind()).replaced(current == null ? last : current, Json.readObject(c.content()), now);
        if (current == null) {
            ResourceRow row = RowMeta.created(content, now, c.origin().actor());
            Resource after = new Resource(
                    c.kind(),
                    c.id(),
                    c.environment(),
                    c.serviceName(),
                    c.name(),
                    last == null ? 1 : last.version() + 1,
                    0,
                    // above all decisions on the resource that was removed, some of which may still be on their way
                    last == null ? 0 : last.fence() + 1,
                    row,
                    Sealed.NONE);
            return new Decision.Append(
                    new LogEntry(Op.CREATE, c.eventId(), c.action(), after, null, false, c.origin(), now, null, null));
        }
        return new Decision.Append(changed(
                c,
                c.action(),
                current,
                RowMeta.parse(current.row(), current.sealed()),
                new Content(content, Sealed.NONE),
                null,
                now));
    }

    private Decision update(Command.Update c, Resource current, Instant now) {
        requireMatch(c.ifRevisions(), current);
        RowMeta.Parsed parsed = RowMeta.parse(current.row(), current.sealed());
        Content before = parsed.content();
        Content after = kinds.get(c.kind()).update(current, before, Json.readObject(c.fields()), c.sealed());
        boolean same = after.fields().equals(before.fields()) && after.sealed().equals(before.sealed());
        // with a fence, an update that changes nothing is written, too: the higher fence stops earlier decisions that
        // arrive late
        if ((same && c.fence() == null) || isFenced(c.fence(), current)) {
            return new Decision.Keep(current);
        }
        return new Decision.Append(changed(c, c.action(), current, parsed, after, c.fence(), now));
    }

    /** Tells whether the resource already has this fence or a higher one, so that the command comes too late. */
    private static boolean isFenced(@Nullable Long fence, Resource current) {
        return fence != null && current.fence() >= fence;
    }

    private Decision delete(Command.Delete c, Resource current, Instant now) {
        requireMatch(c.ifRevisions(), current);
        if (isFenced(c.fence(), current)) {
            return new Decision.Keep(current);
        }
        ResourceRow row =
                ResourceRow.of(kinds.get(c.kind()).removed(current.row().fields(), now));
        Resource after = next(current, row, current.sealed(), c.fence());
        return new Decision.Append(new LogEntry(
                Op.DELETE,
                c.eventId(),
                c.action(),
                after,
                current.version(),
                c.fence() != null,
                c.origin(),
                now,
                null,
                null));
    }

    private Decision rollback(Command.Rollback c, @Nullable Resource current, Resource last, Instant now) {
        RowMeta.Parsed earlier = RowMeta.parse(c.row(), c.sealed());
        Content content = kinds.get(c.kind()).rollback(current == null ? last : current, earlier.content());
        if (current != null) {
            requireMatch(c.ifRevisions(), current);
            RowMeta.Parsed parsed = RowMeta.parse(current.row(), current.sealed());
            return new Decision.Append(changed(c, Action.ROLLED_BACK, current, parsed, content, null, now));
        }
        ResourceRow row = earlier.updated(content.fields(), now, c.origin().actor());
        Resource after = new Resource(
                c.kind(),
                c.id(),
                c.environment(),
                c.serviceName(),
                c.name(),
                last.version() + 1,
                0,
                0,
                row,
                content.sealed());
        return new Decision.Append(new LogEntry(
                Op.CREATE, c.eventId(), Action.ROLLED_BACK, after, null, false, c.origin(), now, null, null));
    }

    private static LogEntry changed(
            Command c,
            Action action,
            Resource current,
            RowMeta.Parsed parsed,
            Content content,
            @Nullable Long fence,
            Instant now) {
        ResourceRow row = parsed.updated(content.fields(), now, c.origin().actor());
        Resource after = next(current, row, content.sealed(), fence);
        return new LogEntry(
                Op.UPDATE, c.eventId(), action, after, current.version(), fence != null, c.origin(), now, null, null);
    }

    private static Resource next(Resource r, ResourceRow row, Sealed sealed, @Nullable Long fence) {
        return new Resource(
                r.kind(),
                r.id(),
                r.environment(),
                r.serviceName(),
                r.name(),
                r.version() + 1,
                0,
                fence == null ? r.fence() : fence,
                row,
                sealed);
    }

    private static Resource present(Command command, @Nullable Resource current) {
        if (current == null) {
            throw ServiceException.notFound("There is no " + command.kind() + " " + command.id());
        }
        return current;
    }

    private static void requireMatch(@Nullable List<Long> ifRevisions, Resource current) {
        if (ifRevisions != null && !ifRevisions.contains(current.revision())) {
            throw ServiceException.preconditionFailed(current.revision());
        }
    }

    /**
     * Tells whether a command needs the current state of its resource. A creation does not: {@code apply_batch} checks
     * that the resource does not exist yet.
     */
    static boolean readsCurrent(Command command) {
        return !(command instanceof Command.Create);
    }
}
