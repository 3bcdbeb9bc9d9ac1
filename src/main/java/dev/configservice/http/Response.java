package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a route answers. The pipeline adds what every answer carries.
 *
 * @param revision the revision that it stands for; 0 for what this node has applied
 * @param etag without quotes; null where it has none
 * @param secret whether it holds an opened secret, which no cache may keep
 * @param isOfWrite whether it made that revision
 * @param outdated whether newer changes are known than those it was made from
 */
public record Response(
        int status,
        @Nullable String contentType,
        @Nullable Buffer body,
        long revision,
        @Nullable String etag,
        boolean secret,
        boolean outdated,
        boolean isOfWrite,
        List<Map.Entry<String, String>> headers) {

    public static final String JSON = "application/json";

    public static Response json(int status, JsonNode body) {
        return bytes(status, JSON, Json.bytes(body));
    }

    public static Response bytes(int status, String contentType, byte[] body) {
        return new Response(status, contentType, Buffer.buffer(body), 0, null, false, false, false, List.of());
    }

    /** An answer that is kept ready; its body is not changed. */
    public static Response ready(String contentType, Buffer body) {
        return new Response(200, contentType, body, 0, null, false, false, false, List.of());
    }

    public static Response text(String contentType, String body) {
        return new Response(200, contentType, Buffer.buffer(body), 0, null, false, false, false, List.of());
    }

    public static Response empty(int status) {
        return new Response(status, null, null, 0, null, false, false, false, List.of());
    }

    /** As of a revision, made from what may be outdated. */
    public Response asOf(long newRevision, boolean isOutdated) {
        return new Response(status, contentType, body, newRevision, etag, secret, isOutdated, isOfWrite, headers);
    }

    /** The answer to a write that made a revision. */
    public Response wrote(long newRevision) {
        return new Response(status, contentType, body, newRevision, etag, secret, outdated, true, headers);
    }

    public Response tagged(String newEtag) {
        return new Response(status, contentType, body, revision, newEtag, secret, outdated, isOfWrite, headers);
    }

    public Response asSecret(boolean isSecret) {
        return new Response(status, contentType, body, revision, etag, isSecret, outdated, isOfWrite, headers);
    }

    public Response header(String name, String value) {
        List<Map.Entry<String, String>> more = new ArrayList<>(headers);
        more.add(Map.entry(name, value));
        return new Response(status, contentType, body, revision, etag, secret, outdated, isOfWrite, List.copyOf(more));
    }
}
