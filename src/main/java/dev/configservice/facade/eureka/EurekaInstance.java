package dev.configservice.facade.eureka;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.registry.HttpUrls;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registration;
import dev.configservice.registry.Status;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An instance in the form of Eureka. A client fails to read all instances if it finds a member or a value that it does not
 * know, so only what is known is kept of what a client gives, and each part is checked.
 */
final class EurekaInstance {
    /** The name under which an instance keeps what it gave. */
    static final String FOREIGN = "eureka";

    static final String UNKNOWN = "UNKNOWN";
    static final String LAST_DIRTY = "lastDirtyTimestamp";

    private static final List<String> TEXTS = List.of(
            "app",
            "appGroupName",
            "ipAddr",
            "hostName",
            "homePageUrl",
            "statusPageUrl",
            "healthCheckUrl",
            "secureHealthCheckUrl",
            "vipAddress",
            "secureVipAddress",
            "asgName");
    private static final int MAX_TEXT = 2000;
    private static final Set<String> DATA_CENTERS = Set.of("MyOwn", "Netflix", "Amazon");
    private static final String ENABLED = "@enabled";
    private static final String VALUE = "$";
    private static final int DEFAULT_RENEWAL_SECONDS = 30;

    private EurekaInstance() {}

    /** Returns the status of a word of Eureka; null for others. */
    static @Nullable Status status(String word) {
        return switch (word.toUpperCase(Locale.ROOT)) {
            case "UP" -> Status.HEALTHY;
            case "DOWN", UNKNOWN -> Status.UNHEALTHY;
            case "STARTING" -> Status.STARTING;
            case "OUT_OF_SERVICE" -> Status.STOPPING;
            default -> null;
        };
    }

    /** Returns the word of Eureka for a status. */
    static String word(@Nullable Status status) {
        if (status == null) {
            return UNKNOWN;
        }
        return switch (status) {
            case HEALTHY -> "UP";
            case UNHEALTHY -> "DOWN";
            case STARTING -> "STARTING";
            case STOPPING -> "OUT_OF_SERVICE";
        };
    }

    /** A registration that is read, before it is known which service it is for. */
    record Given(
            ObjectNode kept,
            String app,
            String instanceId,
            String checkUrl,
            ObjectNode metadata,
            int leaseSeconds,
            Status status) {
        /**
         * Returns the name of the service: the virtual address if that is the application in another case, as Spring has it,
         * else the application in lower case.
         */
        String serviceName() {
            String vip = kept.path("vipAddress").asText();
            return vip.equalsIgnoreCase(app) ? vip : app.toLowerCase(Locale.ROOT);
        }

        Registration registration(String serviceName, Status said, String registeredBy) {
            return new Registration(
                    check("app", serviceName, Registration.SERVICE_NAME),
                    instanceId,
                    url(),
                    // one that cannot be asked is only shown
                    Registration.CHECK_URL.problem(checkUrl) != null ? null : checkUrl,
                    metadata,
                    Registration.DEFAULT_WEIGHT,
                    leaseSeconds,
                    null,
                    said,
                    false,
                    registeredBy,
                    (ObjectNode) Json.object().set(FOREIGN, kept));
        }

        private String url() {
            boolean isSecure = isEnabled(kept.path("securePort")) && !isEnabled(kept.path("port"));
            int port = kept.path(isSecure ? "securePort" : "port").path(VALUE).asInt();
            String url =
                    (isSecure ? "https://" : "http://") + kept.path("hostName").asText() + (port > 0 ? ":" + port : "");
            return check("hostName and port", url, Registration.SERVICE_URL);
        }
    }

    private static boolean isEnabled(JsonNode port) {
        return port.path(ENABLED).asText().equals("true");
    }

    private static String check(String field, String text, StringRule rule) {
        String problem = rule.problem(text);
        if (problem != null) {
            throw ServiceException.invalid(field, problem);
        }
        return text;
    }

