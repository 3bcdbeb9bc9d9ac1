package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A response of a route. The pipeline adds the headers that every response carries.
 *
 * @param revision the revision of the data in the response; 0 for the revision that this node has applied
 * @param etag the entity tag without quotes, a weak one after {@code W/}; null if there is none
 * @param secret whether the response holds a secret in plain text, which no cache may keep
 * @param isExact whether the answer stands for exactly {@code revision}: a write made it, or a read asked for it
 * @param outdated whether this node knows of newer changes than those in the response
 */
public record Response(
        int status,
        @Nullable String contentType,
        @Nullable Buffer body,
        long revision,
        @Nullable String etag,
        boolean secret,
        boolean outdated,
        boolean isExact,
        List<Map.Entry<String, String>> headers) {

    public static final String JSON = "application/json";

    public static Response json(int status, JsonNode body) {
        return bytes(status, JSON, Json.bytes(body));
    }

    public static Response bytes(int status, String contentType, byte[] body) {
        return new Response(status, contentType, Buffer.buffer(body), 0, null, false, false, false, List.of());
    }

    /** Returns a response whose body is prepared in advance and shared. The body must not be changed. */
    public static Response ready(String contentType, Buffer body) {
        return new Response(200, contentType, body, 0, null, false, false, false, List.of());
    }

    public static Response text(String contentType, String body) {
        return new Response(200, contentType, Buffer.buffer(body), 0, null, false, false, false, List.of());
    }

    public static Response empty(int status) {
        return new Response(status, null, null, 0, null, false, false, false, List.of());
    }

    /** Returns this response with the revision of its data, and whether that data is outdated. */
    public Response asOf(long newRevision, boolean isOutdated) {
        return new Response(status, contentType, body, newRevision, etag, secret, isOutdated, isExact, headers);
    }

    /** Returns this response as the response to a write that made a revision. */
    public Response wrote(long newRevision) {
        return new Response(status, contentType, body, newRevision, etag, secret, outdated, true, headers);
    }

    /** Returns this response as the response to a read of the state at a revision. */
    public Response at(long newRevision) {
        return new Response(status, contentType, body, newRevision, etag, secret, false, true, headers);
    }

    public Response tagged(String newEtag) {
        return new Response(status, contentType, body, revision, newEtag, secret, outdated, isExact, headers);
    }

    /** Returns this response with a weak entity tag (RFC 9110 section 8.8.1): parts of it may differ under one tag. */
    public Response weaklyTagged(String newEtag) {
        return tagged("W/" + newEtag);
    }

    public Response asSecret(boolean isSecret) {
        return new Response(status, contentType, body, revision, etag, isSecret, outdated, isExact, headers);
    }

    public Response header(String name, String value) {
        List<Map.Entry<String, String>> more = new ArrayList<>(headers);
        more.add(Map.entry(name, value));
        return new Response(status, contentType, body, revision, etag, secret, outdated, isExact, List.copyOf(more));
    }
}
