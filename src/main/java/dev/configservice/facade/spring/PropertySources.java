package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.config.Configurations;
import dev.configservice.config.VisibleConfiguration;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Response;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The property sources of an answer, the one that counts most first: layers of configurations that a caller may read.
 * Encrypted values are opened for a caller that may see them, and left out for others.
 */
final class PropertySources {
    private static final String NAME = "config-service:/";

    /** The size of the largest answer. */
    private static final long MAX_BYTES = 32L << 20;

    /** The same of what it is made from, as it is in memory: about three times its text. */
    static final long MAX_STORED_BYTES = 3 * MAX_BYTES;

    /** The number of configurations, and their size, from which work on them takes too long for an event loop. */
    private static final int LARGE = 1000;

    private static final long LARGE_BYTES = 1L << 20;

    private final ConfigurationKind kind;
    private final Caller caller;
    private final String requestId;
    private final List<Source> sources = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    /** The keys of encrypted values that were left out: what counts less must not show through. */
    private final Set<String> hidden = new HashSet<>();

    private @Nullable Wanted outOfReach;
    private int size;
    private long layerBytes;
    private long bytes;
    private long version;
    private long lastChange;
    private long asOf = Long.MAX_VALUE;
    private boolean outdated;
    private boolean anyInReach;
    private boolean secrets;
    private int withheld;

    PropertySources(ConfigurationKind kind, Caller caller, String requestId) {
        this.kind = kind;
        this.caller = caller;
        this.requestId = requestId;
    }

    /**
     * A source that a request asks for.
     *
     * @param name what the source is called; no other has the same name
     * @param service empty for what all services share
     */
    record Wanted(String name, String environment, String service) {}

    private record Source(String name, Configurations.Layer layer) {}

    /**
     * Adds a source. Fails if the caller may not read it, but not if there is nothing in it.
     *
     * @param wasEmptied whether the layer had something not long ago. It is then shown empty, because clients keep what they
     *     have of a source that is no longer there
     */
    void add(Wanted wanted, Configurations.Layer layer, boolean wasEmptied) {
        lastChange = Math.max(lastChange, layer.lastChange());
        asOf = Math.min(asOf, layer.asOf());
        outdated |= layer.isOutdated();
        boolean isInReach = caller.may(Right.READ, wanted.environment(), wanted.service());
        if (!isInReach && outOfReach == null) {
            outOfReach = wanted;
        }
        anyInReach |= isInReach;
        if (layer.isEmpty() && !(wasEmptied && isInReach)) {
            return;
        }
        caller.require(Right.READ, wanted.environment(), wanted.service());
        String name = NAME + wanted.name();
        // of sources with the same name, a client keeps only one
        sources.add(new Source(names.add(name) ? name : name + "@" + wanted.environment(), layer));
        size += layer.size();
        layerBytes += layer.bytes();
        version = Math.max(version, layer.lastChange());
    }

    /** Fails if the caller may read none of the sources: an empty answer would look as if there were nothing. */
    void requireAny() {
        if (outOfReach != null && !anyInReach) {
            caller.require(Right.READ, outOfReach.environment(), outOfReach.service());
        }
    }

    /** Tells whether work on the sources takes too long for an event loop. */
    boolean isLarge() {
        return size > LARGE || layerBytes > LARGE_BYTES;
    }

    /** Returns an entity tag. It can be told only after the answer was written. */
    String tag() {
        return lastChange + (withheld > 0 ? "-m" : "");
    }

    long asOf() {
        return asOf;
    }

    boolean isOutdated() {
        return outdated;
    }

    /** Tells whether the answer shows an encrypted value. */
    boolean showsSecrets() {
        return secrets;
    }

    /** Returns the number of encrypted values that were left out. */
    int withheld() {
        return withheld;
    }

    /**
     * Writes the sources as JSON.
     *
     * @param head a JSON object with the members that come before
     */
    Response json(byte[] head) {
        Buffer body = Buffer.buffer()
                .appendBytes(head, 0, head.length - 1)
                .appendString(",\"version\":\"" + version + "\",\"state\":null,\"propertySources\":[");
        String before = "";
        for (Source source : sources) {
            Buffer members = members(source.layer().views(FlatPart::of));
            if (members.length() > 0 || source.layer().isEmpty()) {
                // no character of a name needs an escape
                body.appendString(before + "{\"name\":\"" + source.name() + "\",\"source\":{")
                        .appendBuffer(members)
                        .appendString("}}");
                before = ",";
            }
        }
        return Response.ready(Response.JSON, body.appendString("]}"));
    }

