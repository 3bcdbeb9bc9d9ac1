package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The resource kind of API keys. A rotation sets a new hash, and the old one stays valid for a grace period. Any other
 * update sets the fields that were edited.
 */
public final class AccessKeyKind implements ResourceKind {
    /** All keys are in the memory of every node. */
    private static final long MAX_BYTES = 16 << 20;

    @Override
    public String name() {
        return AccessKey.KIND;
    }

    @Override
    public Long unitMaxBytes(Action action) {
        return MAX_BYTES;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        if (fields.has("hash")) {
            after.set("previous_hash", after.get("hash"));
        }
        after.setAll(fields);
        return new Content(after, sealed);
    }

    /** A name must be unique among the keys that live, because the audit shows it. */
    @Override
    public @Nullable UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
        return before == null || !nameOf(before).equals(nameOf(after)) ? after.unit() : null;
    }

    @Override
    public List<String> judge(Resource after, SortedResources unit) {
        Instant now = Instant.parse(after.row().path("updated_at").textValue());
        String name = nameOf(after);
        for (AccessKey other : AccessKeys.all(unit)) {
            if (!other.id().equals(after.id()) && other.name().equalsIgnoreCase(name) && !other.isExpired(now)) {
                throw new ServiceException(
                        ErrorCode.CONFLICT, "Another key has this name", List.of(), Map.of("id", other.id()));
            }
        }
        return List.of();
    }

    private static String nameOf(Resource resource) {
        return resource.row().path("name").textValue().toLowerCase(Locale.ROOT);
    }

    @Override
    public ObjectNode data(Resource resource) {
        return AccessKeyRoutes.render(resource, null, true);
    }
}
