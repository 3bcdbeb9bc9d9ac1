package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Exports of other systems, as documents of an import. What the model of this service cannot hold is named, and left out or
 * brought over switched off; nothing is dropped without being named.
 */
public final class ForeignFiles {
    private static final String KEY_FORM = "[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}";

    private static final Map<String, String> UNLEASH_OPERATORS = Map.ofEntries(
            Map.entry("IN", "in"),
            Map.entry("NOT_IN", "not_in"),
            Map.entry("STR_CONTAINS", "contains"),
            Map.entry("STR_STARTS_WITH", "starts_with"),
            Map.entry("STR_ENDS_WITH", "ends_with"),
            Map.entry("NUM_EQ", "eq"),
            Map.entry("NUM_GT", "gt"),
            Map.entry("NUM_GTE", "gte"),
            Map.entry("NUM_LT", "lt"),
            Map.entry("NUM_LTE", "lte"),
            Map.entry("DATE_AFTER", "after"),
            Map.entry("DATE_BEFORE", "before"),
            Map.entry("SEMVER_EQ", "semver_eq"),
            Map.entry("SEMVER_GT", "semver_gt"),
            Map.entry("SEMVER_LT", "semver_lt"));

    private ForeignFiles() {}

    /**
     * A document, and what it does not hold.
     *
     * @param notes a line for each thing that was left out or is different
     */
    public record Converted(ObjectNode document, List<String> notes) {}

    /**
     * Converts what {@code consul kv export} prints. Slashes become dots; values are strings.
     *
     * @param prefix the beginning of the keys that are brought over, which is taken away; empty for all
     * @param service the service whose layer it becomes; null for the shared one
     */
    public static Converted consul(JsonNode tree, String prefix, String environment, @Nullable String service) {
        if (!tree.isArray()) {
            throw ServiceException.invalid("body", "must be the JSON array that consul kv export prints");
        }
        List<String> notes = new ArrayList<>();
        ObjectNode document = Documents.begin(environment, List.of("configuration"));
        ((ObjectNode) document.get("scope")).putArray("service_names").add(service == null ? "" : service);
        ArrayNode entries = document.putArray(Documents.CONFIGURATIONS);
        Set<String> keys = new HashSet<>();
        for (JsonNode pair : tree) {
            String path = pair.path("key").asText();
            if (!path.startsWith(prefix) || path.endsWith("/")) {
                continue;
            }
            String key = path.substring(prefix.length()).replaceAll("^/+", "").replace('/', '.');
            String value = text(pair.path("value").asText(""));
            if (!key.matches(KEY_FORM)) {
                notes.add(path + ": left out: its name is no key of this service");
            } else if (value == null) {
                notes.add(path + ": left out: its value is no UTF-8 text");
            } else if (!keys.add(key)) {
                notes.add(path + ": left out: another key has the name " + key);
            } else {
                if (pair.path("flags").asLong(0) != 0) {
                    notes.add(path + ": its flags (" + pair.path("flags").asText() + ") are not kept");
                }
                ObjectNode entry = entries.addObject().put("key", key).put("environment", environment);
                if (service != null) {
                    entry.put("service_name", service);
                }
                entry.put("value", value);
            }
        }
        return new Converted(document, notes);
    }