    private Buffer members(List<FlatPart> parts) {
        Buffer members = Buffer.buffer();
        Set<String> hiddenAbove = Set.copyOf(hidden);
        for (FlatPart part : parts) {
            // most parts are written as they were made
            append(
                    members,
                    part.sealed().isEmpty() && hiddenAbove.isEmpty()
                            ? part.members()
                            : FlatPart.members(opened(part, hiddenAbove)));
        }
        return members;
    }

    /** Returns the values of a part, with those encrypted ones that the caller may see, by key. */
    private ObjectNode opened(FlatPart part, Set<String> hiddenAbove) {
        ObjectNode flat = part.flat();
        for (VisibleConfiguration sealed : part.sealed()) {
            JsonNode value = opened(sealed);
            if (value == null) {
                hidden.add(sealed.key());
            } else {
                ObjectNode of = Json.object();
                FlatPart.flatten(sealed.key(), value, of);
                // a key of its own counts more than what comes of taking another value apart
                of.properties().forEach(v -> {
                    if (v.getKey().equals(sealed.key()) || !flat.has(v.getKey())) {
                        flat.set(v.getKey(), v.getValue());
                    }
                });
            }
        }
        if (!hiddenAbove.isEmpty()) {
            flat.remove(fieldNames(flat).stream()
                    .filter(key -> isHidden(key, hiddenAbove))
                    .toList());
        }
        return flat;
    }

    private static List<String> fieldNames(ObjectNode flat) {
        List<String> names = new ArrayList<>();
        flat.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Tells whether a key is one that is hidden, or a part of its value. */
    private static boolean isHidden(String key, Set<String> hiddenAbove) {
        if (hiddenAbove.contains(key)) {
            return true;
        }
        for (int i = 1; i < key.length(); i++) {
            char c = key.charAt(i);
            if ((c == '.' || c == '[') && hiddenAbove.contains(key.substring(0, i))) {
                return true;
            }
        }
        return false;
    }

    static ServiceException tooMuch() {
        return ServiceException.invalid(
                "profile", "must name fewer: what they hold together is larger than " + MAX_BYTES + " bytes");
    }

    private void append(Buffer members, Buffer more) {
        bytes += more.length();
        if (bytes > MAX_BYTES) {
            throw tooMuch();
        }
        if (more.length() > 0) {
            members.appendString(members.length() > 0 ? "," : "").appendBuffer(more);
        }
    }

    private @Nullable JsonNode opened(VisibleConfiguration sealed) {
        JsonNode value = kind.reveal(sealed.resource(), caller, requestId);
        secrets |= value != null;
        withheld += value == null ? 1 : 0;
        return value;
    }

    /**
     * Returns the value of each key, from the first source that has it. An array is that of one source.
     *
     * @param resolve whether placeholders are resolved
     */
    SortedMap<String, JsonNode> values(boolean resolve) {
        TreeMap<String, JsonNode> values = new TreeMap<>();
        Map<String, String> arrays = new HashMap<>();
        for (Source source : sources) {
            Set<String> hiddenAbove = Set.copyOf(hidden);
            for (FlatPart part : source.layer().views(FlatPart::of)) {
                ObjectNode flat = opened(part, hiddenAbove);
                flat.properties().forEach(v -> {
                    int bracket = v.getKey().indexOf('[');
                    String array = v.getKey().substring(0, Math.max(0, bracket));
                    boolean isOfOther = bracket >= 0
                            && (values.containsKey(array)
                                    || !arrays.computeIfAbsent(array, a -> source.name())
                                            .equals(source.name()));
                    if (!isOfOther) {
                        values.putIfAbsent(v.getKey(), v.getValue());
                    }
                });
            }
        }
        if (resolve) {
            Placeholders placeholders = new Placeholders(Map.copyOf(values));
            values.replaceAll((key, value) -> placeholders.resolve(value));
        }
        return values;
    }
}
