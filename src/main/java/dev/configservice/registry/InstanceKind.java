package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Sealed;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The resource kind of instances. An update replaces only the given fields. The status that is shown is computed from
 * what the instance says, its checks, its lease and its override.
 */
public final class InstanceKind implements ResourceKind {
    /** The time for which an override outlives a deregistration, as a multiple of the lease. */
    private static final int OVERRIDE_OUTLIVES_LEASES = 10;

    /** The estimated size of what is stored of an instance beside its registration: name, times, actors. */
    private static final long STORED_BESIDE = 400;

    private final long maxBytes;
    private final FleetSize fleet;

    /**
     * Creates the kind.
     *
     * @param maxBytes the largest size of all instances of a service
     * @param fleet the size of all instances, which is limited, too
     */
    public InstanceKind(long maxBytes, FleetSize fleet) {
        this.maxBytes = maxBytes;
        this.fleet = fleet;
    }

    @Override
    public String name() {
        return Instance.KIND;
    }

    /** Only registrations are limited: a heartbeat is never refused. */
    @Override
    public @Nullable Long unitMaxBytes(Action action) {
        return action == Action.REGISTERED ? maxBytes : null;
    }

    @Override
    public boolean isPublic() {
        return true;
    }

    @Override
    public boolean belongsToService() {
        return true;
    }

    @Override
    public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
        ObjectNode after = content.fields().deepCopy();
        after.setAll(fields);
        return new Content(judged(after), sealed);
    }

    /**
     * Counts a registration, and keeps what it does not set: the override of an operator, also for a while after a deregistration, and
     * the result of checks of the same address.
     */
    @Override
    public ObjectNode replaced(@Nullable Resource last, ObjectNode content, Instant now) {
        if (last == null) {
            fleet.add(Json.write(content).length() + STORED_BESIDE);
            return judged(content);
        }
        ObjectNode before = last.row().fields();
        JsonNode removedAt = before.path(Instance.REMOVED_AT);
        boolean isRemoved = removedAt.isTextual();
        fleet.add(Json.write(content).length()
                + STORED_BESIDE
                - (isRemoved ? 0L : last.row().length()));
        if (!isRemoved && before.path("health_check_url").equals(content.path("health_check_url"))) {
            content.set(Instance.CHECK_FAILING, before.get(Instance.CHECK_FAILING));
        }
        if (!isRemoved || now.isBefore(Instant.parse(removedAt.textValue()).plus(overrideOutlives(before)))) {
            content.set(Instance.OVERRIDE, before.get(Instance.OVERRIDE));
        }
        return judged(content);
    }

    private static Duration overrideOutlives(ObjectNode row) {
        return row.path("permanent").asBoolean()
                ? Duration.ofHours(1)
                : Duration.ofSeconds(row.path("lease_seconds").asLong(Instance.DEFAULT_LEASE_SECONDS))
                        .multipliedBy(OVERRIDE_OUTLIVES_LEASES);
    }

    @Override
    public ObjectNode removed(ObjectNode fields, Instant now) {
        return fields.put(Instance.REMOVED_AT, Json.time(now));
    }

    private static ObjectNode judged(ObjectNode row) {
        return row.put("status", Instance.shown(row).text());
    }

    @Override
    public ObjectNode data(Resource resource) {
        return Instance.render(resource, resource.row().fields());
    }
}
