package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for feature flags. */
final class FlagCommands {
    private FlagCommands() {}

    @Command(
            name = "flags",
            description = {
                "List flags, show one, or change one with --on, --off or --rollout.",
                "A flag that does not exist is created by a change."
            })
    static final class Flags implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Option(
                names = {"-e", "--environment"},
                paramLabel = "ENVIRONMENT")
        @Nullable
        String environment;

        @Parameters(paramLabel = "NAME", arity = "0..1")
        @Nullable
        String name;

        @Option(names = "--on", description = "Switch it on")
        boolean isOn;

        @Option(names = "--off", description = "Switch it off")
        boolean isOff;

        @Option(names = "--rollout", paramLabel = "PERCENT", description = "0 to 100, in steps of 0.01")
        @Nullable
        BigDecimal rollout;

        @Option(names = "--stale", description = "List only flags that look forgotten")
        boolean isStale;

        @Option(names = "--comment", paramLabel = "TEXT", description = "The reason, for the audit")
        @Nullable
        String comment;

        @Override
        public Integer call() {
            if (isOn && isOff) {
                throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "--on and --off cannot be given together");
            }
            boolean isChange = isOn || isOff || rollout != null;
            if (name == null) {
                if (isChange) {
                    throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "a NAME is required for a change");
                }
                list();
                return 0;
            }
            if (environment == null) {
                throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "--environment is required with a NAME");
            }
            String path = "/feature-flags/" + ServiceClient.encode(name);
            ServiceClient.Query query = new ServiceClient.Query().with("environment", environment);
            JsonNode flag;
            if (isChange) {
                ObjectNode body = Json.object();
                if (isOn || isOff) {
                    body.put("is_enabled", isOn);
                }
                if (rollout != null) {
                    body.put("rollout_percentage", rollout);
                }
                if (comment != null) {
                    body.put("comment", comment);
                }
                flag = service.client()
                        .write("PUT", path, query, Json.write(body), "application/json")
                        .json();
            } else {
                flag = service.client().get(path, query).json();
            }
            if (service.isJson() || !isChange) {
                service.printer().json(flag);
            } else {
                service.printer()
                        .line(name + " is " + (flag.path("is_enabled").asBoolean() ? "on" : "off") + ", version "
                                + flag.path("version").asText() + ", revision "
                                + flag.path("revision").asText());
            }
            return 0;
        }

        private void list() {
            List<JsonNode> found = service.client()
                    .all(
                            "/feature-flags",
                            new ServiceClient.Query()
                                    .with("environment", environment)
                                    .with("stale", isStale ? true : null),
                            Integer.MAX_VALUE);
            if (service.isJson()) {
                service.printer().json(Json.tree(found));
                return;
            }
            List<List<String>> rows = new ArrayList<>();
            for (JsonNode f : found) {
                rows.add(List.of(
                        f.path("environment").asText(),
                        f.path("name").asText(),
                        f.path("is_enabled").asBoolean() ? "on" : "off",
                        f.path("rollout_percentage").isNull()
                                ? ""
                                : f.path("rollout_percentage").asText() + " %",
                        Integer.toString(f.path("rules").size()),
                        Printer.plain(f.path("owner")),
                        f.path("updated_at").asText()));
            }
            service.printer()
                    .table(List.of("ENVIRONMENT", "NAME", "STATE", "ROLLOUT", "RULES", "OWNER", "UPDATED"), rows);
        }
    }

    @Command(name = "evaluate", description = "Evaluate a flag for a user. Prints the value.")
    static final class Evaluate implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Option(
                names = {"-e", "--environment"},
                paramLabel = "ENVIRONMENT")
        @Nullable
        String environment;

        @Parameters(paramLabel = "FLAG")
        String flag = "";

        @Option(
                names = {"-u", "--user"},
                paramLabel = "ID")
        @Nullable
        String user;

        @Option(names = "--context", paramLabel = "JSON", description = "Attributes, as a JSON object")
        @Nullable
        String context;

        @Option(names = "--explain", description = "Show each step of the evaluation")
        boolean isExplained;

        @Override
        public Integer call() {
            ObjectNode body = Json.object().put("flag_name", flag);
            if (environment != null) {
                body.put("environment", environment);
            }
            if (user != null) {
                body.put("user_id", user);
            }
            if (context != null) {
                body.set("context", object(context));
            }
            if (isExplained) {
                body.put("explain", true);
            }
            JsonNode result = service.client()
                    .write(
                            "POST",
                            "/feature-flags/evaluate",
                            new ServiceClient.Query(),
                            Json.write(body),
                            "application/json")
                    .json();
            Printer printer = service.printer();
            if (service.isJson()) {
                printer.json(result);
                return 0;
            }
            printer.value(result.path("value"));
            if (isExplained) {
                printer.line("  " + result.path("reason").asText() + ", variant "
                        + (result.path("variant").isNull()
                                ? "none"
                                : result.path("variant").asText()) + ", version "
                        + Printer.plain(result.path("version")));
                result.path("steps").forEach(step -> printer.line("  " + Json.write(step)));
            }
            return 0;
        }

        private static JsonNode object(String text) {
            try {
                JsonNode node = Json.read(text);
                if (node.isObject()) {
                    return node;
                }
            } catch (RuntimeException e) {
                // reported below, together with what is no object
            }
            throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "--context: must be a JSON object");
        }
    }
}
