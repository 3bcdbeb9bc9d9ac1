package dev.configservice.facade.consul;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registration;
import dev.configservice.registry.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The checks of a service of Consul. An instance keeps them as they were given, each with its last status, and has the worst
 * of them as its own. Its lease is the shortest TTL, which a heartbeat for any of them renews.
 */
final class ConsulChecks {
    static final String PASSING = "passing";
    static final String WARNING = "warning";
    static final String CRITICAL = "critical";

    private static final Set<String> STATUSES = Set.of(PASSING, WARNING, CRITICAL);
    private static final String TTL = "ttl";
    private static final String TTL_SECONDS = "ttl_seconds";
    private static final String STATUS = "status";
    private static final String REMOVE_AFTER = "deregister_seconds";
    private static final int MIN_REMOVE_AFTER = 60;
    private static final int MAX = 20;
    private static final int MAX_OUTPUT = 500;

    private final ArrayNode all;

    private ConsulChecks(ArrayNode all) {
        this.all = all;
    }

    /** Returns the checks that an instance keeps; none if it was not registered in the form of Consul. */
    static ConsulChecks of(Instance instance) {
        JsonNode kept = instance.foreign(ConsulService.FOREIGN).path(ConsulService.CHECKS);
        return new ConsulChecks(
                kept instanceof ArrayNode array
                        ? array.deepCopy()
                        : Json.object().arrayNode());
    }

    /**
     * Reads the checks of a registration.
     *
     * @param hasActiveChecks whether the URL of a check is asked
     */
    static ConsulChecks read(JsonNode body, String instanceId, boolean hasActiveChecks) {
        List<JsonNode> given = new ArrayList<>();
        JsonNode one = ConsulService.member(body, "Check");
        if (one != null) {
            given.add(one);
        }
        JsonNode several = ConsulService.member(body, "Checks");
        if (several != null) {
            several.forEach(given::add);
        }
        ConsulChecks checks = new ConsulChecks(Json.object().arrayNode());
        for (int i = 0; i < given.size(); i++) {
            checks.add(given.get(i), id(instanceId, i, given.size()), hasActiveChecks);
        }
        return checks;
    }

    /** Returns the id of a check that was given none. */
    private static String id(String instanceId, int at, int of) {
        return "service:" + instanceId + (of > 1 ? ":" + (at + 1) : "");
    }

    /** Adds a check, or replaces the one with its id. */
    void add(JsonNode check, String defaultId, boolean hasActiveChecks) {
        if (!check.isObject()) {
            throw ServiceException.invalid("Check", "must be an object");
        }
        String given = ConsulService.text(check, "CheckID");
        String id = given.isEmpty() ? ConsulService.text(check, "ID") : given;
        Duration ttl = ConsulService.duration("TTL", ConsulService.text(check, "TTL"));
        String url = ConsulService.text(check, "HTTP");
        String status = ConsulService.text(check, "Status");
        if (!status.isEmpty()) {
            requireStatus(status);
        }
        boolean isAsked = !url.isEmpty() && hasActiveChecks && Registration.CHECK_URL.problem(url) == null;
        ObjectNode kept = Json.object()
                .put("id", id.isEmpty() ? defaultId : id)
                .put("name", ConsulService.text(check, "Name"))
                .put("notes", ConsulService.text(check, "Notes"))
                .put(
                        "type",
                        ttl != null
                                ? TTL
                                : url.isEmpty()
                                        ? ConsulService.text(check, "TCP").isEmpty() ? "" : "tcp"
                                        : "http")
                .put(STATUS, isAsked ? PASSING : status.isEmpty() ? CRITICAL : status);
        if (ttl != null) {
            kept.put(TTL_SECONDS, Registration.lease(Math.max(1, ttl.toSeconds())));
        }
        if (!url.isEmpty()) {
            kept.put("url", url).put("begins_failing", isAsked && !status.equals(PASSING));
        }
        String after = "DeregisterCriticalServiceAfter";
        Duration removeAfter = ConsulService.duration(after, ConsulService.text(check, after));
        if (removeAfter != null) {
            kept.put(REMOVE_AFTER, (int) Math.max(MIN_REMOVE_AFTER, removeAfter.toSeconds()));
        }
        remove(kept.get("id").asText());
        all.add(kept);
        if (all.size() > MAX) {
            throw ServiceException.invalid("Checks", "must be at most " + MAX);
        }
    }

    /** Fails unless a text is the status of a check. */
    static void requireStatus(String status) {
        if (!STATUSES.contains(status)) {
            throw ServiceException.invalid("Status", "must be passing, warning or critical");
        }
    }

