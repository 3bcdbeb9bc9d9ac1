package dev.configservice.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.google.re2j.Pattern;
import com.networknt.schema.Error;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaContext;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.format.Format;
import com.networknt.schema.path.NodePath;
import com.networknt.schema.path.PathType;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A schema, compiled: the configurations that it is for, and the rules for their values (JSON Schema 2020-12). Patterns are
 * RE2, {@code format} is asserted, and a judgement that costs too much fails.
 */
public final class ValueSchema {
    private static final int MAX_ERRORS = 20;
    /** The longest string that a format accepts, in characters. */
    private static final int MAX_FORMATTED = 4096;

    private static final SchemaRegistryConfig CONFIG = SchemaRegistryConfig.builder()
            .regularExpressionFactory(regex -> {
                Pattern pattern = Pattern.compile(regex);
                return text -> pattern.matcher(text).find();
            })
            .formatAssertionsEnabled(true)
            .losslessNarrowing(true)
            .locale(Locale.ENGLISH)
            .pathType(PathType.JSON_POINTER)
            .build();

    private static final Dialect DIALECT = Dialect.builder(Dialects.getDraft202012())
            .keyword(new CostKeyword())
            .formats(formats -> formats.replaceAll((name, format) -> bounded(format)))
            .build();

    /** The schema of schemas. */
    private static final class Meta {
        static final Schema SCHEMA = SchemaRegistry.withDefaultDialect(
                        Dialects.getDraft202012(), registry -> registry.schemaRegistryConfig(CONFIG))
                .getSchema(SchemaLocation.of(Dialects.getDraft202012().getId()));
    }

    private final String name;
    private final String environment;
    private final String serviceName;
    private final KeyPattern keys;
    private final boolean isEnforced;
    private final Schema schema;

    private ValueSchema(
            String name, String environment, String serviceName, KeyPattern keys, boolean isEnforced, Schema schema) {
        this.name = name;
        this.environment = environment;
        this.serviceName = serviceName;
        this.keys = keys;
        this.isEnforced = isEnforced;
        this.schema = schema;
    }

    private static Format bounded(Format format) {
        return new Format() {
            @Override
            public String getName() {
                return format.getName();
            }

            @Override
            public String getMessageKey() {
                return format.getMessageKey();
            }

            @Override
            public boolean matches(ExecutionContext context, SchemaContext schemas, JsonNode value) {
                return !value.isTextual()
                        || (value.textValue().length() <= MAX_FORMATTED && format.matches(context, schemas, value));
            }
        };
    }

    /** Compiles the content of a schema that was checked before. Takes some milliseconds if it is large. */
    static ValueSchema compile(String name, ObjectNode content) {
        Schema compiled = SchemaRegistry.withDefaultDialect(
                        DIALECT,
                        registry -> registry.schemaRegistryConfig(CONFIG)
                                .schemaLoader(loader -> loader.fetchRemoteResources(false)))
                .getSchema(SchemaLimits.counting(content.path(SchemaKind.SCHEMA)));
        return new ValueSchema(
                name,
                content.path(SchemaKind.ENVIRONMENT).asText(""),
                content.path(SchemaKind.SERVICE_NAME).asText(""),
                KeyPattern.of(content.path(SchemaKind.KEY_PATTERN).asText()),
                content.path(SchemaKind.ENFORCE).asText().equals(SchemaKind.REJECT),
                compiled);
    }

    /**
     * Compiles the content of a schema that somebody wants to write. Fails with {@link ErrorCode#INVALID} if it is no
     * schema, or refers to itself without end.
     */
    static ValueSchema checked(String name, ObjectNode content) {
        List<FieldError> errors = new ArrayList<>();
        JsonNode given = content.path(SchemaKind.SCHEMA);
        SchemaLimits.check(given, errors);
        if (errors.isEmpty()) {
            for (Error e : Meta.SCHEMA.validate(given)) {
                if (errors.size() < MAX_ERRORS) {
                    errors.add(new FieldError(place("schema", e.getInstanceLocation()), message(e)));
                }
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
        try {
            ValueSchema compiled = compile(name, content);
            for (JsonNode probe : List.of(
                    Json.object(),
                    Json.object().arrayNode(),
                    TextNode.valueOf(""),
                    IntNode.valueOf(0),
                    BooleanNode.TRUE)) {
                compiled.judge(probe);
            }
            return compiled;
        } catch (SchemaException e) {
            throw ServiceException.invalid("schema", "cannot be used: " + reason(e));
        } catch (ServiceException e) {
            throw ServiceException.invalid(
                    "schema", "refers to itself without end, or takes too long on an empty value");
        }
    }

    private static String reason(SchemaException e) {
        String message = String.valueOf(e.getMessage());
        return message.length() > 200 ? message.substring(0, 200) + "..." : message;
    }

    /** Tells whether the schema is for the values of a key. */
    public boolean isFor(String environmentOfKey, String serviceOfKey, String key) {
        return (environment.isEmpty() || environment.equals(environmentOfKey))
                && (serviceName.isEmpty() || serviceName.equals(serviceOfKey))
                && keys.matches(key);
    }

    /** Tells whether a value that breaks the schema is rejected. If not, there is a warning. */
    public boolean isEnforced() {
        return isEnforced;
    }

    public String name() {
        return name;
    }

    /** Returns the environment whose configurations it is for; empty if it is for all. */
    public String environment() {
        return environment;
    }

    /** Returns the service whose configurations it is for; empty if it is for all. */
    public String serviceName() {
        return serviceName;
    }

    public KeyPattern keys() {
        return keys;
    }

    /**
     * Returns the rules that a value breaks, at most {@value #MAX_ERRORS}. Takes up to some tenths of a second. Fails with
     * {@link ErrorCode#SCHEMA_TOO_COSTLY}.
     */
    public List<Breach> judge(JsonNode value) {
        List<Error> errors;
        try {
            errors = schema.validate(value);
        } catch (CostKeyword.TooCostly e) {
            throw tooCostly();
        } catch (StackOverflowError e) {
            // references can follow one another without a subschema between them
            throw tooCostly();
        }
        return errors.stream()
                .limit(MAX_ERRORS)
                .map(e -> new Breach(name, place("value", e.getInstanceLocation()), e.getKeyword(), message(e)))
                .toList();
    }

    private ServiceException tooCostly() {
        return new ServiceException(
                ErrorCode.SCHEMA_TOO_COSTLY,
                "It would take too long to check this value against the schema '" + name + "'",
                List.of(new FieldError("value", "is too large for the schema '" + name + "'")),
                java.util.Map.of());
    }

    private static String message(Error e) {
        String message = String.valueOf(e.getMessage());
        return message.length() > 300 ? message.substring(0, 300) + "..." : message;
    }

    private static String place(String root, NodePath path) {
        StringBuilder place = new StringBuilder(root);
        for (int i = 0; i < path.getNameCount(); i++) {
            Object element = path.getElement(i);
            if (element instanceof Integer index) {
                place.append('[').append(index).append(']');
            } else {
                place.append('.').append(element);
            }
        }
        String text = place.toString();
        return text.length() <= 500 ? text : text.substring(0, 500);
    }
}
