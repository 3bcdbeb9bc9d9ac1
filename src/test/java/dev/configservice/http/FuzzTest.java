package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Requests that are made from the OpenAPI document at random: valid ones, and ones that are wrong in some place. None may
 * cause a status of 500 or above without a reason, a hang, or a line at the level ERROR. {@code -Dfuzz.requests} sets
 * their number, {@code -Dfuzz.seed} chooses others.
 */
class FuzzTest {
    private static final int REQUESTS = Integer.getInteger("fuzz.requests", 2000);
    private static final long SEED = Long.getLong("fuzz.seed", 1L);
    private static final int THREADS = 8;

    /** The answers of 503 that are right: the request asked for something that is not there now. */
    private static final Set<String> REASONS = Set.of("no-instance", "behind");

    private static final List<String> ODD = List.of(
            "",
            ".",
            "..",
            "/",
            "%00",
            "\u0000",
            "\u202e",
            "\ud83d\ude00",
            "\ud800",
            "a b",
            "'; drop table changes; --",
            "${jndi:ldap://x}",
            "<script>",
            "\\",
            "\"",
            "\u001b[31m",
            "\r\nX-Evil: 1",
            "null",
            "undefined",
            "-1",
            "0",
            "1e999",
            "NaN",
            "9223372036854775808",
            "2026-11-26T00:00:00Z",
            "9999-99-99",
            "x".repeat(300),
            "\u00e4".repeat(200));

    private final TestNode node = TestNode.start(Map.of());
    private final JsonNode api = node.admin().get("/openapi.json").json();
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final Queue<String> known = new ConcurrentLinkedQueue<>();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();

    private final Map<Integer, Integer> statuses = new ConcurrentSkipListMap<>();

    private record Operation(String method, String path, List<JsonNode> parameters, JsonNode description) {}