    /** Removes a check. Returns whether it was there. */
    boolean remove(String id) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).path("id").asText().equals(id)) {
                all.remove(i);
                return true;
            }
        }
        return false;
    }

    /** Returns the beginning of an output, which does not end within a character. */
    private static String start(String output) {
        if (output.length() <= MAX_OUTPUT) {
            return output;
        }
        int end = Character.isHighSurrogate(output.charAt(MAX_OUTPUT - 1)) ? MAX_OUTPUT - 1 : MAX_OUTPUT;
        return output.substring(0, end);
    }

    /** Sets the status of a check. Returns whether that changed anything. */
    boolean set(String id, String status, String output) {
        for (JsonNode check : all) {
            if (check.path("id").asText().equals(id)
                    && !check.path(STATUS).asText().equals(status)) {
                ((ObjectNode) check).put(STATUS, status).put("output", start(output));
                return true;
            }
        }
        return false;
    }

    ArrayNode json() {
        return all;
    }

    /** Returns the lease of an instance with these checks, in seconds; null if none of them has a TTL. */
    @Nullable
    Integer leaseSeconds() {
        return least(TTL_SECONDS);
    }

    /** Returns the time that an instance may be critical before it is removed, in seconds; null if none was given. */
    @Nullable
    Integer removeAfterSeconds() {
        return least(REMOVE_AFTER);
    }

    private @Nullable Integer least(String field) {
        Integer least = null;
        for (JsonNode check : all) {
            if (check.has(field)) {
                int seconds = check.get(field).asInt();
                least = least == null ? (Integer) seconds : (Integer) Math.min(least, seconds);
            }
        }
        return least;
    }

    /** Returns the first URL that can be asked; null if there is none. */
    @Nullable
    String url() {
        for (JsonNode check : all) {
            String url = check.path("url").asText();
            if (!url.isEmpty() && Registration.CHECK_URL.problem(url) == null) {
                return url;
            }
        }
        return null;
    }

    /** Tells whether an instance with these checks counts as failing until its URL was asked. */
    boolean beginsFailing() {
        for (JsonNode check : all) {
            if (check.path("begins_failing").asBoolean()) {
                return true;
            }
        }
        return false;
    }

    /** Returns the status of an instance with these checks. */
    Status said() {
        for (JsonNode check : all) {
            if (!check.path(STATUS).asText().equals(PASSING)) {
                return Status.UNHEALTHY;
            }
        }
        return Status.HEALTHY;
    }

    /** Returns the names by which clients name an instance: its id, and those of its checks. */
    static List<String> names(Instance instance) {
        List<String> names = new ArrayList<>();
        names.add(instance.instanceId());
        ArrayNode checks = of(instance).all;
        checks.forEach(check -> names.add(name(check.path("id").asText())));
        if (checks.isEmpty()) {
            names.add(name(id(instance.instanceId(), 0, 1)));
        }
        return names;
    }

    /** Returns the name of an instance in the index by the id of one of its checks. */
    static String name(String checkId) {
        return "check " + checkId;
    }

    /** Returns the checks of an instance as Consul shows them. */
    static ArrayNode shown(Instance instance, String node) {
        ArrayNode shown = Json.object().arrayNode();
        boolean isForeign = instance.foreign(ConsulService.FOREIGN).isObject();
        boolean isInMaintenance = instance.override() == Status.STOPPING;
        boolean isWell = isInMaintenance
                ? instance.said() == Status.HEALTHY && !instance.isCheckFailing() && !instance.isExpired()
                : instance.status() == Status.HEALTHY;
        ArrayNode kept = of(instance).all;
        List<String> statuses = new ArrayList<>();
        kept.forEach(check -> statuses.add(isWell ? PASSING : status(check, instance)));
        if (!isWell && statuses.stream().allMatch(PASSING::equals)) {
            // what is wrong was told by another protocol, or set by an operator
            statuses.replaceAll(status -> CRITICAL);
        }
        if (kept.isEmpty() && !isForeign) {
            shown.add(one(instance, node, id(instance.instanceId(), 0, 1), "", "", isWell ? PASSING : CRITICAL, ""));
        }
        for (int i = 0; i < kept.size(); i++) {
            JsonNode check = kept.get(i);
            String output = instance.isExpired() && check.has(TTL_SECONDS)
                    ? "TTL expired"
                    : check.path("output").asText("");
            ObjectNode o = one(
                    instance,
                    node,
                    check.path("id").asText(),
                    check.path("name").asText(),
                    check.path("type").asText(),
                    statuses.get(i),
                    output);
            shown.add(o.put("Notes", check.path("notes").asText("")));
        }
        if (isInMaintenance) {
            shown.add(one(
                    instance,
                    node,
                    "_service_maintenance:" + instance.instanceId(),
                    "Service Maintenance Mode",
                    "maintenance",
                    CRITICAL,
                    ""));
        }
        return shown;
    }

    private static String status(JsonNode check, Instance instance) {
        boolean isOver = instance.isExpired() && check.has(TTL_SECONDS);
        boolean isRefused = instance.isCheckFailing() && check.has("url");
        return isOver || isRefused ? CRITICAL : check.path(STATUS).asText(PASSING);
    }

    private static ObjectNode one(
            Instance instance, String node, String id, String name, String type, String status, String output) {
        ObjectNode o = Json.object();
        o.put("Node", node);
        o.put("CheckID", id);
        o.put("Name", name.isEmpty() ? "Service '" + instance.serviceName() + "' check" : name);
        o.put("Status", status);
        o.put("Notes", "");
        o.put("Output", output);
        o.put("ServiceID", instance.instanceId());
        o.put("ServiceName", instance.serviceName());
        o.set("ServiceTags", ConsulService.tags(instance));
        o.put("Type", type);
        o.putObject("Definition");
        o.put("CreateIndex", instance.resource().revision());
        o.put("ModifyIndex", instance.resource().revision());
        return o;
    }
}
