package dev.configservice.registry;

import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of the instances of a service, kept for one time slot of heartbeats: within a slot, all answers may show the
 * same heartbeats. A list of thousands is so rendered once, however many ask for it.
 */
final class ShownInstances {
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    private record Kept(long slot, Buffer json) {}

    /**
     * Returns the JSON of instances, separated by commas. It must not be changed.
     *
     * @param status the status of the instances; null for all
     * @param slot the number of the time slot
     * @param json renders an instance
     */
    Buffer json(List<Instance> all, @Nullable Status status, long slot, Function<Instance, Buffer> json) {
        String which = status == null ? "" : status.text();
        Kept known = kept.get(which);
        if (known == null || known.slot() != slot) {
            known = new Kept(slot, render(all, status, json));
            kept.put(which, known);
        }
        return known.json();
    }

    private static Buffer render(List<Instance> all, @Nullable Status status, Function<Instance, Buffer> json) {
        Buffer joined = Buffer.buffer();
        for (Instance instance : all) {
            if (status == null || instance.status() == status) {
                if (joined.length() > 0) {
                    joined.appendByte((byte) ',');
                }
                joined.appendBuffer(json.apply(instance));
            }
        }
        return joined;
    }
}
