package dev.configservice.log;

import dev.configservice.secret.Sealed;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A write, as a value. It describes the operation and not the resulting state, because only the writer knows the
 * current state of the resource. Fields and content are JSON objects.
 */
public sealed interface Command {
    UUID eventId();

    String kind();

    /** Returns the id of the resource. */
    String id();

    Origin origin();

    /** Returns the approximate size of the command, in characters. */
    int chars();

    /**
     * Commands that are decided and written together: all of them or none. No two are for one resource or one path.
     *
     * @param id the id of the change set
     * @param isDry whether nothing is written, and the result says what would be
     */
    record Set(UUID id, List<Command> members, boolean isDry) {}

    /** Returns the approximate size of the path and the origin. Only the comment can be long; the rest is estimated. */
    private static int chars(Origin origin) {
        return 1500 + (origin.comment() == null ? 0 : origin.comment().length());
    }

    /** A command that creates a resource. It is refused if another resource has the same path. */
    record Create(
            UUID eventId,
            String kind,
            String id,
            String environment,
            String serviceName,
            String name,
            String content,
            Sealed sealed,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin) + content.length() + 2 * sealed.length();
        }
    }

    /**
     * A command that creates or replaces a resource. {@code content} is its complete new content. {@code action} is the
     * action in the log.
     */
    record Put(
            UUID eventId,
            String kind,
            String id,
            String environment,
            String serviceName,
            String name,
            String content,
            Action action,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin) + content.length();
        }
    }

    /**
     * A command that changes the given fields. One of {@code ifRevisions} must be the current revision; null permits
     * any revision. With a {@code fence}, it has no effect if the fence of the resource is equal or higher.
     */
    record Update(
            UUID eventId,
            String kind,
            String id,
            String fields,
            Sealed sealed,
            @Nullable List<Long> ifRevisions,
            Action action,
            @Nullable Long fence,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin) + fields.length() + 2 * sealed.length();
        }
    }

    /** A command that removes a resource. {@code ifRevisions} and {@code fence} are those of {@link Update}. */
    record Delete(
            UUID eventId,
            String kind,
            String id,
            @Nullable List<Long> ifRevisions,
            Action action,
            @Nullable Long fence,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin);
        }
    }

    /**
     * A command that restores the content of an earlier version of a resource, even if the resource was deleted.
     * {@code row} and {@code sealed} are those of the earlier version; {@code ifRevisions} are those of {@link Update}.
     */
    record Rollback(
            UUID eventId,
            String kind,
            String id,
            String environment,
            String serviceName,
            String name,
            ResourceRow row,
            Sealed sealed,
            @Nullable List<Long> ifRevisions,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin) + row.length() + 2 * sealed.length();
        }
    }
}
