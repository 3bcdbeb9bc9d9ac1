package dev.configservice.ops;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.http.Pages;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.resource.VersionedKind;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The description of the API (OpenAPI 3.1): the content of {@code openapi.yaml}, and the routes and schemas of kinds
 * that are not in that file.
 */
public final class ApiDocument {
    private static final Pattern PARAMETER = Pattern.compile("[:*]([a-z_]+)");

    private final List<? extends VersionedKind> kinds;
    private final List<? extends Routes> features;
    private byte @Nullable [] json;

    /** Describes these kinds, with their routes among those of the features. */
    public ApiDocument(List<? extends VersionedKind> kinds, List<? extends Routes> features) {
        this.kinds = kinds;
        this.features = List.copyOf(features);
    }

    /**
     * Returns the document as JSON. Callers must not change the array. The first call takes long, as it reads the
     * packaged description.
     */
    public synchronized byte[] json() {
        byte[] known = json;
        if (known == null) {
            known = Json.bytes(build());
            json = known;
        }
        return known;
    }

    private ObjectNode build() {
        ObjectNode document = packaged();
        for (VersionedKind kind : kinds) {
            ObjectNode schema = kind.schema();
            if (!schema.has("$ref")) {
                ((ObjectNode) document.at("/components/schemas")).set(schemaName(kind), schema);
                describe(document, kind, features);
            }
        }
        SchemaNames.give(document);
        return document;
    }

    private static ObjectNode packaged() {
        try {
            return (ObjectNode) new YAMLMapper().readTree(Pages.resource("/openapi.yaml"));
        } catch (IOException e) {
            throw new IllegalStateException("the description of the API cannot be read", e);
        }
    }

    /** Returns the name of a kind's schema, e.g. {@code FeatureFlag} for {@code feature_flag}. */
    private static String schemaName(VersionedKind kind) {
        StringBuilder name = new StringBuilder();
        for (String word : kind.name().split("_", -1)) {
            name.append(word.substring(0, 1).toUpperCase(Locale.ROOT)).append(word.substring(1));
        }
        return name.toString();
    }

    /** Adds all routes whose path begins with the path of a kind. */
    private static void describe(ObjectNode document, VersionedKind kind, List<? extends Routes> features) {
        ObjectNode paths = (ObjectNode) document.get("paths");
        String begin = Route.API + kind.path();
        for (Routes feature : features) {
            for (Route route : feature.routes()) {
                if (route.template().equals(begin) || route.template().startsWith(begin + "/")) {
                    describe(paths, kind, route);
                }
            }
        }
    }

    private static void describe(ObjectNode paths, VersionedKind kind, Route route) {
        String template = PARAMETER.matcher(route.template()).replaceAll("{$1}");
        String method = route.method().toLowerCase(Locale.ROOT);
        ObjectNode path = paths.has(template) ? (ObjectNode) paths.get(template) : paths.putObject(template);
        ObjectNode operation = path.putObject(method);
        String last = template.substring(template.lastIndexOf('/') + 1);
        String suffix = last.startsWith("{") || route.template().equals(Route.API + kind.path()) ? "" : "_" + last;
        operation.put("operationId", method + "_" + kind.name() + suffix);
        operation.putArray("tags").add(kind.name());
        ArrayNode parameters = operation.putArray("parameters");
        Matcher m = PARAMETER.matcher(route.template());
        while (m.find()) {
            parameter(parameters, m.group(1), "path");
        }
        route.parameters().keySet().stream().sorted().forEach(name -> parameter(parameters, name, "query"));
        if (route.takesBody()) {
            operation
                    .putObject("requestBody")
                    .put("required", true)
                    .putObject("content")
                    .putObject(Response.JSON)
                    .putObject("schema")
                    .put("type", "object");
        }
        ObjectNode responses = operation.putObject("responses");
        if (method.equals("delete")) {
            responses.putObject("204").put("description", "Deleted");
        } else {
            ObjectNode ok = responses.putObject(method.equals("post") && suffix.isEmpty() ? "201" : "200");
            ok.put("description", "The resource");
            ObjectNode schema = ok.putObject("content").putObject(Response.JSON).putObject("schema");
            if (suffix.equals("_history")) {
                schema.put("type", "object");
            } else {
                schema.put("$ref", "#/components/schemas/" + schemaName(kind));
            }
        }
        responses.putObject("default").put("$ref", "#/components/responses/Problem");
    }

    private static void parameter(ArrayNode parameters, String name, String in) {
        ObjectNode p = parameters.addObject().put("name", name).put("in", in);
        if (in.equals("path")) {
            p.put("required", true);
        }
        p.putObject("schema").put("type", "string");
    }
}
