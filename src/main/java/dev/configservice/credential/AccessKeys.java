package dev.configservice.credential;

import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The access keys of a snapshot. They are parsed by part, so a new key does not parse the others again. */
final class AccessKeys {
    private final Map<String, AccessKey> byId;

    private AccessKeys(List<Resource> resources) {
        byId = new HashMap<>(resources.size() * 2);
        resources.forEach(r -> byId.put(r.id(), AccessKey.of(r)));
    }

    private static Map<String, AccessKey> of(SortedResources.Part part) {
        return part.view(AccessKeys.class, AccessKeys::new).byId;
    }

    /** Returns the key with an id, which is also the name of its resource; null if there is none. */
    static @Nullable AccessKey byId(SortedResources keys, String id) {
        SortedResources.Part part = keys.partOf(id);
        return part == null ? null : of(part).get(id);
    }

    /** Returns all keys. */
    static Iterable<AccessKey> all(SortedResources keys) {
        return () -> keys.parts().stream()
                .flatMap(part -> of(part).values().stream())
                .iterator();
    }
}
