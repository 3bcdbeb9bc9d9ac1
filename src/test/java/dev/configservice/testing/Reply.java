package dev.configservice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;

/** A response of the service. */
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

    /** Returns a field of the JSON response as a string. */
    public String field(String name) {
        return json().path(name).asText();
    }

    /** Returns the names of the fields that a problem reports, in order. */
    public java.util.List<String> wrongFields() {
        java.util.List<String> fields = new java.util.ArrayList<>();
        json().path("errors").forEach(e -> fields.add(e.get("field").asText()));
        return fields;
    }
}
