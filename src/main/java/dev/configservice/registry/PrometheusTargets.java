package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.secret.Sha256;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Instances in the form of Prometheus' HTTP service discovery: one group for each. Those that cannot be asked by HTTP are
 * left out.
 */
final class PrometheusTargets {
    private static final String META = "__meta_config_service_";
    private static final String METADATA = META + "metadata_";
    /** The entry of the metadata that names the path of the metrics. */
    private static final String PATH = "metrics_path";

    private static final int DIGITS = 8;

    private PrometheusTargets() {}

    static ArrayNode of(List<Registry.Instances> services) {
        ArrayNode groups = Json.object().arrayNode();
        for (Registry.Instances service : services) {
            for (Instance instance : service.list()) {
                URI uri = URI.create(instance.url());
                if (HttpUrls.isHttp(uri)) {
                    group(groups.addObject(), instance, uri);
                }
            }
        }
        return groups;
    }

    private static void group(ObjectNode group, Instance instance, URI uri) {
        group.putArray("targets").add(HttpUrls.host(uri) + ":" + HttpUrls.port(uri));
        ObjectNode labels = group.putObject("labels");
        labels.put(META + "name", instance.serviceName());
        labels.put(META + "instance_id", instance.instanceId());
        labels.put(META + "status", instance.status().text());
        labels.put(META + "url", instance.url());
        labels.put("__scheme__", uri.getScheme().toLowerCase(java.util.Locale.ROOT));
        String path = metricsPath(instance, uri);
        if (!path.isEmpty()) {
            labels.put("__metrics_path__", path);
        }
        labels.put("service", instance.serviceName());
        metadata(instance.metadata(), labels);
    }

    /** Returns the path of the metrics; empty for the one that Prometheus takes by itself. */
    private static String metricsPath(Instance instance, URI uri) {
        String given = instance.metadata().path(PATH).asText();
        if (!given.isEmpty()) {
            return given.startsWith("/") ? given : "/" + given;
        }
        String base = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
        return base.isEmpty() ? "" : base + "/metrics";
    }

    /** Adds a label for each entry. Names that become the same keep apart by a digest of what they were. */
    private static void metadata(JsonNode metadata, ObjectNode labels) {
        Map<String, Set<String>> byLabel = new HashMap<>();
        metadata.fieldNames()
                .forEachRemaining(name -> byLabel.computeIfAbsent(label(name), l -> new TreeSet<>())
                        .add(name));
        metadata.properties().forEach(m -> {
            String label = label(m.getKey());
            Set<String> same = byLabel.getOrDefault(label, Set.of());
            boolean isAlone = same.size() == 1 || label.equals(m.getKey());
            String end = isAlone ? "" : "_" + Sha256.hex(m.getKey()).substring(0, DIGITS);
            labels.put(METADATA + label + end, m.getValue().asText());
        });
    }

    private static String label(String name) {
        return name.replaceAll("[^A-Za-z0-9_]", "_");
    }
}
