package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for single configurations and lists of them. */
final class ConfigurationCommands {
    private ConfigurationCommands() {}

    private static String path(String key) {
        return "/config/" + ServiceClient.encode(key);
    }

    private static void warn(ServiceClient.Answer answer) {
        answer.warnings().forEach(w -> System.err.println("warning: " + w));
    }

    private static String service(JsonNode configuration) {
        JsonNode service = configuration.path("service_name");
        return service.isNull() ? "(shared)" : service.asText();
    }

    private static String value(JsonNode configuration) {
        return configuration.path("is_encrypted").asBoolean()
                        && configuration.path("value").isNull()
                ? "(encrypted)"
                : Printer.plain(configuration.path("value"));
    }

    @Command(
            name = "get",
            description = "Print the value that a service sees, or with -o json the whole configuration.")
    static final class Get implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Parameters(paramLabel = "KEY", arity = "0..1", description = "The key. Without it: all that the service sees")
        @Nullable
        String key;

        @Option(names = "--at", paramLabel = "WHEN", description = "As of a revision or a time (RFC 3339)")
        @Nullable
        String at;

        @Option(names = "--explain", description = "Show where the value comes from")
        boolean isExplained;

        @Override
        public Integer call() {
            Printer printer = service.printer();
            ServiceClient.Query query = new ServiceClient.Query()
                    .with("environment", place.environment)
                    .with("at", at)
                    .with("explain", isExplained ? true : null);
            if (key == null) {
                if (place.service == null) {
                    throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "a KEY or --service is required");
                }
                JsonNode layer = service.client()
                        .get("/config/service/" + ServiceClient.encode(place.service), query)
                        .json();
                print(printer, layer);
                return 0;
            }
            JsonNode found = service.client()
                    .get(path(key), query.with("service_name", place.service))
                    .json();
            if (service.isJson()) {
                printer.json(found);
            } else if (isExplained) {
                printer.value(found.path("value"));
                JsonNode origin = found.path("origin");
                printer.line("  from the " + origin.path("layer").asText() + " layer, version "
                        + found.path("version").asText() + ", revision "
                        + found.path("revision").asText());
                if (origin.path("overrides").isObject()) {
                    printer.line("  overrides the shared value "
                            + Printer.plain(origin.path("overrides").path("value")));
                }
            } else {
                printer.value(found.path("value"));
            }
            return 0;
        }

        private void print(Printer printer, JsonNode layer) {
            if (service.isJson()) {
                printer.json(layer);
                return;
            }
            List<List<String>> rows = new ArrayList<>();
            layer.forEach(c -> rows.add(List.of(
                    c.path("key").asText(),
                    value(c),
                    service(c),
                    c.path("version").asText())));
            printer.table(List.of("KEY", "VALUE", "SERVICE", "VERSION"), rows);
        }
    }

    @Command(
            name = "set",
            description = "Create or change a configuration. Running it twice changes nothing the second time.")
    static final class SetValue implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Parameters(index = "0", paramLabel = "KEY")
        String key = "";

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "VALUE",
                description = "JSON if it is well-formed JSON, else a string; - reads it from the standard input")
        @Nullable
        String value;

        @Option(names = "--file", paramLabel = "FILE", description = "Read the value from a file")
        @Nullable
        Path file;

        @Option(names = "--string", description = "Take the value as a string, also if it is well-formed JSON")
        boolean isString;

        @Option(
                names = "--encrypted",
                negatable = true,
                description = "Whether the value is encrypted. Default: as it is")
        @Nullable
        Boolean isEncrypted;

        @Option(names = "--description", paramLabel = "TEXT")
        @Nullable
        String description;

        @Option(names = "--comment", paramLabel = "TEXT", description = "The reason, for the audit")
        @Nullable
        String comment;

        @Override
        public Integer call() throws IOException {
            ObjectNode body = Json.object();
            if (value != null || file != null) {
                body.set("value", read());
            }
            if (isEncrypted != null) {
                body.put("is_encrypted", isEncrypted);
            }
            if (description != null) {
                body.put("description", description);
            }
            if (comment != null) {
                body.put("comment", comment);
            }
            place.required();
            ServiceClient.Answer answer =
                    service.client().write("PUT", path(key), place.query(), Json.write(body), "application/json");
            warn(answer);
            JsonNode done = answer.json();
            if (service.isJson()) {
                service.printer().json(done);
            } else {
                service.printer()
                        .line((answer.status() == 201 ? "created " : "set ") + key + ", version "
                                + done.path("version").asText() + ", revision "
                                + done.path("revision").asText());
            }
            return 0;
        }

        private JsonNode read() throws IOException {
            if (value != null && file != null) {
                throw new ServiceFailure(ServiceFailure.WRONG_USAGE, "VALUE and --file cannot be given together");
            }
            String text = file != null
                    ? Files.readString(file)
                    : "-".equals(value)
                            ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                            : String.valueOf(value);
            if (file != null || "-".equals(value)) {
                text = text.replaceAll("\\R$", "");
            }
            if (isString) {
                return TextNode.valueOf(text);
            }
            try {
                return Json.read(text);
            } catch (RuntimeException e) {
                return TextNode.valueOf(text);
            }
        }
    }

    @Command(name = "delete", description = "Delete a configuration. Its history stays readable.")
    static final class Delete implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Parameters(paramLabel = "KEY")
        String key = "";

        @Option(names = "--comment", paramLabel = "TEXT", description = "The reason, for the audit")
        @Nullable
        String comment;

        @Override
        public Integer call() {
            place.required();
            service.client()
                    .write("DELETE", path(key), place.query().with("comment", comment), null, "application/json");
            if (!service.isJson()) {
                service.printer().line("deleted " + key);
            }
            return 0;
        }
    }

    @Command(name = "list", description = "List configurations as they are stored.")
    static final class ListAll implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Option(names = "--prefix", paramLabel = "TEXT", description = "The beginning of the keys")
        @Nullable
        String prefix;

        @Option(
                names = {"-q", "--search"},
                paramLabel = "TEXT",
                description = "A part of the key or the description")
        @Nullable
        String part;

        @Option(names = "--deleted", description = "What was deleted, as it was")
        boolean isDeleted;

        @Option(names = "--sort", paramLabel = "FIELD", description = "key, updated_at or revision; -FIELD descends")
        @Nullable
        String sort;

        @Option(names = "--limit", paramLabel = "N", description = "The largest number. Default: 10000")
        int limit = 10_000;

        @Override
        public Integer call() {
            List<JsonNode> found = service.client()
                    .all(
                            "/config",
                            place.query()
                                    .with("prefix", prefix)
                                    .with("q", part)
                                    .with("sort", sort)
                                    .with("deleted", isDeleted ? true : null),
                            limit);
            if (service.isJson()) {
                service.printer().json(Json.tree(found));
                return 0;
            }
            List<List<String>> rows = new ArrayList<>();
            for (JsonNode c : found) {
                rows.add(List.of(
                        c.path("environment").asText(),
                        service(c),
                        c.path("key").asText(),
                        value(c),
                        c.path("version").asText(),
                        c.path("updated_at").asText()));
            }
            service.printer().table(List.of("ENVIRONMENT", "SERVICE", "KEY", "VALUE", "VERSION", "UPDATED"), rows);
            return 0;
        }
    }

    @Command(
            name = "diff",
            description = {
                "Compare two environments, two services, or one with an earlier moment.",
                "Exit code 9 with --exit-code if they differ."
            })
    static final class Diff implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Parameters(index = "0", paramLabel = "ENVIRONMENT")
        String left = "";

        @Parameters(index = "1", arity = "0..1", paramLabel = "OTHER")
        @Nullable
        String right;

        @Option(
                names = {"-s", "--service"},
                paramLabel = "SERVICE",
                description = "Only this service; '' for what is shared")
        @Nullable
        String serviceName;

        @Option(
                names = "--other-service",
                paramLabel = "SERVICE",
                description = "The service to compare the first one with; '' for what is shared")
        @Nullable
        String otherServiceName;

        @Option(names = "--at", paramLabel = "WHEN", description = "The moment of the first environment")
        @Nullable
        String at;

        @Option(names = "--other-at", paramLabel = "WHEN", description = "The moment of the second one")
        @Nullable
        String otherAt;

        @Option(names = "--exit-code", description = "Exit with 9 if they differ")
        boolean tells;

        @Override
        public Integer call() {
            List<JsonNode> found = service.client()
                    .all(
                            "/diff",
                            new ServiceClient.Query()
                                    .with("environment", left)
                                    .with("other", right)
                                    .with("service_name", serviceName)
                                    .with("other_service_name", otherServiceName)
                                    .with("at", at)
                                    .with("other_at", otherAt)
                                    .with("only", "differences"),
                            Integer.MAX_VALUE);
            Printer printer = service.printer();
            if (service.isJson()) {
                printer.json(Json.tree(found));
            } else {
                found.forEach(d -> print(printer, d));
                printer.line(found.isEmpty() ? "no differences" : found.size() + " differences");
            }
            return tells && !found.isEmpty() ? ServiceFailure.DIFFERENT : 0;
        }

        private static void print(Printer printer, JsonNode d) {
            String name = d.path("key").asText()
                    + (d.path("service_name").isNull()
                            ? ""
                            : "  (" + d.path("service_name").asText() + ")");
            switch (d.path("status").asText()) {
                case "only_left" -> printer.removed(name + " = " + value(d.path("left")));
                case "only_right" -> printer.added(name + " = " + value(d.path("right")));
                case "unknown" -> printer.changed(name + "  (encrypted: not compared)");
                default -> {
                    printer.changed(name);
                    printer.indented("-", TextNode.valueOf(value(d.path("left"))));
                    printer.indented("+", TextNode.valueOf(value(d.path("right"))));
                }
            }
        }
    }
}
