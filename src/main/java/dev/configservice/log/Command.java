package dev.configservice.log;

import dev.configservice.secret.Sealed;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A write, as a value. The writer computes the new state of a resource from its current state, so a command says
 * what to do, not what comes out. Fields and content are JSON objects.
 */
public sealed interface Command {
    UUID eventId();

    String kind();

    /** The resource's id. */
    String id();

    Origin origin();

    /** About how much text it holds. */
    int chars();

    /** Returns the size of the path and origin of a command, of which only the comment can be long. */
    private static int chars(Origin origin) {
        return 1500 + (origin.comment() == null ? 0 : origin.comment().length());
    }

    /** A new resource. Refused where its path is taken. */
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
     * The complete new state of a resource, which may exist or not. {@code action} is its name in the log.
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
     * Changes the given fields. {@code ifRevisions} are revisions, one of which must be the current one; null if it does not
     * matter. With a {@code fence}, it has no effect on a resource whose fence is as high.
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

    /** Removes a resource; {@code ifRevisions} and {@code fence} as of {@link Update}. */
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
     * Brings back what stood at an earlier version, of a resource that is there or of one that was deleted. {@code row}
     * and {@code sealed} are those of that version.
     */
    record Rollback(
            UUID eventId,
            String kind,
            String id,
            String environment,
            String serviceName,
            String name,
            String row,
            Sealed sealed,
            Origin origin)
            implements Command {
        @Override
        public int chars() {
            return Command.chars(origin) + row.length() + 2 * sealed.length();
        }
    }
}
