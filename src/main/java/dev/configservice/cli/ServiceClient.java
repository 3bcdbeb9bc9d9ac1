package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URLConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A client of the service's own API. A write whose outcome is unknown is sent again with the same Idempotency-Key, so that it
 * is done once.
 */
final class ServiceClient {
    private static final int CONNECT_MILLIS = 5_000;
    /** Streams have a heartbeat every 15 seconds. */
    private static final int ANSWER_MILLIS = 60_000;

    private static final int TRIES = 4;
    private static final long FIRST_PAUSE_MILLIS = 300;
    private static final int PAGE = 500;

    private final String base;
    private final String key;

    /**
     * Creates a client.
     *
     * @param url the address of a node, or of a proxy in front, without the path of the API
     * @param key an API key or token; empty for none
     */
    ServiceClient(String url, String key) {
        this.base = url.replaceAll("/+$", "") + "/api/v1";
        this.key = key;
    }

    /** The parameters of a query. Those that are null are left out. */
    static final class Query {
        private final Map<String, String> parameters = new LinkedHashMap<>();

        Query with(String name, @Nullable Object value) {
            if (value != null) {
                parameters.put(name, value.toString());
            }
            return this;
        }

        private String text() {
            StringBuilder text = new StringBuilder();
            parameters.forEach((name, value) -> text.append(text.length() == 0 ? "?" : "&")
                    .append(encode(name))
                    .append('=')
                    .append(encode(value)));
            return text.toString();
        }
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** A response: its status, its body, and the warnings in its headers. */
    record Answer(int status, String text, List<String> warnings) {
        JsonNode json() {
            return text.isEmpty() ? Json.object() : Json.read(text);
        }
    }

    Answer get(String path, Query query) {
        return send("GET", path + query.text(), null, "application/json");
    }

    /** Writes, with an Idempotency-Key. */
    Answer write(String method, String path, Query query, @Nullable String body, String type) {
        return send(method, path + query.text(), body, type);
    }

    /** Reads all pages of a list. */
    List<JsonNode> all(String path, Query query, int most) {
        List<JsonNode> items = new ArrayList<>();
        query.with("limit", Math.min(PAGE, most));
        while (true) {
            JsonNode page = get(path, query).json();
            page.path("items").forEach(items::add);
            JsonNode next = page.path("next_page_token");
            if (!next.isTextual() || items.size() >= most) {
                return items.size() > most ? items.subList(0, most) : items;
            }
            query.with("page_token", next.textValue());
        }
    }

    /** Prepares a request. It uses no threads of its own, for which the end of the process would wait. */
    private HttpURLConnection request(String method, String path) throws IOException {
        HttpURLConnection request;
        try {
            URLConnection connection = URI.create(base + path).toURL().openConnection();
            if (!(connection instanceof HttpURLConnection http)) {
                throw wrongUrl();
            }
            request = http;
        } catch (IllegalArgumentException | MalformedURLException e) {
            throw wrongUrl();
        }
        request.setRequestMethod(method);
        request.setInstanceFollowRedirects(false);
        request.setConnectTimeout(CONNECT_MILLIS);
        request.setReadTimeout(ANSWER_MILLIS);
        request.setRequestProperty("User-Agent", "config-service-cli");
        request.setRequestProperty("Accept", "*/*");
        if (!key.isEmpty()) {
            request.setRequestProperty("Authorization", authorization());
        }
        return request;
    }

    private ServiceFailure wrongUrl() {
        return new ServiceFailure(ServiceFailure.WRONG_USAGE, "--url: " + base + " (expected: http://host:port)");
    }

    private String authorization() {
        boolean isToken = key.chars().filter(c -> c == '.').count() == 2 && !key.startsWith("cs_");
        return (isToken ? "Bearer " : "ApiKey ") + key;
    }

    private Answer send(String method, String path, @Nullable String body, String type) {
        String idempotencyKey = UUID.randomUUID().toString();
        ServiceFailure last = null;
        for (int tries = 0; tries < TRIES; tries++) {
            if (tries > 0) {
                pause(tries);
            }
            try {
                HttpURLConnection request = request(method, path);
                if (!method.equals("GET")) {
                    request.setRequestProperty("Idempotency-Key", idempotencyKey);
                }
                if (body != null) {
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    request.setRequestProperty("Content-Type", type);
                    request.setDoOutput(true);
                    try (OutputStream out = request.getOutputStream()) {
                        out.write(bytes);
                    }
                }
                int status = request.getResponseCode();
                String text = text(request);
                if (status < 400) {
                    return new Answer(status, text, warnings(request));
                }
                last = ServiceFailure.of(status, problem(text));
                if (status != 503 || last.is("no-keyset") || last.is("no-instance")) {
                    throw last;
                }
            } catch (IOException e) {
                last = unreachable(e);
            }
        }
        throw last == null ? new ServiceFailure(ServiceFailure.UNREACHABLE, "not reached") : last;
    }

    private static String text(HttpURLConnection request) throws IOException {
        try (InputStream in = request.getResponseCode() < 400 ? request.getInputStream() : request.getErrorStream()) {
            return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static List<String> warnings(HttpURLConnection request) {
        return request.getHeaderFields().getOrDefault("Warning", List.of());
    }

    private static void pause(int tries) {
        long millis = FIRST_PAUSE_MILLIS << tries;
        try {
            Thread.sleep(millis / 2 + ThreadLocalRandom.current().nextLong(millis));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceFailure(ServiceFailure.UNREACHABLE, "interrupted");
        }
    }

    private ServiceFailure unreachable(IOException e) {
        String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return new ServiceFailure(
                ServiceFailure.UNREACHABLE, base + " is unreachable (" + reason + "); set CS_URL or --url");
    }

    private static JsonNode problem(String body) {
        try {
            return Json.read(body);
        } catch (RuntimeException e) {
            // a proxy in front answers in its own words
            return Json.object().put("detail", body.length() > 200 ? body.substring(0, 200) : body);
        }
    }

    /** Opens a stream of events. The caller closes it. */
    InputStream open(String path, Query query, @Nullable String lastEventId) throws IOException {
        HttpURLConnection request = request("GET", path + query.text());
        request.setRequestProperty("Accept", "text/event-stream");
        if (lastEventId != null) {
            request.setRequestProperty("Last-Event-ID", lastEventId);
        }
        if (request.getResponseCode() != 200) {
            throw ServiceFailure.of(request.getResponseCode(), problem(text(request)));
        }
        return request.getInputStream();
    }
}
