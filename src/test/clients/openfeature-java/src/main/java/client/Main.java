package client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.MutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.Value;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Evaluates flags as each line of standard input asks, and writes each result as a line of JSON. */
final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Main() {}

    public static void main(String[] args) throws Exception {
        OfrepProviderOptions.Builder options = OfrepProviderOptions.builder().baseUrl(args[0]);
        if (args.length > 1) {
            options.headers(ImmutableMap.of("X-API-Key", ImmutableList.of(args[1])));
        }
        OpenFeatureAPI api = OpenFeatureAPI.getInstance();
        api.setProviderAndWait(OfrepProvider.constructProvider(options.build()));
        Client client = api.getClient();
        System.out.println("{\"ready\":true}");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = lines.readLine()) != null) {
            System.out.println(JSON.writeValueAsString(answer(client, JSON.readTree(line))));
        }
        api.shutdown();
    }

    private static ObjectNode answer(Client client, JsonNode asked) {
        MutableContext context = asked.path("context").has("targetingKey")
                ? new MutableContext(asked.at("/context/targetingKey").asText())
                : new MutableContext();
        asked.path("context").properties().stream()
                .filter(a -> !a.getKey().equals("targetingKey"))
                .forEach(a -> context.add(a.getKey(), a.getValue().asText()));
        String flag = asked.get("flag").asText();
        JsonNode other = asked.get("default");
        return switch (asked.get("type").asText()) {
            case "boolean" -> json(client.getBooleanDetails(flag, other.booleanValue(), context));
            case "string" -> json(client.getStringDetails(flag, other.textValue(), context));
            case "integer" -> json(client.getIntegerDetails(flag, other.intValue(), context));
            case "number" -> json(client.getDoubleDetails(flag, other.doubleValue(), context));
            default -> object(client.getObjectDetails(flag, new Value("none"), context));
        };
    }

    private static ObjectNode object(FlagEvaluationDetails<Value> details) {
        ObjectNode json = json(details);
        json.set("value", JSON.valueToTree(plain(details.getValue())));
        return json;
    }

    private static Object plain(Value value) {
        if (value.isStructure()) {
            java.util.Map<String, Object> members = new java.util.TreeMap<>();
            value.asStructure().asMap().forEach((name, member) -> members.put(name, plain(member)));
            return members;
        }
        return value.isList() ? value.asList().stream().map(Main::plain).toList() : value.asObject();
    }

    private static ObjectNode json(FlagEvaluationDetails<?> details) {
        ObjectNode json = JSON.createObjectNode();
        json.set("value", details.getValue() instanceof Value ? null : JSON.valueToTree(details.getValue()));
        json.put("variant", details.getVariant());
        json.put("reason", details.getReason());
        json.put("error", details.getErrorCode() == null ? null : details.getErrorCode().name());
        return json;
    }
}
