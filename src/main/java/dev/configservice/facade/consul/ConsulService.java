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

    static final String CHECKS = "checks";
    private static final int MAX_TEXT = 512;
    private static final int MAX_TAGS = 64;
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|us|µs|ns|s|m|h)");

    private ConsulService() {}

    /** Returns a member of an object whatever the case of its name and whether it has underscores; null if it is not there. */
    static @Nullable JsonNode member(JsonNode object, String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        for (var m : object.properties()) {
            if (m.getKey().replace("_", "").toLowerCase(Locale.ROOT).equals(wanted)
                    && !m.getValue().isNull()) {
                return m.getValue();
            }
        }
        return null;
    }

    static String text(JsonNode object, String name) {
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
        ConsulChecks checks = ConsulChecks.read(body, instanceId, hasActiveChecks);
        kept.set(CHECKS, checks.json());
        boolean isSecure = meta.path("secure").asText().equals("true")
                || kept.path("tags").toString().contains("\"secure=true\"");
        String host = address.isEmpty() ? remoteAddress : address;
        String url = (isSecure ? "https://" : "http://")
                + (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host)
                + (port > 0 ? ":" + port : "");
        return registration(
                name, instanceId, check("Address", url, Registration.SERVICE_URL), meta, checks, registeredBy, kept);
    }

    private static Registration registration(
            String name,
            String instanceId,
            String url,
            ObjectNode metadata,
            ConsulChecks checks,
            String registeredBy,
            ObjectNode kept) {
        return new Registration(
                name,
                instanceId,
                url,
                checks.url(),
                metadata,
                Registration.DEFAULT_WEIGHT,
                checks.leaseSeconds(),
                checks.removeAfterSeconds(),
                checks.said(),
                checks.beginsFailing(),
                registeredBy,
                (ObjectNode) Json.object().set(FOREIGN, kept));
    }

    /** Returns the registration of an instance as it is, but with other checks. */
    static Registration withChecks(Instance instance, ConsulChecks checks, String registeredBy) {
        ObjectNode kept = kept(instance, checks);
        return registration(
                instance.serviceName(),
                instance.instanceId(),
                instance.url(),
                instance.metadata().deepCopy(),
                checks,
                registeredBy,
                kept);
    }

    /** Returns the fields that an instance keeps, with other checks. */
    static ObjectNode keptWith(Instance instance, ConsulChecks checks) {
        return (ObjectNode) Json.object().set(FOREIGN, kept(instance, checks));
    }

    private static ObjectNode kept(Instance instance, ConsulChecks checks) {
        ObjectNode kept = Json.object();
        instance.foreign(FOREIGN).properties().forEach(m -> kept.set(m.getKey(), m.getValue()));
        return (ObjectNode) kept.set(CHECKS, checks.json());
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

    static JsonNode tags(Instance instance) {
        JsonNode tags = instance.foreign(FOREIGN).path("tags");
        return tags.isArray() ? tags : Json.object().arrayNode();
    }
}
