package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.secret.Sha256;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All that an instance says of itself when it registers. The code that makes one must check each part with the rule for it.
 *
 * @param checkUrl the URL of its active checks; null if it has none
 * @param weight its share among the healthy instances
 * @param leaseSeconds the time until it expires without a heartbeat; null if it is permanent
 * @param removeAfterSeconds the time for which it may be unhealthy before it is removed; null if none was given
 * @param startsFailing whether it counts as failing until active checks pass
 * @param registeredBy the caller and its address
 * @param foreign the fields that it gave in the form of another system, by the name of that system's facade; null if none
 */
public record Registration(
        String serviceName,
        String instanceId,
        String url,
        @Nullable String checkUrl,
        ObjectNode metadata,
        int weight,
        @Nullable Integer leaseSeconds,
        @Nullable Integer removeAfterSeconds,
        Status said,
        boolean startsFailing,
        String registeredBy,
        @Nullable ObjectNode foreign) {
    public static final int DEFAULT_LEASE_SECONDS = Instance.DEFAULT_LEASE_SECONDS;
    public static final int DEFAULT_WEIGHT = Instance.DEFAULT_WEIGHT;

    private static final int MAX_METADATA = 50;
    private static final int MAX_METADATA_NAME = 100;
    private static final int MAX_METADATA_VALUE = 1000;

    private static final Set<String> RESERVED =
            Set.of("healthy", "register", "health", "deregister", "prometheus-sd", "delta");

    /** The rule for the name of a service. */
    public static final StringRule SERVICE_NAME = text -> {
        String problem = StringRule.NAME.problem(text);
        return problem == null && RESERVED.contains(text)
                ? "is reserved (reserved: " + String.join(", ", new TreeSet<>(RESERVED)) + ")"
                : problem;
    };

    private static final StringRule INSTANCE_ID_FORM =
            StringRule.pattern("[A-Za-z0-9._:-]{1,200}", "must be 1 to 200 of A-Z a-z 0-9 . _ : -");

    /** The rule for the id of an instance. */
    public static final StringRule INSTANCE_ID = text -> {
        String problem = INSTANCE_ID_FORM.problem(text);
        return problem == null && (text.equals(".") || text.equals("..")) ? "may not be . or .." : problem;
    };

    /** The rule for the URL of an instance. */
    public static final StringRule SERVICE_URL = text -> {
        String problem = HttpUrls.problem(text);
        return problem == null && HttpUrls.userInfo(URI.create(text)) != null
                ? "may not hold a user or password, because everyone sees it"
                : problem;
    };

    /** The rule for the URL of active checks. */
    public static final StringRule CHECK_URL = text -> {
        String problem = HttpUrls.problem(text);
        return problem == null && !HttpUrls.isHttp(URI.create(text)) ? "must be an http or https URL" : problem;
    };

    /** Returns what is wrong with metadata; null if nothing is. */
    public static @Nullable String metadataProblem(JsonNode metadata) {
        if (!metadata.isObject() || metadata.size() > MAX_METADATA) {
            return "must be an object of at most " + MAX_METADATA + " strings";
        }
        for (Map.Entry<String, JsonNode> m : metadata.properties()) {
            if (!m.getValue().isTextual()
                    || m.getValue().textValue().length() > MAX_METADATA_VALUE
                    || m.getKey().length() > MAX_METADATA_NAME) {
                return "must have string values of at most " + MAX_METADATA_VALUE + " characters and names of at most "
                        + MAX_METADATA_NAME;
            }
        }
        return null;
    }

    /** Returns the nearest lease that an instance may have. */
    public static int lease(long seconds) {
        return (int) Math.max(Instance.MIN_LEASE_SECONDS, Math.min(Instance.MAX_LEASE_SECONDS, seconds));
    }

    /** Returns the id of an instance that is registered without one. The same URL always gives the same id. */
    static String idOf(String url) {
        return Sha256.hex(url).substring(0, 20);
    }

    /** Returns the fields to store. */
    ObjectNode row() {
        ObjectNode row = Json.object();
        row.put("service_url", url);
        row.put("health_check_url", checkUrl);
        row.set("metadata", metadata);
        row.put("weight", weight);
        row.put("permanent", leaseSeconds == null);
        if (leaseSeconds != null) {
            row.put("lease_seconds", leaseSeconds);
        }
        if (removeAfterSeconds != null) {
            row.put(Instance.REMOVE_AFTER, removeAfterSeconds);
        }
        row.put(Instance.SAID, said.text());
        if (startsFailing) {
            row.put(Instance.CHECK_FAILING, true);
        }
        row.put("registered_by", registeredBy);
        if (foreign != null) {
            row.set(Instance.FOREIGN, foreign);
        }
        return row;
    }
}
