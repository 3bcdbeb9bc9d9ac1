package dev.configservice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** A check of a response against the OpenAPI description: its status, media type and body. */
final class OpenApiCheck {
    private static final JsonNode API = load();
    private static final SchemaRegistry SCHEMAS = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final Map<String, Schema> COMPILED = new ConcurrentHashMap<>();

    private OpenApiCheck() {}

    private static JsonNode load() {
        try (InputStream in = OpenApiCheck.class.getResourceAsStream("/openapi.yaml")) {
            return new YAMLMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void check(String method, String path, Reply reply) {
        String plain = path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        String described = method.equals("HEAD") ? "get" : method.toLowerCase(java.util.Locale.ROOT);
        String template = template(plain, described);
        if (template == null) {
            assertThat(reply.status())
                    .as("%s %s is not described", method, path)
                    .isIn(404, 400);
            checkBody("#/components/schemas/Problem", reply);
            return;
        }
        JsonNode operation = API.path("paths").path(template).path(described);
        if (operation.isMissingNode()) {
            assertThat(reply.status())
                    .as("%s %s is not described", method, path)
                    .isEqualTo(405);
            checkBody("#/components/schemas/Problem", reply);
            return;
        }
        JsonNode response = operation.path("responses").path(Integer.toString(reply.status()));
        if (response.isMissingNode()) {
            response = operation.path("responses").path("default");
        }
        assertThat(response.isMissingNode())
                .as("status %d of %s %s is described: %s", reply.status(), method, template, reply.text())
                .isFalse();
        response = resolve(response);
        if (reply.text().isEmpty()) {
            return;
        }
        String type = reply.header("Content-Type").replaceAll(";.*", "");
        JsonNode media = response.path("content").path(type);
        assertThat(media.isMissingNode())
                .as("media type %s of %s %s %d is described", type, method, template, reply.status())
                .isFalse();
        if (type.endsWith("json") && media.has("schema")) {
            checkBody(media.get("schema"), reply);
        }
    }

    private static JsonNode resolve(JsonNode node) {
        return node.has("$ref") ? API.at(node.get("$ref").asText().substring(1)) : node;
    }

    private static void checkBody(String ref, Reply reply) {
        checkBody(new ObjectMapper().createObjectNode().put("$ref", ref), reply);
    }

    private static void checkBody(JsonNode schema, Reply reply) {
        Schema compiled = COMPILED.computeIfAbsent(schema.toString(), s -> {
            ObjectNode root = schema.deepCopy();
            root.set("components", API.get("components"));
            return SCHEMAS.getSchema(root.toString(), InputFormat.JSON);
        });
        assertThat(compiled.validate(reply.text(), InputFormat.JSON))
                .as("body matches the description: %s", reply.text())
                .isEmpty();
    }

    /** Returns the template that matches a path. One with the method wins, then the one with the fewest parameters. */
    private static String template(String path, String method) {
        String best = null;
        for (Map.Entry<String, JsonNode> p : API.path("paths").properties()) {
            String regex = ("\\Q" + p.getKey() + "\\E")
                    .replace("/{rest}", "\\E(/.*)?\\Q")
                    .replaceAll("\\{[a-z_]+}", "\\\\E[^/]+\\\\Q");
            if (Pattern.matches(regex, path) && (best == null || isBetter(p.getKey(), best, method))) {
                best = p.getKey();
            }
        }
        return best;
    }

    private static boolean isBetter(String template, String best, String method) {
        boolean has = API.path("paths").path(template).has(method);
        boolean bestHas = API.path("paths").path(best).has(method);
        return has == bestHas ? count(template) < count(best) : has;
    }

    private static long count(String template) {
        return template.chars().filter(c -> c == '{').count();
    }
}
