package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.flag.eval.FlagDefinition;
import dev.configservice.flag.eval.FlagDefinition.Constraint;
import dev.configservice.flag.eval.FlagDefinition.Prerequisite;
import dev.configservice.flag.eval.FlagDefinition.Rule;
import dev.configservice.flag.eval.FlagDefinition.Variant;
import dev.configservice.flag.eval.FlagSet;
import dev.configservice.flag.eval.Operator;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.resource.ResourceName;
import dev.configservice.snapshot.Snapshot;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The JSON format of flags, and its conversion into the definitions that the evaluator takes. The check of a write
 * and the evaluation use the same reader, so both understand a flag in the same way.
 */
final class FlagFormat {

    private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);
    private static final StringRule DESCRIPTION = StringRule.text(0, 2000);
    /** The rule for the names of flags and variants. */
    static final StringRule NAME = ResourceName.RULE;

    /** The rule for user ids. */
    static final StringRule USER = StringRule.text(0, 1000);

    private static final int MAX_WEIGHT = 1_000_000;
    private static final long MAX_PATTERNS_OF_FLAG = 20_000;

    private FlagFormat() {}

    static UnitId unit(String environment) {
        return new UnitId(FlagKind.NAME, environment, "");
    }

    static FlagSet set(Snapshot snapshot) {
        return snapshot.view(FlagSet.class, s -> set(s.resources()));
    }

    /** Returns the flags of an environment. Each part of them is read once, however often the others change. */
    static FlagSet set(SortedResources flags) {
        return FlagSet.of(flags.parts().stream()
                .map(part -> part.view(FlagSet.Part.class, FlagFormat::part))
                .toList());
    }

    private static FlagSet.Part part(List<Resource> flags) {
        SortedMap<String, Supplier<FlagDefinition>> definitions = new TreeMap<>();
        flags.forEach(flag -> definitions.put(flag.name(), () -> definition(flag)));
        return new FlagSet.Part(definitions);
    }

    /** Fails with all errors that would prevent the flag from being evaluated. */
    static void check(String name, ObjectNode content) {
        List<FieldError> errors = new ArrayList<>();
        FlagDefinition definition = new Reader(errors, true).read("", name, 0, content);
        if (errors.isEmpty()) {
            try {
                FlagSet.compile(List.of(definition));
            } catch (IllegalArgumentException e) {
                errors.add(new FieldError("rules", String.valueOf(e.getMessage())));
            }
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    /** Reads the definition from a row. It ignores errors, because the row was checked when it was written. */
    static FlagDefinition definition(Resource flag) {
        return definition(flag.id(), flag.name(), flag.version(), flag.row().fields());
    }

    private static FlagDefinition definition(String id, String name, long version, ObjectNode row) {
        return new Reader(new ArrayList<>(), false).read(id, name, version, row);
    }

    /** Converts a JSON string, number or boolean for the evaluator; null for other values and numbers out of range. */
    static @Nullable Object scalar(@Nullable JsonNode node) {
        if (node == null) {
            return null;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isNumber()) {
            return Json.isKept(node.decimalValue()) ? node.decimalValue() : null;
        }
        return node.isBoolean() ? node.booleanValue() : null;
    }

    /** Reads the attributes of a context that constraints can test. */
    static Map<String, Object> context(@Nullable JsonNode context) {
        Map<String, Object> attributes = new HashMap<>();
        if (context != null) {
            for (Map.Entry<String, JsonNode> attribute : context.properties()) {
                Object value = scalar(attribute.getValue());
                if (value != null) {
                    attributes.put(attribute.getKey(), value);
                } else if (!attribute.getValue().isNull()) {
                    // present, but of a type that only `exists` accepts
                    attributes.put(attribute.getKey(), attribute.getValue());
                }
            }
        }
        return attributes;
    }

    /** Converts a percentage into hundredths of a percent; null if it is not a valid percentage. */
    static @Nullable Integer hundredths(JsonNode percentage) {
        if (!percentage.isNumber()) {
            return null;
        }
        BigDecimal value = percentage.decimalValue();
        if (value.signum() < 0
                || value.compareTo(HUNDRED) > 0
                || value.stripTrailingZeros().scale() > 2) {
            return null;
        }
        return value.movePointRight(2).intValueExact();
    }

    /** A reader of rows that collects the errors it finds. */
    private static final class Reader {
        private final List<FieldError> errors;
        /** True if the values of constraints are checked, for which they are compiled. */
        private final boolean checks;

        private long patternSize;

        Reader(List<FieldError> errors, boolean checks) {
            this.errors = errors;
            this.checks = checks;
        }

        FlagDefinition read(String id, String name, long version, ObjectNode row) {
            List<Variant> variants = variants(row.path("variants"));
            Set<String> names = new HashSet<>();
            variants.forEach(v -> names.add(v.name()));
            JsonNode salt = row.path("salt");
            Set<String> users = new HashSet<>();
            row.path("target_users").forEach(u -> users.add(u.asText()));
            return new FlagDefinition(
                    id,
                    name,
                    row.path("is_enabled").asBoolean(),
                    rollout("rollout_percentage", row.path("rollout_percentage")),
                    Set.copyOf(users),
                    rules(row.path("rules"), names),
                    variants,
                    prerequisites(row.path("prerequisites")),
                    salt.isTextual() ? salt.textValue() : name,
                    version);
        }

        private void error(String field, String message) {
            if (errors.size() < 100) {
                errors.add(new FieldError(field, message));
            }
        }

        private @Nullable Integer rollout(String field, JsonNode node) {
            if (node.isMissingNode() || node.isNull()) {
                return null;
            }
            Integer hundredths = hundredths(node);
            if (hundredths == null) {
                error(field, "must be a number from 0 to 100 with at most two decimals");
            }
            return hundredths;
        }

        private List<Variant> variants(JsonNode node) {
            List<Variant> variants = new ArrayList<>();
            Set<String> names = new HashSet<>();
            long sum = 0;
            for (int i = 0; i < node.size(); i++) {
                String field = "variants[" + i + "]";
                if (!(node.get(i) instanceof ObjectNode o)) {
                    error(field, "must be an object with name, value and weight");
                    continue;
                }
                known(o, field, Set.of("name", "value", "weight"));
                String name = o.path("name").isTextual() ? o.path("name").textValue() : "";
                if (NAME.problem(name) != null) {
                    error(field + ".name", String.valueOf(NAME.problem(name)));
                } else if (!names.add(name)) {
                    error(field + ".name", "is given twice");
                }
                JsonNode value = o.get("value");
                if (value == null || value.isNull()) {
                    error(field + ".value", "is required");
                } else {
                    Json.check(field + ".value", value, errors);
                }
                JsonNode weight = o.path("weight");
                if (!weight.isIntegralNumber()
                        || !weight.canConvertToInt()
                        || weight.intValue() < 0
                        || weight.intValue() > MAX_WEIGHT) {
                    error(field + ".weight", "must be a whole number from 0 to " + MAX_WEIGHT);
                    continue;
                }
                sum += weight.intValue();
                variants.add(new Variant(name, value == null ? "" : value, weight.intValue()));
            }
            if (node.size() > 0 && sum == 0 && variants.size() == node.size()) {
                error("variants", "must have at least one weight above 0");
            }
            return List.copyOf(variants);
        }

        private List<Rule> rules(JsonNode node, Set<String> variants) {
            List<Rule> rules = new ArrayList<>();
            for (int i = 0; i < node.size(); i++) {
                String field = "rules[" + i + "]";
                if (!(node.get(i) instanceof ObjectNode o)) {
                    error(field, "must be an object with constraints");
                    continue;
                }
                known(o, field, Set.of("constraints", "variant", "rollout_percentage", "description"));
                String variant =
                        o.path("variant").isTextual() ? o.path("variant").textValue() : null;
                if (o.hasNonNull("variant") && (variant == null || !variants.contains(variant))) {
                    error(field + ".variant", "must be the name of one of the flag's variants");
                }
                text(o, field, "description", DESCRIPTION);
                rules.add(new Rule(
                        constraints(field + ".constraints", o.path("constraints")),
                        variant,
                        rollout(field + ".rollout_percentage", o.path("rollout_percentage"))));
            }
            return List.copyOf(rules);
        }

        private List<Constraint> constraints(String field, JsonNode node) {
            List<Constraint> constraints = new ArrayList<>();
            if (!node.isArray()) {
                error(field, "must be an array (an empty array always holds)");
            }
            for (int i = 0; i < node.size(); i++) {
                String at = field + "[" + i + "]";
                if (node.get(i) instanceof ObjectNode o) {
                    constraint(at, o, constraints);
                } else {
                    error(at, "must be an object with attribute, operator and values");
                }
            }
            return List.copyOf(constraints);
        }

        private void constraint(String at, ObjectNode o, List<Constraint> constraints) {
            known(o, at, Set.of("attribute", "operator", "values", "negate"));
            String attribute =
                    o.path("attribute").isTextual() ? o.path("attribute").textValue() : "";
            if (attribute.isEmpty() || attribute.length() > 100 || Json.textProblem(attribute) != null) {
                error(at + ".attribute", "must be a string of 1 to 100 characters");
            }
            if (o.hasNonNull("negate") && !o.path("negate").isBoolean()) {
                error(at + ".negate", "must be true or false");
            }
            Operator operator = Operator.of(o.path("operator").asText()).orElse(null);
            if (operator == null) {
                error(at + ".operator", "must be one of " + String.join(", ", Operator.texts()));
                return;
            }
            JsonNode given = o.path("values");
            if (!given.isArray() && !(operator == Operator.EXISTS && (given.isMissingNode() || given.isNull()))) {
                error(at + ".values", "must be an array");
                return;
            }
            List<Object> values = new ArrayList<>();
            for (JsonNode v : given) {
                Object value = scalar(v);
                if (value == null) {
                    error(at + ".values", "must contain only strings, numbers and booleans");
                    return;
                }
                List<FieldError> problems = new ArrayList<>();
                Json.check(at + ".values", v, problems);
                errors.addAll(problems);
                values.add(value);
            }
            Constraint constraint = new Constraint(
                    attribute, operator, List.copyOf(values), o.path("negate").asBoolean());
            constraints.add(constraint);
            if (!checks) {
                return;
            }
            boolean fitted = patternSize <= MAX_PATTERNS_OF_FLAG;
            patternSize += constraint.patternSize();
            if (patternSize > MAX_PATTERNS_OF_FLAG) {
                // nothing more is compiled
                if (fitted) {
                    error(
                            at + ".values",
                            "make the patterns of the flag too large together (limit: " + MAX_PATTERNS_OF_FLAG
                                    + " copies of elements)");
                }
                return;
            }
            String problem = FlagSet.problem(constraint);
            if (problem != null) {
                error(at + ".values", operator.text() + " " + problem);
            }
        }

        private List<Prerequisite> prerequisites(JsonNode node) {
            List<Prerequisite> prerequisites = new ArrayList<>();
            for (int i = 0; i < node.size(); i++) {
                JsonNode p = node.get(i);
                String at = "prerequisites[" + i + "]";
                JsonNode name = p.isObject() ? p.path("flag_name") : p;
                if (!name.isTextual() || NAME.problem(name.textValue()) != null) {
                    error(at, "must be a flag's name, or an object with flag_name and variant");
                    continue;
                }
                if (p instanceof ObjectNode o) {
                    known(o, at, Set.of("flag_name", "variant"));
                    text(o, at, "variant", NAME);
                }
                prerequisites.add(new Prerequisite(
                        name.textValue(),
                        p.path("variant").isTextual() ? p.path("variant").textValue() : null));
            }
            return List.copyOf(prerequisites);
        }

        private void text(ObjectNode o, String at, String field, StringRule rule) {
            if (o.hasNonNull(field)) {
                String problem =
                        o.path(field).isTextual() ? rule.problem(o.path(field).textValue()) : "must be a string";
                if (problem != null) {
                    error(at + "." + field, problem);
                }
            }
        }

        private void known(ObjectNode o, String at, Set<String> fields) {
            o.fieldNames().forEachRemaining(f -> {
                if (!fields.contains(f)) {
                    String shown = Json.textProblem(f) == null && f.length() <= 100 ? f : "(a field)";
                    error(
                            at + "." + shown,
                            "is not known (known: " + String.join(", ", new java.util.TreeSet<>(fields)) + ")");
                }
            });
        }
    }

    /** Reads an array. Returns an empty array if it is null or invalid; an error is then in {@code form}. */
    static ArrayNode list(FieldReader form, String field, int max) {
        JsonNode node = form.node(field);
        if (node == null) {
            return Json.object().arrayNode();
        }
        if (!(node instanceof ArrayNode list) || list.size() > max) {
            form.error(field, "must be an array of at most " + max + " elements");
            return Json.object().arrayNode();
        }
        return list;
    }
}