    private static @Nullable String text(String base64) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Base64.getDecoder().decode(base64)))
                    .toString();
        } catch (CharacterCodingException | IllegalArgumentException e) {
            return null;
        }
    }

    /** Converts an export of Unleash: its features with their strategies, variants and state in one environment. */
    public static Converted unleash(JsonNode tree, String environment) {
        if (!tree.path("features").isArray()) {
            throw ServiceException.invalid("features", "is required: the file must be an export of Unleash");
        }
        List<String> notes = new ArrayList<>();
        Map<String, ObjectNode> flags = new TreeMap<>();
        for (JsonNode feature : tree.path("features")) {
            String name = feature.path("name").asText();
            if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}")) {
                notes.add(name + ": left out: its name is no name of a flag here");
                continue;
            }
            ObjectNode flag = Json.object().put("name", name).put("environment", environment);
            String description = feature.path("description").asText("");
            if (!description.isEmpty()) {
                flag.put("description", description);
            }
            flag.put("is_enabled", false);
            flags.put(name, flag);
        }
        for (JsonNode state : tree.path("featureEnvironments")) {
            ObjectNode flag = flags.get(
                    state.path("featureName").asText(state.path("name").asText()));
            if (flag != null) {
                flag.put("is_enabled", state.path("enabled").asBoolean());
                variants(flag, state.path("variants"), notes);
            }
        }
        Map<String, List<JsonNode>> strategies = new TreeMap<>();
        tree.path("featureStrategies")
                .forEach(s -> strategies
                        .computeIfAbsent(s.path("featureName").asText(), k -> new ArrayList<>())
                        .add(s));
        strategies.forEach((name, all) -> {
            ObjectNode flag = flags.get(name);
            if (flag != null) {
                strategies(flag, all, notes);
            }
        });
        for (JsonNode tag : tree.path("featureTags")) {
            ObjectNode flag = flags.get(tag.path("featureName").asText());
            if (flag != null) {
                flag.withArray("/tags").add(tag.path("tagValue").asText());
            }
        }
        for (JsonNode dependency : tree.path("dependencies")) {
            ObjectNode flag = flags.get(dependency.path("feature").asText());
            if (flag != null) {
                dependency
                        .path("dependencies")
                        .forEach(d -> flag.withArray("/prerequisites")
                                .add(d.path("feature").asText()));
            }
        }
        if (tree.path("segments").size() > 0) {
            notes.add("segments: not held: strategies that use them are switched off");
        }
        ObjectNode document = Documents.begin(environment, List.of("feature_flag"));
        ArrayNode entries = document.putArray(Documents.FLAGS);
        flags.values().forEach(entries::add);
        return new Converted(document, notes);
    }

    private static void variants(ObjectNode flag, JsonNode variants, List<String> notes) {
        if (variants.isEmpty()) {
            return;
        }
        ArrayNode all = flag.putArray("variants");
        for (JsonNode v : variants) {
            ObjectNode variant = all.addObject().put("name", v.path("name").asText());
            JsonNode payload = v.path("payload");
            variant.set(
                    "value",
                    payload.isObject()
                            ? payloadValue(payload)
                            : Json.tree(v.path("name").asText()));
            variant.put("weight", v.path("weight").asInt(0));
            if (!v.path("overrides").isEmpty()) {
                notes.add(name(flag) + ": overrides of the variant "
                        + v.path("name").asText() + " are not held");
            }
        }
    }

    private static JsonNode payloadValue(JsonNode payload) {
        String text = payload.path("value").asText();
        String type = payload.path("type").asText();
        if (type.equals("json") || type.equals("number")) {
            try {
                return Json.read(text);
            } catch (RuntimeException e) {
                // what does not hold what it says stays the string that it is
                return Json.tree(text);
            }
        }
        return Json.tree(text);
    }

    private static String name(ObjectNode flag) {
        return flag.path("name").asText();
    }

    private static void strategies(ObjectNode flag, List<JsonNode> strategies, List<String> notes) {
        ArrayNode rules = Json.object().arrayNode();
        boolean isPartial = false;
        for (JsonNode s : strategies) {
            String kind = s.path("name").asText();
            String at = name(flag) + ": strategy " + kind;
            if (s.path("disabled").asBoolean()) {
                notes.add(at + ": left out: it is disabled");
                continue;
            }
            if (!s.path("segments").isEmpty()) {
                notes.add(at + ": left out: it uses segments");
                continue;
            }
            ObjectNode rule = Json.object();
            ArrayNode constraints = rule.putArray("constraints");
            if (!constraints(s.path("constraints"), constraints, at, notes)) {
                continue;
            }
            JsonNode parameters = s.path("parameters");
            switch (kind) {
                case "default" -> {}
                case "userWithId" -> {
                    ArrayNode values = constraints
                            .addObject()
                            .put("attribute", "user_id")
                            .put("operator", "in")
                            .putArray("values");
                    for (String user : parameters.path("userIds").asText("").split(",", -1)) {
                        if (!user.isBlank()) {
                            values.add(user.strip());
                        }
                    }
                }
                case "flexibleRollout", "gradualRolloutUserId" -> {
                    String stickiness = parameters.path("stickiness").asText("default");
                    if (!Set.of("default", "userId").contains(stickiness)) {
                        notes.add(at + ": left out: its stickiness is " + stickiness + ", and here users are sticky");
                        continue;
                    }
                    BigDecimal share =
                            number(parameters.path(kind.equals("flexibleRollout") ? "rollout" : "percentage"));
                    rule.put("rollout_percentage", share);
                    isPartial |= share.signum() > 0 && share.compareTo(BigDecimal.valueOf(100)) < 0;
                }
                default -> {
                    notes.add(at + ": left out: there is no such strategy here");
                    continue;
                }
            }
            rules.add(rule);
        }
        if (rules.size() == 1 && rules.get(0).path("constraints").isEmpty()) {
            JsonNode share = rules.get(0).path("rollout_percentage");
            flag.set("rollout_percentage", share.isMissingNode() ? Json.tree(100) : share);
        } else if (!rules.isEmpty()) {
            flag.set("rules", rules);
            flag.put("rollout_percentage", 0);
            if (rules.size() > 1 && isPartial) {
                notes.add(name(flag) + ": several strategies, of which one is for a share of users: there, any of them"
                        + " switches it on; here, the first whose constraints hold decides");
            }
        } else {
            flag.put("rollout_percentage", 0);
            notes.add(name(flag) + ": no strategy is left: it is off for all");
        }
        if (isPartial) {
            notes.add(name(flag) + ": the share is kept, but it is made of other users: the hash is another one");
        }
    }

    private static BigDecimal number(JsonNode node) {
        try {
            return new BigDecimal(node.asText("0"));
        } catch (NumberFormatException e) {
            return BigDecimal.ZERO;
        }
    }

    private static boolean constraints(JsonNode given, ArrayNode constraints, String at, List<String> notes) {
        for (JsonNode c : given) {
            String operator = UNLEASH_OPERATORS.get(c.path("operator").asText());
            if (operator == null || c.path("caseInsensitive").asBoolean()) {
                notes.add(at + ": left out: there is no operator here for "
                        + c.path("operator").asText()
                        + (c.path("caseInsensitive").asBoolean() ? " that ignores case" : ""));
                return false;
            }
            String attribute = c.path("contextName").asText();
            ObjectNode constraint = constraints
                    .addObject()
                    .put("attribute", attribute.equals("userId") ? "user_id" : attribute)
                    .put("operator", operator);
            ArrayNode values = constraint.putArray("values");
            boolean isNumber = c.path("operator").asText().startsWith("NUM_");
            List<JsonNode> all = new ArrayList<>();
            c.path("values").forEach(all::add);
            if (all.isEmpty() && c.hasNonNull("value")) {
                all.add(c.path("value"));
            }
            for (JsonNode value : all) {
                if (isNumber) {
                    values.add(number(value));
                } else {
                    values.add(value.asText());
                }
            }
            if (c.path("inverted").asBoolean()) {
                constraint.put("negate", true);
            }
        }
        return true;
    }

    /** Converts a file with flag definitions of flagd. Of its targeting, comparisons that choose a variant are held. */
    public static Converted flagd(JsonNode tree, String environment) {
        if (!tree.path("flags").isObject()) {
            throw ServiceException.invalid("flags", "is required: the file must hold flags as flagd reads them");
        }
        List<String> notes = new ArrayList<>();
        ObjectNode document = Documents.begin(environment, List.of("feature_flag"));
        ArrayNode entries = document.putArray(Documents.FLAGS);
        tree.path("flags").properties().forEach(member -> {
            String name = member.getKey();
            JsonNode given = member.getValue();
            if (!name.matches("[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}")) {
                notes.add(name + ": left out: its name is no name of a flag here");
                return;
            }
            ObjectNode flag = entries.addObject().put("name", name).put("environment", environment);
            flag.put("is_enabled", given.path("state").asText().equals("ENABLED"));
            // there, a flag that is enabled always has a variant
            flag.put("rollout_percentage", 100);
            String standard = given.path("defaultVariant").asText();
            ArrayNode variants = flag.putArray("variants");
            given.path("variants").properties().forEach(v -> {
                ObjectNode variant = variants.addObject().put("name", v.getKey());
                variant.set("value", v.getValue());
                variant.put("weight", v.getKey().equals(standard) ? 1 : 0);
            });
            JsonNode targeting = given.path("targeting");
            if (targeting.isObject() && !targeting.isEmpty() && !Targeting.into(flag, targeting)) {
                flag.remove("rules");
                flag.put("is_enabled", false);
                notes.add(name + ": switched off: its targeting is more than comparisons that choose a variant");
            }
        });
        tree.path("$evaluators").fieldNames().forEachRemaining(e -> notes.add("$evaluators." + e + ": not held"));
        return new Converted(document, notes);
    }

    /** The part of flagd's targeting that rules can hold: a chain of conditions, each with a variant. */
    private static final class Targeting {
        private static final Map<String, String> OPERATORS = Map.of(
                "==",
                "eq",
                "in",
                "in",
                "starts_with",
                "starts_with",
                "ends_with",
                "ends_with",
                "<",
                "lt",
                "<=",
                "lte",
                ">",
                "gt",
                ">=",
                "gte");

        static boolean into(ObjectNode flag, JsonNode targeting) {
            JsonNode fractional = targeting.path("fractional");
            if (fractional.isArray() && targeting.size() == 1) {
                return shares(flag, fractional);
            }
            JsonNode chain = targeting.path("if");
            if (!chain.isArray() || targeting.size() != 1) {
                return false;
            }
            ArrayNode rules = flag.putArray("rules");
            int i = 0;
            for (; i + 1 < chain.size(); i += 2) {
                ObjectNode rule = Json.object();
                if (!conditions(chain.get(i), rule.putArray("constraints"))
                        || !chain.get(i + 1).isTextual()) {
                    return false;
                }
                rules.add(rule.put("variant", chain.get(i + 1).asText()));
            }
            if (i < chain.size()) {
                JsonNode otherwise = chain.get(i);
                if (otherwise.isTextual()) {
                    rules.add(Json.object().put("variant", otherwise.asText()));
                } else if (!otherwise.isNull()) {
                    return false;
                }
            }
            return true;
        }

        private static boolean shares(ObjectNode flag, JsonNode fractional) {
            Map<String, Integer> weights = new TreeMap<>();
            for (JsonNode share : fractional) {
                if (!share.isArray() || share.size() != 2) {
                    return false;
                }
                weights.merge(share.get(0).asText(), share.get(1).asInt(), Integer::sum);
            }
            flag.path("variants")
                    .forEach(v -> ((ObjectNode) v)
                            .put("weight", weights.getOrDefault(v.path("name").asText(), 0)));
            return true;
        }

        private static boolean conditions(JsonNode condition, ArrayNode constraints) {
            if (!condition.isObject() || condition.size() != 1) {
                return false;
            }
            Map.Entry<String, JsonNode> only = condition.properties().iterator().next();
            if (only.getKey().equals("and")) {
                for (JsonNode part : only.getValue()) {
                    if (!conditions(part, constraints)) {
                        return false;
                    }
                }
                return true;
            }
            String operator = OPERATORS.get(only.getKey());
            JsonNode operands = only.getValue();
            if (operator == null
                    || operands.size() != 2
                    || !operands.get(0).path("var").isTextual()) {
                return false;
            }
            JsonNode right = operands.get(1);
            boolean isList = right.isArray();
            if (right.isObject() || (operator.equals("in") && !isList) || (isList && !operator.equals("in"))) {
                return false;
            }
            String attribute = operands.get(0).path("var").asText();
            ObjectNode constraint = constraints
                    .addObject()
                    .put("attribute", attribute.equals("targetingKey") ? "user_id" : attribute)
                    .put("operator", operator);
            ArrayNode values = constraint.putArray("values");
            if (isList) {
                right.forEach(values::add);
            } else {
                values.add(right);
            }
            return true;
        }
    }
}
