package dev.configservice.facade.eureka;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.http.Gzip;
import dev.configservice.json.Json;
import dev.configservice.registry.Instance;
import dev.configservice.registry.Registry.Instances;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All applications of Eureka as of one moment, and the answers that are made from them. Immutable but for what it keeps. */
final class EurekaApps {
    private static final int MAX_KEPT = 32 << 20;
    private static final String ADDED = "ADDED";

    /** The forms of an answer. */
    enum Form {
        JSON("application/json"),
        XML("application/xml");

        private final String contentType;

        Form(String contentType) {
            this.contentType = contentType;
        }

        String contentType() {
            return contentType;
        }
    }

    /** The JSON and the XML of instances, kept as long as they do not change. */
    static final class Rendered {
        private static final int MAX_BYTES = 32 << 20;
        private final Map<String, Cache<Instance, String>> byForm = new ConcurrentHashMap<>();

        private static Cache<Instance, String> cache() {
            return Caffeine.newBuilder()
                    .weakKeys()
                    .maximumWeight(MAX_BYTES)
                    .weigher((Instance instance, String text) -> text.length() + 100)
                    .build();
        }

        String of(Instance instance, String action, Form form) {
            return byForm.computeIfAbsent(action + form, f -> cache())
                    .get(instance, i -> text(EurekaInstance.json(i, action, 0), form));
        }
    }

    private final Rendered rendered;
    private final SortedMap<String, List<Instance>> byName = new TreeMap<>();
    private final Map<String, Instance> byKey = new HashMap<>();
    private final String hash;
    private final long asOf;
    private final boolean outdated;
    private final Map<String, Buffer> kept = new ConcurrentHashMap<>();

    /** Collects the instances whose lease has not expired. */
    EurekaApps(List<Instances> services, Rendered rendered) {
        this.rendered = rendered;
        long min = Long.MAX_VALUE;
        boolean anyOutdated = false;
        for (Instances service : services) {
            min = Math.min(min, service.snapshot().asOf().revision());
            anyOutdated |= service.snapshot().isOutdated();
            for (Instance instance : service.list()) {
                // clients keep one instance for each id of an application, whatever the case of the service
                if (!instance.isExpired()
                        && byKey.putIfAbsent(key(service.serviceName(), instance.instanceId()), instance) == null) {
                    byName.computeIfAbsent(service.serviceName().toUpperCase(Locale.ROOT), n -> new ArrayList<>())
                            .add(instance);
                }
            }
        }
        this.asOf = min == Long.MAX_VALUE ? 0 : min;
        this.outdated = anyOutdated;
        this.hash = hash(byKey.values());
    }

    private static String hash(Iterable<Instance> instances) {
        SortedMap<String, Integer> counts = new TreeMap<>();
        instances.forEach(i -> counts.merge(EurekaInstance.word(i.status()), 1, Integer::sum));
        StringBuilder text = new StringBuilder();
        counts.forEach(
                (status, count) -> text.append(status).append('_').append(count).append('_'));
        return text.toString();
    }

    private static String key(String serviceName, String instanceId) {
        return serviceName.toUpperCase(Locale.ROOT) + "/" + instanceId;
    }

    int size() {
        return byKey.size();
    }

    long asOf() {
        return asOf;
    }

    boolean isOutdated() {
        return outdated;
    }

    /** Returns the instances of an application; null if it has none. */
    @Nullable
    List<Instance> named(String application) {
        return byName.get(application.toUpperCase(Locale.ROOT));
    }

    /** Returns the first instance with an id, by the names of the services; null if there is none. */
    @Nullable
    Instance withId(String instanceId) {
        for (List<Instance> instances : byName.values()) {
            for (Instance instance : instances) {
                if (instance.instanceId().equals(instanceId)) {
                    return instance;
                }
            }
        }
        return null;
    }

    /** Returns all applications. The result is kept, and must not be changed. */
    Buffer all(Form form, boolean compressed) {
        return kept(form.name(), compressed, () -> applications(form, byName, hash));
    }

    /** Returns the applications with the instances that a condition holds for. */
    Buffer those(Form form, Predicate<Instance> condition) {
        SortedMap<String, List<Instance>> chosen = new TreeMap<>();
        List<Instance> all = new ArrayList<>();
        byName.forEach((name, instances) -> {
            List<Instance> of = instances.stream().filter(condition).toList();
            if (!of.isEmpty()) {
                chosen.put(name, of);
                all.addAll(of);
            }
        });
        return applications(form, chosen, hash(all));
    }