    /** Reads what a client registers. Fails with an error that names what is wrong. */
    static Given read(String app, JsonNode body) {
        JsonNode given = body.path("instance");
        if (!given.isObject()) {
            throw ServiceException.invalid("instance", "is required");
        }
        ObjectNode kept = Json.object();
        for (String name : TEXTS) {
            JsonNode value = given.path(name);
            if (value.isValueNode() && !value.isNull()) {
                String text = check(name, value.asText(), StringRule.text(0, MAX_TEXT));
                kept.put(name, name.endsWith("Url") ? shown(text) : text);
            }
        }
        String host = kept.path("hostName").asText();
        String id = given.path("instanceId").asText(host);
        if (id.isEmpty() || host.isEmpty()) {
            throw ServiceException.invalid("hostName", "is required, and instanceId is else the same");
        }
        if (!given.path("dataCenterInfo").isObject()) {
            throw ServiceException.invalid("dataCenterInfo", "is required");
        }
        kept.put("app", app.toUpperCase(Locale.ROOT));
        kept.set("port", port(given.path("port"), 80, true));
        kept.set("securePort", port(given.path("securePort"), 443, false));
        kept.put("countryId", small("countryId", given.path("countryId"), 1));
        kept.set("dataCenterInfo", dataCenter(given.path("dataCenterInfo")));
        kept.put(LAST_DIRTY, Long.toString(whole(LAST_DIRTY, given.path(LAST_DIRTY), 0)));
        JsonNode lease = given.path("leaseInfo");
        kept.put(
                "renewalIntervalInSecs",
                small("leaseInfo.renewalIntervalInSecs", lease.path("renewalIntervalInSecs"), DEFAULT_RENEWAL_SECONDS));
        long seconds =
                whole("leaseInfo.durationInSecs", lease.path("durationInSecs"), Registration.DEFAULT_LEASE_SECONDS);
        String word = given.path("status").asText("UP");
        Status status = status(word);
        if (status == null) {
            throw ServiceException.invalid("status", "must be UP, DOWN, STARTING, OUT_OF_SERVICE or UNKNOWN");
        }
        return new Given(
                kept,
                app,
                check("instanceId", id, Registration.INSTANCE_ID),
                given.path("healthCheckUrl").asText(),
                metadata(given.path("metadata")),
                Registration.lease(seconds),
                status);
    }

    /** Returns a URL as everyone may see it: without user, password and query. */
    private static String shown(String url) {
        if (url.indexOf('@') < 0 && url.indexOf('?') < 0) {
            return url;
        }
        return HttpUrls.isValid(url) ? String.valueOf(HttpUrls.withoutSecrets(url)) : "";
    }

    private static ObjectNode port(JsonNode given, int otherwise, boolean enabled) {
        JsonNode number = given.isObject() ? given.path(VALUE) : given;
        JsonNode isOn = given.path(ENABLED).isMissingNode() ? given.path("enabled") : given.path(ENABLED);
        long port = whole("port", number, otherwise);
        if (port < 0 || port > 65535) {
            throw ServiceException.invalid("port", "must be from 0 to 65535");
        }
        return Json.object()
                .put(VALUE, port)
                .put(
                        ENABLED,
                        isOn.isMissingNode()
                                ? Boolean.toString(enabled)
                                : Boolean.toString(isOn.asText().equals("true")));
    }

    private static long whole(String field, JsonNode given, long otherwise) {
        if (given.isMissingNode() || given.isNull() || given.asText().isBlank()) {
            return otherwise;
        }
        String text = given.asText();
        if (!text.matches("\\d{1,18}")) {
            throw ServiceException.invalid(field, "must be a whole number");
        }
        return Long.parseLong(text);
    }