    private List<Operation> operations() {
        List<Operation> all = new ArrayList<>();
        api.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().forEach(o -> {
                    // parameters of all methods stand beside them; a stream does not end by itself
                    if (!o.getKey().equals("parameters") && !isStream(o.getValue())) {
                        List<JsonNode> parameters = new ArrayList<>();
                        path.getValue().path("parameters").forEach(parameters::add);
                        o.getValue().path("parameters").forEach(parameters::add);
                        all.add(new Operation(
                                o.getKey().toUpperCase(Locale.ROOT), path.getKey(), parameters, o.getValue()));
                    }
                }));
        return all;
    }

    private static boolean isStream(JsonNode operation) {
        return operation.path("responses").path("200").path("content").has("text/event-stream");
    }

    private JsonNode resolve(JsonNode n) {
        return n.has("$ref") ? resolve(api.at(n.get("$ref").asText().substring(1))) : n;
    }

    /** Makes values and requests from one random source. */
    private final class Maker {
        private final Random random;

        Maker(long seed) {
            this.random = new Random(seed);
        }

        private boolean chance(double share) {
            return random.nextDouble() < share;
        }

        private <T> T one(List<T> of) {
            return of.get(random.nextInt(of.size()));
        }

        String text() {
            if (chance(0.3)) {
                return one(ODD);
            }
            List<String> ids = List.copyOf(known);
            return !ids.isEmpty() && chance(0.3)
                    ? one(ids)
                    : one(List.of(
                            "a", "b", "payments", "dev", "k.1", "feature", "healthy", "user-1", "http://h_1:80/x"));
        }

        JsonNode odd() {
            return switch (random.nextInt(8)) {
                case 0 -> JsonNodeFactory.instance.nullNode();
                case 1 -> JsonNodeFactory.instance.numberNode(new BigDecimal("1e400"));
                case 2 -> JsonNodeFactory.instance.numberNode(random.nextLong());
                case 3 -> JsonNodeFactory.instance.booleanNode(random.nextBoolean());
                case 4 -> JsonNodeFactory.instance.arrayNode().add(text());
                case 5 -> Json.object().put(text(), text());
                case 6 -> JsonNodeFactory.instance.numberNode(-0.0000001);
                default -> JsonNodeFactory.instance.textNode(text());
            };
        }

        JsonNode value(JsonNode given, int depth) {
            JsonNode schema = resolve(given);
            if (chance(0.06) || depth > 6) {
                return odd();
            }
            if (schema.has("oneOf")) {
                return value(
                        schema.get("oneOf")
                                .get(random.nextInt(schema.get("oneOf").size())),
                        depth + 1);
            }
            if (schema.has("enum")) {
                return schema.get("enum").get(random.nextInt(schema.get("enum").size()));
            }
            JsonNode type = schema.path("type");
            String name = type.isArray() ? type.get(random.nextInt(type.size())).asText() : type.asText();
            return switch (name) {
                case "object" -> object(schema, depth);
                case "array" -> array(schema, depth);
                case "integer" ->
                    JsonNodeFactory.instance.numberNode(
                            chance(0.2) ? random.nextLong() : (long) random.nextInt(200) - 20);
                case "number" -> JsonNodeFactory.instance.numberNode(random.nextDouble() * 150 - 20);
                case "boolean" -> JsonNodeFactory.instance.booleanNode(random.nextBoolean());
                case "null" -> JsonNodeFactory.instance.nullNode();
                case "string" -> JsonNodeFactory.instance.textNode(text());
                default -> odd();
            };
        }

        private JsonNode array(JsonNode schema, int depth) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            for (int i = random.nextInt(4); i > 0; i--) {
                array.add(value(schema.path("items"), depth + 1));
            }
            return array;
        }

        private JsonNode object(JsonNode schema, int depth) {
            ObjectNode object = Json.object();
            Set<String> required = new java.util.HashSet<>();
            schema.path("required").forEach(r -> required.add(r.asText()));
            schema.path("properties").properties().forEach(p -> {
                if (chance(required.contains(p.getKey()) ? 0.97 : 0.4)) {
                    object.set(p.getKey(), value(p.getValue(), depth + 1));
                }
            });
            if (schema.path("properties").isEmpty() || chance(0.05)) {
                object.set(text(), odd());
            }
            return object;
        }

        private String encoded(String text) {
            return chance(0.03)
                    ? "%zz"
                    : URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        }

        HttpRequest request(Operation operation) {
            StringBuilder path = new StringBuilder(operation.path());
            StringBuilder query = new StringBuilder();
            HttpRequest.Builder request = HttpRequest.newBuilder().timeout(Duration.ofSeconds(15));
            for (JsonNode p : operation.parameters()) {
                JsonNode parameter = resolve(p);
                String name = parameter.path("name").asText();
                String text = chance(0.7) ? value(parameter.path("schema"), 5).asText(text()) : text();
                switch (parameter.path("in").asText()) {
                    case "path" -> {
                        int at = path.indexOf("{" + name + "}");
                        path.replace(at, at + name.length() + 2, encoded(text));
                    }
                    case "query" -> {
                        // a wait would only make the test slow
                        if (!name.equals("wait") && !name.equals("min_revision") && chance(0.4)) {
                            query.append('&').append(name).append('=').append(encoded(text));
                        }
                    }
                    default -> {
                        if (chance(0.3) && !name.equalsIgnoreCase("X-Min-Revision")) {
                            header(request, name, text);
                        }
                    }
                }
            }
            if (chance(0.05)) {
                query.append('&').append(encoded(text())).append('=').append(encoded(text()));
            }
            if (chance(0.9)) {
                header(request, "Authorization", "ApiKey " + TestNode.ADMIN_KEY);
            } else {
                header(request, one(List.of("Authorization", "X-API-Key")), text());
            }
            if (chance(0.1)) {
                header(
                        request,
                        one(List.of(
                                "If-Match",
                                "If-None-Match",
                                "Idempotency-Key",
                                "Accept-Encoding",
                                "X-Request-Id",
                                "Origin")),
                        text());
            }
            return request.uri(uri(path, query))
                    .method(operation.method(), body(operation, request))
                    .build();
        }

        private HttpRequest.BodyPublisher body(Operation operation, HttpRequest.Builder request) {
            JsonNode schema =
                    resolve(operation.description().path("requestBody")).at("/content/application~1json/schema");
            if (schema.isMissingNode()) {
                return HttpRequest.BodyPublishers.noBody();
            }
            header(request, "Content-Type", chance(0.97) ? "application/json" : one(List.of("text/csv", "x", "a/b;c")));
            byte[] bytes = value(schema, 0).toString().getBytes(StandardCharsets.UTF_8);
            if (chance(0.05)) {
                bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            } else if (chance(0.05)) {
                bytes[random.nextInt(Math.max(1, bytes.length))] = (byte) random.nextInt();
            } else if (chance(0.02)) {
                bytes = ("[".repeat(random.nextInt(5000)) + "1").getBytes(StandardCharsets.UTF_8);
            }
            return HttpRequest.BodyPublishers.ofByteArray(bytes);
        }

        private void header(HttpRequest.Builder request, String name, String value) {
            try {
                request.header(name, value);
            } catch (IllegalArgumentException e) {
                request.header(name, "a");
            }
        }

        private URI uri(StringBuilder path, StringBuilder query) {
            String base = "http://127.0.0.1:" + node.port();
            String text = base + path + (query.length() == 0 ? "" : "?" + query.substring(1));
            try {
                return URI.create(text);
            } catch (IllegalArgumentException e) {
                return URI.create(base + operationless(path));
            }
        }

        private String operationless(StringBuilder path) {
            return path.toString().replaceAll("%zz", "%25");
        }
    }

    private void send(HttpRequest request) {
        String shown = request.method() + " " + request.uri();
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            statuses.merge(response.statusCode(), 1, Integer::sum);
            if (response.statusCode() >= 500) {
                String type = response.body().startsWith("{")
                        ? Json.read(response.body()).path("type").asText()
                        : "";
                if (response.statusCode() != 503 || !REASONS.contains(type)) {
                    failures.add(shown + " -> " + response.statusCode() + " " + response.body());
                }
            }
            if (response.statusCode() == 201 && known.size() < 200) {
                JsonNode id = Json.read(response.body()).path("id");
                if (id.isTextual()) {
                    known.add(id.asText());
                }
            }
        } catch (IOException | RuntimeException e) {
            failures.add(shown + " -> " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void noRequestCausesAServerErrorOrAHang() throws Exception {
        Queue<String> errors = new ConcurrentLinkedQueue<>();
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
                    errors.add(event.getLoggerName() + " " + event.getFormattedMessage());
                }
            }
        };
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        appender.start();
        root.addAppender(appender);
        List<Operation> operations = operations();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            AtomicInteger left = new AtomicInteger(REQUESTS);
            for (int i = 0; i < THREADS; i++) {
                Maker maker = new Maker(SEED * 1000 + i);
                threads.execute(() -> {
                    while (left.getAndDecrement() > 0) {
                        Operation operation = operations.get(maker.random.nextInt(operations.size()));
                        try {
                            send(maker.request(operation));
                        } catch (RuntimeException e) {
                            failures.add("cannot make " + operation.path() + ": " + e + " " + e.getStackTrace()[0]);
                        }
                    }
                });
            }
            threads.shutdown();
            assertThat(threads.awaitTermination(30, TimeUnit.MINUTES)).isTrue();
            System.out.println("answers by status: " + statuses);
            assertThat(failures).isEmpty();
            assertThat(statuses.values().stream().mapToInt(n -> n).sum()).isEqualTo(REQUESTS);
            // not all is refused before it reaches anything
            assertThat(statuses.getOrDefault(200, 0)).isGreaterThan(REQUESTS / 20);
            assertThat(errors).isEmpty();
            // it still works, and nothing was lost on the way
            assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                    .isTrue();
            assertThat(node.anonymous().get("/health").status()).isEqualTo(200);
        } finally {
            threads.shutdownNow();
            root.detachAppender(appender);
            node.close();
        }
    }
}