    /** Returns the instances that changed as they are now, with the hash of all of them. Kept for a time slot. */
    Buffer delta(Form form, boolean compressed, List<EurekaChanges.Changed> changes, long slot) {
        String key = "delta " + form + " " + slot;
        kept.keySet().removeIf(k -> k.startsWith("delta " + form) && !k.startsWith(key));
        return kept(key, compressed, () -> {
            SortedMap<String, StringBuilder> changed = new TreeMap<>();
            for (EurekaChanges.Changed change : changes) {
                Instance now =
                        byKey.get(key(change.last().serviceName(), change.last().name()));
                // a client that has an instance already may leave out one that is ADDED, and adds one that is MODIFIED
                String action = now == null ? "DELETED" : now.resource().version() == 1 ? ADDED : "MODIFIED";
                Instance shown = now == null ? change.instance() : now;
                StringBuilder instances =
                        changed.computeIfAbsent(shown.serviceName().toUpperCase(Locale.ROOT), n -> new StringBuilder());
                if (form == Form.JSON && instances.length() > 0) {
                    instances.append(',');
                }
                instances.append(
                        now == null
                                ? text(EurekaInstance.json(shown, action, 0), form)
                                : rendered.of(now, action, form));
            }
            return applications(form, changed, hash, StringBuilder::append);
        });
    }

    private Buffer kept(String key, boolean compressed, java.util.function.Supplier<Buffer> make) {
        String name = compressed ? key + " gzip" : key;
        Buffer known = kept.get(name);
        if (known != null) {
            return known;
        }
        synchronized (this) {
            known = kept.get(name);
            if (known == null) {
                known = compressed ? Gzip.compress(kept(key, false, make)) : make.get();
                if (known.length() <= MAX_KEPT) {
                    kept.put(name, known);
                }
            }
            return known;
        }
    }

    private Buffer applications(Form form, SortedMap<String, List<Instance>> apps, String ofHash) {
        return applications(form, apps, ofHash, (out, instances) -> {
            String before = "";
            for (Instance instance : instances) {
                out.append(before).append(rendered.of(instance, ADDED, form));
                before = form == Form.JSON ? "," : "";
            }
        });
    }

    /** Writes the instances of an application. */
    private interface Writer<T> {
        void write(StringBuilder out, T instances);
    }

    private static <T> Buffer applications(Form form, SortedMap<String, T> apps, String ofHash, Writer<T> writer) {
        StringBuilder out = new StringBuilder(
                form == Form.JSON
                        ? "{\"applications\":{\"versions__delta\":\"1\",\"apps__hashcode\":\"" + ofHash
                                + "\",\"application\":["
                        : "<applications><versions__delta>1</versions__delta><apps__hashcode>" + ofHash
                                + "</apps__hashcode>");
        String before = "";
        for (Map.Entry<String, T> app : apps.entrySet()) {
            // names of services need no escapes
            out.append(before)
                    .append(form == Form.JSON ? "{\"name\":\"" : "<application><name>")
                    .append(app.getKey())
                    .append(form == Form.JSON ? "\",\"instance\":[" : "</name>");
            writer.write(out, app.getValue());
            out.append(form == Form.JSON ? "]}" : "</application>");
            before = form == Form.JSON ? "," : "";
        }
        return buffer(out.append(form == Form.JSON ? "]}}" : "</applications>"));
    }

    /** Returns one application. */
    Buffer application(Form form, String name, List<Instance> instances) {
        StringBuilder out = new StringBuilder();
        if (form == Form.JSON) {
            out.append("{\"application\":{\"name\":\"").append(name).append("\",\"instance\":[");
            String before = "";
            for (Instance instance : instances) {
                out.append(before).append(rendered.of(instance, ADDED, form));
                before = ",";
            }
            return buffer(out.append("]}}"));
        }
        out.append("<application><name>").append(name).append("</name>");
        instances.forEach(instance -> out.append(rendered.of(instance, ADDED, form)));
        return buffer(out.append("</application>"));
    }

    /** Returns one instance. */
    static Buffer instance(Form form, Instance instance, long renewedMillis) {
        ObjectNode json = EurekaInstance.json(instance, "ADDED", renewedMillis);
        return buffer(
                new StringBuilder(form == Form.JSON ? "{\"instance\":" + text(json, form) + "}" : text(json, form)));
    }

    private static String text(ObjectNode instance, Form form) {
        if (form == Form.JSON) {
            return Json.write(instance);
        }
        StringBuilder xml = new StringBuilder();
        EurekaXml.write("instance", instance, xml);
        return xml.toString();
    }

    private static Buffer buffer(StringBuilder text) {
        return Buffer.buffer(text.toString().getBytes(StandardCharsets.UTF_8));
    }
}
