package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.resource.VersionedKind;
import dev.configservice.transfer.ImportedDocument.Entry;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads the body of an import: a document in JSON or YAML, or a flat file, which is one layer. */
final class DocumentReader {
    static final String FORMAT = "format";
    static final String ENVIRONMENT = "environment";
    static final String SERVICE_NAME = "service_name";
    static final List<String> FORMATS = List.of("document", "json", "yaml", "properties", "env");
    private static final String CONFIGURATION = "configuration";

    private final Map<String, VersionedKind> kinds;

    DocumentReader(Map<String, VersionedKind> kinds) {
        this.kinds = kinds;
    }

    /** Reads the document of a request. Blocks for as long as a large one takes. */
    ImportedDocument read(Request request) {
        String text = text(request.body().getBytes());
        String format = request.query(FORMAT);
        String type = String.valueOf(request.header("content-type")).toLowerCase(Locale.ROOT);
        boolean isFlatText = "properties".equals(format) || "env".equals(format);
        JsonNode tree = null;
        if (!isFlatText) {
            boolean mayBeJson = text.stripLeading().startsWith("{");
            // curl sends a file as a form unless told otherwise: a document is known by its member
            boolean isYaml = "yaml".equals(format)
                    || (!"json".equals(format) && type.contains("yaml"))
                    || (format == null && !mayBeJson && text.lines().anyMatch(DocumentReader::marksDocument));
            if (!isYaml && !mayBeJson && !type.contains("json") && format == null) {
                throw ServiceException.invalid(FORMAT, "is required: one of " + String.join(", ", FORMATS));
            }
            // a document may be YAML, too
            tree = isYaml || ("document".equals(format) && !mayBeJson)
                    ? YamlText.read(text)
                    : Json.parseBody(text.getBytes(StandardCharsets.UTF_8));
        }
        if (tree instanceof ObjectNode object && object.has(ExportRoutes.MARK)) {
            if (request.query(SERVICE_NAME) != null) {
                throw ServiceException.invalid(SERVICE_NAME, "is only taken with a flat file");
            }
            return document(object, request.query(ENVIRONMENT));
        }
        if ("document".equals(format)) {
            throw ServiceException.invalid(ExportRoutes.MARK, "is required in a document");
        }
        ObjectNode flat = "properties".equals(format)
                ? FlatFile.ofProperties(text)
                : "env".equals(format)
                        ? FlatFile.ofVariables(text)
                        : FlatFile.ofTree(tree == null ? Json.object() : tree);
        return flat(flat, request);
    }

    private static boolean marksDocument(String line) {
        return line.startsWith(ExportRoutes.MARK + ":");
    }

    private static String text(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ServiceException.invalid("body", "must be UTF-8");
        }
    }

    private ImportedDocument flat(ObjectNode flat, Request request) {
        String environment = request.query(ENVIRONMENT);
        if (environment == null) {
            throw ServiceException.invalid(ENVIRONMENT, "is required with a flat file");
        }
        String given = request.query(SERVICE_NAME);
        if (given == null) {
            throw ServiceException.invalid(
                    SERVICE_NAME, "is required with a flat file; empty for what all services share");
        }
        VersionedKind kind = Objects.requireNonNull(kinds.get(CONFIGURATION), CONFIGURATION);
        List<Entry> entries = new ArrayList<>();
        flat.properties()
                .forEach(member -> entries.add(
                        new Entry(member.getKey(), new Path(kind, environment, given, member.getKey()), (ObjectNode)
                                Json.object().set("value", member.getValue()))));
        return new ImportedDocument(entries, List.of(new Stored.Scope(environment, given, CONFIGURATION)), true);
    }

    private ImportedDocument document(ObjectNode tree, @Nullable String target) {
        List<FieldError> errors = new ArrayList<>();
        FieldReader fields = FieldReader.read(tree);
        Long form = fields.integer(ExportRoutes.MARK, 1, ExportRoutes.FORM);
        JsonNode scope = fields.node("scope");
        List<Entry> entries = new ArrayList<>();
        for (VersionedKind kind : kinds.values()) {
            String list = kind.name() + "s";
            JsonNode given = fields.node(list);
            if (given != null && !given.isArray()) {
                fields.error(list, "must be an array");
                continue;
            }
            for (int i = 0; given != null && i < given.size(); i++) {
                entry(kind, given.get(i), list + "[" + i + "]", target, entries, errors);
            }
        }
        fields.errors().addAll(errors);
        fields.done();
        if (form == null) {
            throw ServiceException.invalid(ExportRoutes.MARK, "must be " + ExportRoutes.FORM);
        }
        refuseTwice(entries);
        return new ImportedDocument(
                entries,
                scopes(scope == null ? Json.object() : scope, target),
                scope != null && scope.path("complete").asBoolean());
    }

    private static void entry(
            VersionedKind kind,
            JsonNode node,
            String at,
            @Nullable String target,
            List<Entry> entries,
            List<FieldError> errors) {
        if (!(node instanceof ObjectNode object)) {
            errors.add(new FieldError(at, "must be an object"));
            return;
        }
        FieldReader fields = FieldReader.read(object);
        String environment = target == null ? fields.required(ENVIRONMENT, StringRule.NAME) : target;
        String service = kind.belongsToService() ? fields.text(SERVICE_NAME, StringRule.NAME) : null;
        String name = fields.required(kind.nameField(), StringRule.text(1, 255));
        fields.errors().forEach(e -> errors.add(new FieldError(at + "." + e.field(), e.message())));
        ObjectNode rest = object.deepCopy();
        rest.remove(List.of(ENVIRONMENT, SERVICE_NAME, kind.nameField()));
        entries.add(new Entry(at, new Path(kind, environment, service == null ? "" : service, name), rest));
    }

    private static void refuseTwice(List<Entry> entries) {
        Map<Path, String> known = new HashMap<>();
        List<FieldError> errors = new ArrayList<>();
        for (Entry entry : entries) {
            String other = known.putIfAbsent(entry.path(), entry.at());
            if (other != null) {
                errors.add(new FieldError(entry.at(), "has the same path as " + other));
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    private static List<Stored.Scope> scopes(JsonNode scope, @Nullable String target) {
        List<@Nullable String> environments = target == null ? texts(scope.path("environments")) : List.of(target);
        List<Stored.Scope> scopes = new ArrayList<>();
        for (String environment : environments) {
            for (String service : texts(scope.path("service_names"))) {
                for (String type : texts(scope.path("resource_types"))) {
                    scopes.add(new Stored.Scope(environment, service, type));
                }
            }
        }
        return scopes;
    }

    /** Returns the texts of an array; one null, which stands for all, if it is not there. */
    private static List<@Nullable String> texts(JsonNode array) {
        List<@Nullable String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        if (texts.isEmpty()) {
            texts.add(null);
        }
        return texts;
    }
}
