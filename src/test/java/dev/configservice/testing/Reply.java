package dev.configservice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;

/** An answer of the service. */
public record Reply(int status, HttpHeaders headers, String text) {
    static Reply of(HttpResponse<String> response) {
        return new Reply(response.statusCode(), response.headers(), response.body());
    }

    public JsonNode json() {
        return Json.read(text);
    }

    public String header(String name) {
        return headers.firstValue(name).orElse("");
    }

    public long revision() {
        return Long.parseLong(header("X-Config-Revision"));
    }

    /** A field of the JSON answer, as text. */
    public String field(String name) {
        return json().path(name).asText();
    }

    /** The fields that a problem names, in order. */
    public java.util.List<String> wrongFields() {
        java.util.List<String> fields = new java.util.ArrayList<>();
        json().path("errors").forEach(e -> fields.add(e.get("field").asText()));
        return fields;
    }
}
