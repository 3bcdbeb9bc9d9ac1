package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.registry.lease.LeaseHolder;
import io.vertx.core.buffer.Buffer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A registered instance, as recorded in the log.
 *
 * @param holder the data that its lease needs
 * @param shown the cache of its JSON
 */
public record Instance(Resource resource, ObjectNode row, Status status, LeaseHolder holder, Shown shown) {
    /** The name of the resource kind. */
    public static final String KIND = "service";

    static final int DEFAULT_LEASE_SECONDS = 90;
    static final int MIN_LEASE_SECONDS = 5;
    static final int MAX_LEASE_SECONDS = 3600;

    private static final String NULL = "null";
    private static final String RESPONSE_TIME = "\"response_time\":";
    private static final String LAST_HEARTBEAT_AT = "\"last_heartbeat_at\":";

    static final int DEFAULT_WEIGHT = 100;
    static final int MAX_WEIGHT = 1000;

    /** The field with the status that the instance reports itself. Only {@code status} is shown, which follows from all. */
    static final String SAID = "said";
    /** The field that tells whether active checks of the instance fail. */
    static final String CHECK_FAILING = "check_failing";
    /** The field that tells whether the lease has expired. */
    static final String EXPIRED = "expired";
    /** The field with the status that an operator has set; null if none. */
    static final String OVERRIDE = "override";
    /** The field with what the instance gave in the forms of other systems, by the names of their facades. Never shown. */
    static final String FOREIGN = "foreign";
    /** The field with the seconds from becoming unhealthy to the removal; it is absent where they were not given. */
    static final String REMOVE_AFTER = "remove_after_seconds";

    /** The field with the time of the removal, in the entry of the removal only. */
    static final String REMOVED_AT = "removed_at";

    /** Returns the status that the instance reports itself. */
    public Status said() {
        return Status.of(row.path(SAID).asText()).orElse(status);
    }

    /** Returns the fields that the instance gave in the form of another system; empty if it was not registered by it. */
    public JsonNode foreign(String facade) {
        return row.path(FOREIGN).path(facade);
    }

    /** Returns the status that an operator has set; null if none. */
    public @Nullable Status override() {
        return Status.of(row.path(OVERRIDE).path("status").asText()).orElse(null);
    }

    /** Returns the metadata, an object of strings. */
    public JsonNode metadata() {
        return row.path("metadata");
    }

    /** Returns the URL of active checks; null if there is none. */
    public @Nullable String checkUrl() {
        return row.path("health_check_url").textValue();
    }

    /** Returns the time of the registration. */
    public Instant registeredAt() {
        return Instant.parse(row.path("registered_at").asText());
    }

    /** Returns the time of the last change in the log. */
    public Instant updatedAt() {
        return Instant.parse(row.path("updated_at").asText());
    }

    /** Tells whether active checks of the instance fail. */
    public boolean isCheckFailing() {
        return row.path(CHECK_FAILING).asBoolean();
    }

    /** Tells whether the lease has expired. */
    public boolean isExpired() {
        return row.path(EXPIRED).asBoolean();
    }

    /** Tells whether the instance stays without heartbeats. It has no lease then. */
    public boolean isPermanent() {
        return row.path("permanent").asBoolean();
    }

    /** Returns the instance's share among the healthy ones; at 0 it is never picked. */
    int weight() {
        return row.path("weight").asInt(DEFAULT_WEIGHT);
    }

    /**
     * Computes the status that is shown: the worst of what the instance says, its checks, its lease and its override. An
     * override {@code healthy} lifts what the instance says if that is {@code stopping}.
     */
    static Status shown(ObjectNode row) {
        Status said = Status.of(row.path(SAID).asText()).orElse(Status.UNHEALTHY);
        Status override = Status.of(row.path(OVERRIDE).path("status").asText()).orElse(Status.HEALTHY);
        boolean lifted = said == Status.STOPPING && row.path(OVERRIDE).isObject() && override == Status.HEALTHY;
        Status own = lifted ? Status.HEALTHY : said;
        boolean failing =
                row.path(CHECK_FAILING).asBoolean() || row.path(EXPIRED).asBoolean();
        return failing ? Status.UNHEALTHY : own.isWorseThan(override) ? own : override;
    }

    /** Returns the unit of the instances of a service. */
    public static UnitId unit(String serviceName) {
        return new UnitId(KIND, "", serviceName);
    }

    static String id(String serviceName, String instanceId) {
        return serviceName + "/" + instanceId;
    }

    public static Instance of(Resource resource) {
        ObjectNode row = resource.row().fields();
        Status status = Status.of(row.path("status").asText()).orElse(Status.UNHEALTHY);
        return new Instance(
                resource,
                row,
                status,
                new LeaseHolder(
                        LeaseHolder.key(resource.serviceName(), resource.name()),
                        Duration.ofSeconds(row.path("lease_seconds").asLong(DEFAULT_LEASE_SECONDS)),
                        removeAfter(row),
                        resource.fence(),
                        row.path(EXPIRED).asBoolean()),
                new Shown());
    }

