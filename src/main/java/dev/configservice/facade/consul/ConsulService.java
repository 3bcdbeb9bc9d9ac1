package dev.configservice.facade.consul;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.registry.HttpUrls;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registration;
import dev.configservice.registry.Status;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An instance in the form of Consul: a service of an agent, with its checks. */
final class ConsulService {
    /** The name under which an instance keeps what it gave. */
    static final String FOREIGN = "consul";

    static final String PASSING = "passing";
    static final String WARNING = "warning";
    static final String CRITICAL = "critical";

    private static final String CHECKS = "checks";
    private static final String TTL = "ttl";
    private static final int MAX_TEXT = 512;
    private static final int MAX_CHECKS = 20;
    private static final int MAX_TAGS = 64;
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|us|µs|ns|s|m|h)");

    private ConsulService() {}

    /** Returns a member of an object whatever the case of its name and whether it has underscores; null if it is not there. */
    private static @Nullable JsonNode member(JsonNode object, String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        for (var m : object.properties()) {
            if (m.getKey().replace("_", "").toLowerCase(Locale.ROOT).equals(wanted)
                    && !m.getValue().isNull()) {
                return m.getValue();
            }
        }
        return null;
    }

    private static String text(JsonNode object, String name) {
        JsonNode value = member(object, name);
        if (value == null) {
            return "";
        }
        if (!value.isValueNode()) {
            throw ServiceException.invalid(name, "must be a string");
        }
        String text = value.asText();
        String problem = StringRule.text(0, MAX_TEXT).problem(text);
        if (problem != null) {
            throw ServiceException.invalid(name, problem);
        }
        return text;
    }

    /** Returns a duration as Go writes it, e.g. {@code 1m30s}; null if there is none. */
    static @Nullable Duration duration(String field, String text) {
        if (text.isEmpty()) {
            return null;
        }
        Matcher m = DURATION.matcher(text);
        double seconds = 0;
        int at = 0;
        while (at < text.length() && m.find(at) && m.start() == at) {
            double n = Double.parseDouble(m.group(1));
            seconds += switch (m.group(2)) {
                case "h" -> n * 3600;
                case "m" -> n * 60;
                case "s" -> n;
                case "ms" -> n / 1e3;
                case "us", "µs" -> n / 1e6;
                default -> n / 1e9;
            };
            at = m.end();
        }
        if (at < text.length() || seconds > 1e9) {
            throw ServiceException.invalid(field, "must be a duration such as 10s, 500ms or 1m30s");
        }
        return Duration.ofMillis((long) (seconds * 1000));
    }

    /**
     * Reads what a client registers.
     *
     * @param remoteAddress the address of the client, for a service that gives none
     * @param hasActiveChecks whether the URL of a check is asked
     */
    static Registration read(JsonNode body, String remoteAddress, boolean hasActiveChecks, String registeredBy) {
        if (!body.isObject()) {
            throw ServiceException.invalid("body", "must be an object");
        }
        String name = check("Name", text(body, "Name"), Registration.SERVICE_NAME);
        String id = text(body, "ID");
        ObjectNode kept = Json.object();
        String address = text(body, "Address");
        kept.put("address", address);
        long port = whole(body, "Port", 65535);
        kept.put("port", port);
        ArrayNode tags = kept.putArray("tags");
        JsonNode given = member(body, "Tags");
        if (given != null) {
            given.forEach(tag -> tags.add(check("Tags", tag.asText(), StringRule.text(0, MAX_TEXT))));
        }
        if (tags.size() > MAX_TAGS) {
            throw ServiceException.invalid("Tags", "must be at most " + MAX_TAGS);
        }
        ObjectNode meta = Json.object();
        JsonNode metadata = member(body, "Meta");
        if (metadata != null) {
            metadata.properties().forEach(m -> meta.put(m.getKey(), m.getValue().asText()));
        }
        String problem = Registration.metadataProblem(meta);
        if (problem != null) {
            throw ServiceException.invalid("Meta", problem);
        }
        JsonNode weights = member(body, "Weights");
        kept.putObject("weights")
                .put("passing", weights == null ? 1 : Math.max(1, whole(weights, "Passing", 65535)))
                .put("warning", weights == null ? 1 : Math.max(1, whole(weights, "Warning", 65535)));
        kept.put("enable_tag_override", text(body, "EnableTagOverride").equals("true"));
        String instanceId = check("ID", id.isEmpty() ? name : id, Registration.INSTANCE_ID);
        Checks checks = checks(body, instanceId);
        kept.set(CHECKS, checks.all);
        boolean isSecure = meta.path("secure").asText().equals("true")
                || kept.path("tags").toString().contains("\"secure=true\"");
        String host = address.isEmpty() ? remoteAddress : address;
        String url = (isSecure ? "https://" : "http://")
                + (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host)
                + (port > 0 ? ":" + port : "");
        boolean isAsked = checks.http != null && hasActiveChecks;
        Integer lease = checks.ttl == null ? null : (Integer) Registration.lease(Math.max(1, checks.ttl.toSeconds()));
        return new Registration(
                name,
                instanceId,
                check("Address", url, Registration.SERVICE_URL),
                checks.http,
                meta,
                Registration.DEFAULT_WEIGHT,
                lease,
                checks.isPassing || isAsked ? Status.HEALTHY : Status.UNHEALTHY,
                isAsked && !checks.isPassing,
                registeredBy,
                (ObjectNode) Json.object().set(FOREIGN, kept));
    }

    private static String check(String field, String text, StringRule rule) {
        String problem = rule.problem(text);
        if (problem != null) {
            throw ServiceException.invalid(field, problem);
        }
        return text;
    }

    private static long whole(JsonNode object, String name, long max) {
        String text = text(object, name);
        if (text.isEmpty()) {
            return 0;
        }
        if (!text.matches("\\d{1,9}") || Long.parseLong(text) > max) {
            throw ServiceException.invalid(name, "must be a whole number from 0 to " + max);
        }
        return Long.parseLong(text);
    }

    /** The checks of a registration: the shortest TTL, the first URL that can be asked, and whether all begin as passing. */
    private record Checks(
            ArrayNode all, @Nullable Duration ttl, @Nullable String http, boolean isPassing) {}

    private static Checks checks(JsonNode body, String instanceId) {
        List<JsonNode> given = new ArrayList<>();
        JsonNode one = member(body, "Check");
        if (one != null) {
            given.add(one);
        }
        JsonNode several = member(body, "Checks");
        if (several != null) {
            several.forEach(given::add);
        }
        if (given.size() > MAX_CHECKS) {
            throw ServiceException.invalid("Checks", "must be at most " + MAX_CHECKS);
        }
        ArrayNode all = Json.object().arrayNode();
        Duration shortest = null;
        String http = null;
        boolean isPassing = true;
        for (int i = 0; i < given.size(); i++) {
            JsonNode check = given.get(i);
            if (!check.isObject()) {
                throw ServiceException.invalid("Check", "must be an object");
            }
            String id = text(check, "CheckID");
            Duration ttl = duration("TTL", text(check, "TTL"));
            String url = text(check, "HTTP");
            String status = text(check, "Status");
            all.addObject()
                    .put("id", id.isEmpty() ? checkId(instanceId, i, given.size()) : id)
                    .put("name", text(check, "Name"))
                    .put("notes", text(check, "Notes"))
                    .put(
                            "type",
                            ttl != null
                                    ? TTL
                                    : url.isEmpty() ? text(check, "TCP").isEmpty() ? "" : "tcp" : "http");
            shortest = ttl != null && (shortest == null || ttl.compareTo(shortest) < 0) ? ttl : shortest;
            http = http == null && !url.isEmpty() && Registration.CHECK_URL.problem(url) == null ? url : http;
            isPassing &= status.equals(PASSING);
        }
        return new Checks(all, shortest, http, isPassing);
    }

    private static String checkId(String instanceId, int at, int of) {
        return "service:" + instanceId + (of > 1 ? ":" + (at + 1) : "");
    }

    /** Returns the names by which clients name an instance: its id, and those of its checks. */
    static List<String> names(Instance instance) {
        List<String> names = new ArrayList<>();
        names.add(instance.instanceId());
        JsonNode checks = instance.foreign(FOREIGN).path(CHECKS);
        checks.forEach(check -> names.add(checkName(check.path("id").asText())));
        if (checks.isEmpty()) {
            names.add(checkName(checkId(instance.instanceId(), 0, 1)));
        }
        return names;
    }

    /** Returns the name of an instance in the index by the id of one of its checks. */
    static String checkName(String checkId) {
        return "check " + checkId;
    }

    /** Returns the fields that an instance keeps, with a warning or without; null if nothing changes. */
    static @Nullable ObjectNode warned(Instance instance, boolean isWarning) {
        JsonNode kept = instance.foreign(FOREIGN);
        if (!kept.isObject() || kept.path(WARNING).asBoolean() == isWarning) {
            return null;
        }
        ObjectNode changed = kept.deepCopy();
        return (ObjectNode) Json.object().set(FOREIGN, changed.put(WARNING, isWarning));
    }

    /** Returns the state of the checks of an instance. */
    static String state(Instance instance) {
        if (instance.status() == Status.HEALTHY) {
            return PASSING;
        }
        boolean isWarning = instance.foreign(FOREIGN).path(WARNING).asBoolean()
                && instance.said() == Status.UNHEALTHY
                && !instance.isExpired()
                && instance.override() == null;
        return isWarning ? WARNING : CRITICAL;
    }

    /** Returns an instance as a service of an agent. */
    static ObjectNode json(Instance instance, long createIndex) {
        URI uri = URI.create(instance.url());
        JsonNode kept = instance.foreign(FOREIGN);
        boolean isOwn = !kept.isObject();
        ObjectNode o = Json.object();
        o.put("ID", instance.instanceId());
        o.put("Service", instance.serviceName());
        o.set("Tags", isOwn ? Json.object().arrayNode() : kept.get("tags"));
        o.put("Address", isOwn ? host(uri) : kept.path("address").asText());
        o.put("Port", isOwn ? HttpUrls.port(uri) : kept.path("port").asInt());
        o.set("Meta", texts(instance.metadata()));
        o.putObject("TaggedAddresses");
        o.putObject("Weights")
                .put("Passing", isOwn ? 1 : kept.at("/weights/passing").asInt(1))
                .put("Warning", isOwn ? 1 : kept.at("/weights/warning").asInt(1));
        o.put("EnableTagOverride", kept.path("enable_tag_override").asBoolean());
        o.put("CreateIndex", createIndex);
        o.put("ModifyIndex", instance.resource().revision());
        return o;
    }

    /** Returns the host of an instance without the brackets of an IPv6 address. */
    static String host(URI uri) {
        String host = String.valueOf(HttpUrls.host(uri));
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static ObjectNode texts(JsonNode metadata) {
        ObjectNode texts = Json.object();
        metadata.properties().forEach(m -> texts.put(m.getKey(), m.getValue().asText()));
        return texts;
    }

    /** Tells whether an instance has all of some tags. */
    static boolean hasTags(Instance instance, List<String> tags) {
        List<String> of = new ArrayList<>();
        instance.foreign(FOREIGN).path("tags").forEach(tag -> of.add(tag.asText()));
        return of.containsAll(tags);
    }

    /** Returns the checks of an instance. */
    static ArrayNode checks(Instance instance, String node) {
        ArrayNode checks = Json.object().arrayNode();
        String state = state(instance);
        JsonNode kept = instance.foreign(FOREIGN).path(CHECKS);
        boolean isInMaintenance = instance.override() == Status.STOPPING;
        String own =
                isInMaintenance && instance.said() == Status.HEALTHY && !instance.isCheckFailing() ? PASSING : state;
        if (kept.isEmpty() && !instance.foreign(FOREIGN).isObject()) {
            checks.add(check(instance, node, checkId(instance.instanceId(), 0, 1), "", "", own));
        }
        for (JsonNode check : kept) {
            checks.add(check(
                    instance,
                    node,
                    check.path("id").asText(),
                    check.path("name").asText(),
                    check.path("type").asText(),
                    own));
        }
        if (isInMaintenance) {
            checks.add(check(
                    instance,
                    node,
                    "_service_maintenance:" + instance.instanceId(),
                    "Service Maintenance Mode",
                    "maintenance",
                    CRITICAL));
        }
        return checks;
    }

    private static ObjectNode check(
            Instance instance, String node, String id, String name, String type, String status) {
        ObjectNode o = Json.object();
        o.put("Node", node);
        o.put("CheckID", id);
        o.put("Name", name.isEmpty() ? "Service '" + instance.serviceName() + "' check" : name);
        o.put("Status", status);
        o.put("Notes", "");
        o.put("Output", instance.isExpired() ? "TTL expired" : "");
        o.put("ServiceID", instance.instanceId());
        o.put("ServiceName", instance.serviceName());
        o.set("ServiceTags", tags(instance));
        o.put("Type", type);
        o.putObject("Definition");
        o.put("CreateIndex", instance.resource().revision());
        o.put("ModifyIndex", instance.resource().revision());
        return o;
    }

    static JsonNode tags(Instance instance) {
        JsonNode tags = instance.foreign(FOREIGN).path("tags");
        return tags.isArray() ? tags : Json.object().arrayNode();
    }
}