    /** Reads a number that clients hold in 32 bits. */
    private static int small(String field, JsonNode given, int otherwise) {
        long number = whole(field, given, otherwise);
        if (number > Integer.MAX_VALUE) {
            throw ServiceException.invalid(field, "must be at most " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    private static ObjectNode dataCenter(JsonNode given) {
        String name = given.path("name").asText();
        if (!DATA_CENTERS.contains(name)) {
            throw ServiceException.invalid("dataCenterInfo.name", "must be one of MyOwn, Netflix and Amazon");
        }
        boolean isAmazon = name.equals("Amazon");
        ObjectNode info = Json.object()
                .put(
                        "@class",
                        isAmazon
                                ? "com.netflix.appinfo.AmazonInfo"
                                : "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo")
                .put("name", name);
        if (isAmazon) {
            info.set("metadata", metadata(given.path("metadata")));
        }
        return info;
    }

    /** Returns metadata with strings only. */
    private static ObjectNode metadata(JsonNode given) {
        ObjectNode metadata = Json.object();
        given.properties().forEach(m -> {
            if (!m.getKey().startsWith("@") && !m.getValue().isNull()) {
                metadata.put(
                        m.getKey(), m.getValue().isValueNode() ? m.getValue().asText() : Json.write(m.getValue()));
            }
        });
        String problem = Registration.metadataProblem(metadata);
        if (problem != null) {
            throw ServiceException.invalid("metadata", problem);
        }
        metadata.properties().forEach(m -> {
            if (Json.textProblem(m.getKey()) != null
                    || Json.textProblem(m.getValue().asText()) != null) {
                throw ServiceException.invalid("metadata", "has a character that cannot be stored");
            }
        });
        return metadata;
    }

    /**
     * Renders an instance.
     *
     * @param action the change that it stands for: ADDED, MODIFIED or DELETED
     * @param renewedMillis the time of its last heartbeat; 0 if only that of the last write is known
     */
    static ObjectNode json(Instance instance, String action, long renewedMillis) {
        JsonNode kept = instance.foreign(FOREIGN);
        long written = instance.updatedAt().toEpochMilli();
        ObjectNode o = Json.object();
        o.put("instanceId", instance.instanceId());
        o.put("app", instance.serviceName().toUpperCase(Locale.ROOT));
        if (kept.isObject()) {
            TEXTS.stream()
                    .filter(name -> !name.equals("app") && kept.has(name))
                    .forEach(name -> o.set(name, kept.get(name)));
            o.set("port", kept.get("port"));
            o.set("securePort", kept.get("securePort"));
            o.set("countryId", kept.get("countryId"));
            o.set("dataCenterInfo", kept.get("dataCenterInfo"));
        } else {
            own(instance, o);
        }
        o.put("status", word(instance.status()));
        o.put("overriddenStatus", word(instance.override()));
        long registered = instance.registeredAt().toEpochMilli();
        long lease = instance.lease().toSeconds();
        o.putObject("leaseInfo")
                .put("renewalIntervalInSecs", kept.path("renewalIntervalInSecs").asLong(lease / 3))
                .put("durationInSecs", lease)
                .put("registrationTimestamp", registered)
                .put("lastRenewalTimestamp", Math.max(renewedMillis, written))
                .put("evictionTimestamp", 0)
                .put("serviceUpTimestamp", registered);
        o.set("metadata", texts(instance.metadata()));
        o.put("isCoordinatingDiscoveryServer", "false");
        o.put("lastUpdatedTimestamp", Long.toString(written));
        o.put(LAST_DIRTY, kept.path(LAST_DIRTY).asText(Long.toString(written)));
        return o.put("actionType", action);
    }

    /** Renders what an instance has that was not registered by Eureka. */
    private static void own(Instance instance, ObjectNode o) {
        URI uri = URI.create(instance.url());
        String host = String.valueOf(HttpUrls.host(uri));
        int port = HttpUrls.port(uri);
        boolean isSecure = "https".equalsIgnoreCase(uri.getScheme());
        String home = instance.url() + (instance.url().endsWith("/") ? "" : "/");
        o.put("ipAddr", host);
        o.put("hostName", host);
        o.put("homePageUrl", home);
        o.put("statusPageUrl", home);
        o.put("healthCheckUrl", HttpUrls.withoutSecrets(instance.checkUrl()));
        o.put("vipAddress", instance.serviceName());
        o.put("secureVipAddress", instance.serviceName());
        o.set("port", Json.object().put(VALUE, isSecure ? 80 : port).put(ENABLED, Boolean.toString(!isSecure)));
        o.set("securePort", Json.object().put(VALUE, isSecure ? port : 443).put(ENABLED, Boolean.toString(isSecure)));
        o.put("countryId", 1);
        o.putObject("dataCenterInfo")
                .put("@class", "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo")
                .put("name", "MyOwn");
    }

    private static ObjectNode texts(JsonNode metadata) {
        ObjectNode texts = Json.object();
        metadata.properties()
                .forEach(m -> texts.put(
                        m.getKey(), m.getValue().isValueNode() ? m.getValue().asText() : Json.write(m.getValue())));
        return texts;
    }

    /** Returns the addresses by which clients find an instance: several, separated by commas, or none. */
    static List<String> addresses(Instance instance, boolean secure) {
        JsonNode kept = instance.foreign(FOREIGN);
        String given = kept.isObject()
                ? kept.path(secure ? "secureVipAddress" : "vipAddress").asText()
                : instance.serviceName();
        return List.of(given.split(",", -1));
    }
}
