package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.Times;
import dev.configservice.log.Origin;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.secret.Sha256;
import dev.configservice.vertx.Traces;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A request as a route's handler sees it. It has been read and checked once, and is immutable.
 *
 * @param path the path, without the query
 * @param parameters the path parameters, by name
 * @param query the query parameters; each one satisfies the rule that the route has for it. On a route that takes any
 *     parameter, one that is given several times is a line for each
 * @param body the bytes of the body; empty if there is none
 * @param minRevision the revision that the client has already seen; 0 if it names none
 * @param remoteAddress the address of the client
 * @param gone tells whether the client has left, so that nobody waits for the response
 */
public record Request(
        String id,
        String method,
        String path,
        Map<String, String> parameters,
        Map<String, String> query,
        MultiMap headers,
        Buffer body,
        Caller caller,
        long minRevision,
        String remoteAddress,
        BooleanSupplier gone) {

    private static final Pattern ETAG = Pattern.compile("\"(\\d{1,18})(?:-m)?(?:-gz)?\"");

    public String parameter(String name) {
        return Objects.requireNonNull(parameters.get(name), name);
    }

    /** Returns a query parameter; null if it is absent. */
    public @Nullable String query(String name) {
        return query.get(name);
    }

    /** Returns a query parameter that is true or false; null if it is absent. */
    public @Nullable Boolean flag(String name) {
        String value = query.get(name);
        return value == null ? null : value.equalsIgnoreCase("true");
    }

    /** Returns a query parameter that is a whole number; {@code otherwise} if it is absent. */
    public long number(String name, long otherwise) {
        String value = query.get(name);
        return value == null ? otherwise : Long.parseLong(value);
    }

    /** Returns a query parameter that is a time; null if it is absent. */
    public @Nullable Instant time(String name) {
        String value = query.get(name);
        return value == null ? null : Times.parse(value);
    }

    /** Returns a header by its case-insensitive name; null if it is absent. */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** Returns the body as a JSON object. Fails with {@link ErrorCode#MALFORMED_BODY} if it is anything else. */
    public ObjectNode object() {
        JsonNode node = Json.parseBody(body.getBytes());
        if (!(node instanceof ObjectNode object)) {
            throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body must be a JSON object");
        }
        return object;
    }

    /**
     * Returns the revisions in {@code If-Match}; the current revision must be one of them. Entity tags that this
     * service cannot have issued are left out, so they match nothing.
     *
     * @return the revisions; null if the header is absent or {@code *}
     */
    public @Nullable List<Long> ifMatch() {
        String value = headers.get("if-match");
        if (value == null || value.strip().equals("*")) {
            return null;
        }
        List<Long> revisions = new ArrayList<>();
        for (String tag : value.split(",", -1)) {
            Matcher m = ETAG.matcher(tag.strip());
            if (m.matches()) {
                revisions.add(Long.parseLong(m.group(1)));
            }
        }
        return List.copyOf(revisions);
    }

    /** Returns the origin of a command that this request issues. */
    public Origin origin(@Nullable String comment) {
        return new Origin(caller.identity(), id, comment, idempotencyKey(), Traces.parent());
    }

    private @Nullable IdempotencyKey idempotencyKey() {
        String key = headers.get("idempotency-key");
        if (key == null) {
            return null;
        }
        if (key.isEmpty() || key.length() > 255 || !key.chars().allMatch(c -> c > 32 && c < 127)) {
            throw ServiceException.invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters");
        }
        MessageDigest sha = Sha256.digest();
        sha.update((method + " " + path + "?" + new TreeMap<>(query) + "\n").getBytes(StandardCharsets.UTF_8));
        return new IdempotencyKey(
                caller.identity().identity(), key, HexFormat.of().formatHex(sha.digest(body.getBytes())));
    }
}
