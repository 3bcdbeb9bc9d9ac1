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
import java.util.List;
import java.util.Map;
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
    private static final long MAX_BYTES = 64L << 20;

    /** The number of configurations from which work on them takes too long for an event loop. */
    private static final int LARGE = 1000;

    private final ConfigurationKind kind;
    private final Caller caller;
    private final String requestId;
    private final List<Source> sources = new ArrayList<>();
    private int size;
    private long bytes;
    private long version;
    private long lastChange;
    private long asOf = Long.MAX_VALUE;
    private boolean outdated;
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
        if (layer.isEmpty() && !(wasEmptied && caller.may(Right.READ, wanted.environment(), wanted.service()))) {
            return;
        }
        caller.require(Right.READ, wanted.environment(), wanted.service());
        sources.add(new Source(NAME + wanted.name(), layer));
        size += layer.size();
        version = Math.max(version, layer.lastChange());
    }

    /** Tells whether work on the sources takes too long for an event loop. */
    boolean isLarge() {
        return size > LARGE;
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
        for (FlatPart part : parts) {
            append(members, part.members());
            for (VisibleConfiguration sealed : part.sealed()) {
                JsonNode value = opened(sealed);
                if (value != null) {
                    ObjectNode flat = Json.object();
                    FlatPart.flatten(sealed.key(), value, flat);
                    append(members, FlatPart.members(flat));
                }
            }
        }
        return members;
    }

    private void append(Buffer members, Buffer more) {
        bytes += more.length();
        if (bytes > MAX_BYTES) {
            throw ServiceException.invalid(
                    "profile", "must name fewer: what they hold together is larger than " + MAX_BYTES + " bytes");
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
            for (FlatPart part : source.layer().views(FlatPart::of)) {
                ObjectNode flat = part.flat();
                for (VisibleConfiguration sealed : part.sealed()) {
                    JsonNode value = opened(sealed);
                    if (value != null) {
                        FlatPart.flatten(sealed.key(), value, flat);
                    }
                }
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