    private static @Nullable Duration removeAfter(ObjectNode row) {
        return row.has(REMOVE_AFTER) ? Duration.ofSeconds(row.get(REMOVE_AFTER).asLong()) : null;
    }

    /**
     * Returns the time for which it may be unhealthy, because its lease ended or its check fails, before it is removed; null
     * if it is kept for ten leases, or as long as its check fails.
     */
    public @Nullable Duration removeAfter() {
        return holder.removal();
    }

    /** Returns the key of the lease. */
    public String key() {
        return holder.key();
    }

    /** Returns the time until it expires without a heartbeat. */
    public Duration lease() {
        return holder.lease();
    }

    public String serviceName() {
        return resource.serviceName();
    }

    public String instanceId() {
        return resource.name();
    }

    public String url() {
        return row.path("service_url").asText();
    }

    /**
     * The cached JSON of an instance. It holds the last complete JSON and the heartbeat that it shows, because most
     * lookups ask for the same JSON again. It also holds the two parts that no heartbeat changes: {@code head} ends
     * before the response time, {@code middle} is between the response time and the time of the heartbeat.
     */
    static final class Shown {
        private volatile @Nullable Of last;
        private volatile @Nullable Parts parts;

        private record Of(LeaseBeats.Beat beat, Buffer json) {}

        private record Parts(Buffer head, Buffer middle) {}
    }

    /** Returns the JSON that the API shows, from the cache if possible. Callers must not change the buffer. */
    Buffer json(LeaseBeats.Beat beat) {
        Shown.Of last = shown.last;
        if (last == null || !last.beat().equals(beat)) {
            last = new Shown.Of(beat, fresh(beat));
            shown.last = last;
        }
        return last.json();
    }

    /**
     * Returns the JSON that the API shows, without caching it. It serves a heartbeat that has just arrived: nobody is
     * likely to ask for the same JSON again soon.
     */
    Buffer fresh(LeaseBeats.Beat beat) {
        if (beat.atMillis() <= 0) {
            return Buffer.buffer(Json.bytes(render(beat)));
        }
        Shown.Parts parts = parts();
        return Buffer.buffer(parts.head().length() + parts.middle().length() + 48)
                .appendBuffer(parts.head())
                .appendString(
                        beat.responseTime() < 0
                                ? NULL
                                : number(beat.responseTime()).toString())
                .appendBuffer(parts.middle())
                .appendString('"' + Json.time(beat.atMillis()) + "\"}");
    }

    private Shown.Parts parts() {
        Shown.Parts parts = shown.parts;
        if (parts == null) {
            String text = Json.write(render(resource, row));
            // the last occurrences are the fields themselves: no field after them can contain these strings
            int time = text.lastIndexOf(RESPONSE_TIME + NULL) + RESPONSE_TIME.length();
            int at = text.lastIndexOf(LAST_HEARTBEAT_AT) + LAST_HEARTBEAT_AT.length();
            parts = new Shown.Parts(
                    Buffer.buffer(text.substring(0, time)), Buffer.buffer(text.substring(time + NULL.length(), at)));
            shown.parts = parts;
        }
        return parts;
    }

    /** Returns the object that the API shows. The values that heartbeats carry come from {@code beat}. */
    ObjectNode render(LeaseBeats.Beat beat) {
        ObjectNode o = render(resource, row);
        if (beat.atMillis() > 0) {
            o.put("last_heartbeat_at", Json.time(beat.atMillis()));
            if (beat.responseTime() >= 0) {
                o.put("response_time", number(beat.responseTime()));
            }
        }
        return o;
    }

    private static BigDecimal number(double responseTime) {
        return BigDecimal.valueOf(responseTime).stripTrailingZeros();
    }

    static ObjectNode render(Resource resource, ObjectNode row) {
        ObjectNode o = Json.object();
        o.put("instance_id", resource.name());
        o.put("service_name", resource.serviceName());
        o.set("service_url", row.get("service_url"));
        o.put(
                "health_check_url",
                HttpUrls.withoutSecrets(row.path("health_check_url").textValue()));
        o.set("metadata", row.get("metadata"));
        o.put("weight", row.path("weight").asInt(DEFAULT_WEIGHT));
        o.set("status", row.get("status"));
        o.set(
                OVERRIDE,
                row.path(OVERRIDE).isObject()
                        ? ((ObjectNode) row.get(OVERRIDE)).deepCopy().putNull("set_by")
                        : null);
        o.putNull("response_time");
        boolean permanent = row.path("permanent").asBoolean();
        o.put("permanent", permanent);
        o.set("lease_seconds", permanent ? null : row.get("lease_seconds"));
        o.set("registered_at", row.get("registered_at"));
        o.set("last_heartbeat_at", row.get("registered_at"));
        return o;
    }
}
