package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.transfer.Documents;
import dev.configservice.transfer.ForeignFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The commands that bring what is stored into files, and files into what is stored. */
final class TransferCommands {
    private static final int MAX_CHANGES = 500;
    private static final Map<String, String> FORMATS =
            Map.of("yaml", "yaml", "yml", "yaml", "json", "json", "properties", "properties", "env", "env");

    private TransferCommands() {}

    @Command(
            name = "export",
            description = "Print what is stored as a document in a stable order, for Git and for apply.")
    static final class Export implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Option(names = "--type", paramLabel = "TYPE", description = "configuration or feature_flag. Default: both")
        @Nullable
        String type;

        @Option(names = "--at", paramLabel = "WHEN", description = "As of a revision or a time (RFC 3339)")
        @Nullable
        String at;

        @Option(names = "--sealed", description = "With encrypted values, which only open with the same keyset")
        boolean isSealed;

        @Option(names = "--file", paramLabel = "FILE", description = "Write to a file, not to the standard output")
        @Nullable
        Path file;

        @Override
        public Integer call() throws IOException {
            String document = service.client()
                    .get(
                            "/export",
                            place.query()
                                    .with("resource_type", type)
                                    .with("at", at)
                                    .with("secrets", isSealed ? "sealed" : null)
                                    .with("format", service.isJson() ? "json" : "yaml"))
                    .text();
            if (file != null) {
                try {
                    Files.writeString(file, document);
                } catch (IOException e) {
                    throw new ServiceFailure(ServiceFailure.WRONG_USAGE, file + ": cannot be written (" + e + ")");
                }
            } else {
                System.out.print(document);
            }
            return 0;
        }
    }

    /** The forms of files that apply reads. */
    enum Source {
        files,
        spring,
        consul,
        unleash,
        flagd
    }

    /**
     * A document to import, and the file that it was made of.
     *
     * @param body the document; null if {@code text} is to be sent as it is
     */
    private record Part(Path file, ObjectNode body) {}

    @Command(
            name = "apply",
            description = {
                "Make what is stored as files say: documents of export, flat files of one layer (yaml, json, properties, env), or"
                        + " exports of other systems.",
                "In a folder, flat files are named <environment>/<service>.<form>; application.<form> is what all services share."
            })
    static final class Apply implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Option(
                names = {"-f", "--file"},
                paramLabel = "PATH",
                required = true,
                description = "A file or a folder; - is the standard input")
        String file = "";

        @Option(
                names = "--from",
                paramLabel = "SYSTEM",
                description = {
                    "files, spring (a configuration directory), consul (consul kv export), unleash or flagd. Default: files"
                })
        Source source = Source.files;

        @Option(
                names = "--key-prefix",
                paramLabel = "PREFIX",
                description = "With consul: the beginning of the keys to take")
        String keyPrefix = "";

        @Option(names = "--dry-run", description = "Show what would change, and change nothing")
        boolean isDry;

        @Option(names = "--prune", description = "Also delete what the files do not name, within what they are about")
        boolean isPruning;

        @Option(names = "--exit-code", description = "With --dry-run: exit with 9 if something would change")
        boolean tells;

        @Option(names = "--comment", paramLabel = "TEXT", description = "The reason, for the audit")
        @Nullable
        String comment;

        @Override
        public Integer call() throws IOException {
            List<Part> parts = parts();
            ServiceClient client = service.client();
            refuseClashes(parts);
            if (parts.size() > 1 && !isDry) {
                // what is wrong in any file is told before the first is applied
                for (Part part : parts) {
                    tryOut(client, part);
                }
            }
            int changes = 0;
            List<JsonNode> answers = new ArrayList<>();
            for (Part part : parts) {
                ServiceOptions.progress("applying " + part.file());
                for (JsonNode answer : send(client, part)) {
                    answers.add(answer);
                    changes += print(answer);
                }
            }
            if (service.isJson()) {
                service.printer().json(Json.tree(answers));
            } else {
                service.printer()
                        .line(
                                changes == 0
                                        ? "no changes"
                                        : changes
                                                + (changes == 1 ? " change" : " changes")
                                                + (isDry ? " would be made" : " made"));
            }
            return tells && isDry && changes > 0 ? ServiceFailure.DIFFERENT : 0;
        }

        /** Fails if two files are about one layer: the second would undo what the first did. */
        private static void refuseClashes(List<Part> parts) {
            Map<String, Path> layers = new HashMap<>();
            for (Part part : parts) {
                JsonNode scope = part.body().path("scope");
                String layer = scope.path("environments") + "/" + scope.path("service_names") + "/"
                        + scope.path("resource_types");
                Path other = layers.putIfAbsent(layer, part.file());
                if (other != null) {
                    throw new ServiceFailure(
                            ServiceFailure.WRONG_USAGE,
                            part.file() + ": is about the same layer as " + other + " (expected: one file for each)");
                }
            }
        }

        private void tryOut(ServiceClient client, Part part) {
            try {
                send(client, part.body(), isPruning, true);
            } catch (ServiceFailure e) {
                if (!e.is("too-many-changes")) {
                    throw new ServiceFailure(
                            e.exitCode(), part.file() + ": " + e.getMessage() + "\nnothing was applied");
                }
            }
        }

        private List<JsonNode> send(ServiceClient client, Part part) {
            try {
                return List.of(send(client, part.body(), isPruning));
            } catch (ServiceFailure e) {
                if (!e.is("too-many-changes")) {
                    throw new ServiceFailure(e.exitCode(), part.file() + ": " + e.getMessage());
                }
            }
            List<ObjectNode> pieces = Documents.parts(part.body(), MAX_CHANGES);
            System.err.println("warning: " + part.file() + " makes more than " + MAX_CHANGES
                    + " changes: it is applied in " + pieces.size() + " parts, each of them as a whole");
            List<JsonNode> answers = new ArrayList<>();
            for (ObjectNode piece : pieces) {
                answers.add(send(client, piece, false));
                ServiceOptions.progress("applied " + answers.size() + " of " + pieces.size() + " parts");
            }
            if (isPruning && !isDry) {
                answers.add(send(client, part.body(), true));
            } else if (isPruning) {
                System.err.println("warning: what would be deleted is not shown for so many changes");
            }
            return answers;
        }

        private JsonNode send(ServiceClient client, ObjectNode document, boolean replaces) {
            return send(client, document, replaces, isDry);
        }

        private JsonNode send(ServiceClient client, ObjectNode document, boolean replaces, boolean dry) {
            return client.write(
                            "POST",
                            "/import",
                            new ServiceClient.Query()
                                    .with("mode", replaces ? "replace" : "merge")
                                    .with("environment", source == Source.files ? target(document) : null)
                                    .with("dry_run", dry ? true : null)
                                    .with("full", true)
                                    .with("comment", comment),
                            Json.write(document),
                            "application/json")
                    .json();
        }

        /** Returns the environment that takes the place of the one that an exported document names; null if that stays. */
        private @Nullable String target(ObjectNode document) {
            return document.path("scope").path("revision").asLong() == 0 ? null : place.environment;
        }

        private int print(JsonNode answer) {
            Printer printer = service.printer();
            int changes = 0;
            for (JsonNode result : answer.path("results")) {
                String action = result.path("action").asText();
                if (action.equals("unchanged")) {
                    continue;
                }
                changes++;
                if (!service.isJson()) {
                    print(printer, action, result);
                }
            }
            return changes;
        }

        private static void print(Printer printer, String action, JsonNode result) {
            JsonNode before = result.path("before");
            JsonNode after = result.path("after");
            JsonNode state = after.isObject() ? after : before;
            String name = state.path("environment").asText() + "/"
                    + (state.path("service_name").isTextual()
                            ? state.path("service_name").asText() + "/"
                            : "")
                    + (state.has("key")
                            ? state.path("key").asText()
                            : state.path("name").asText());
            switch (action) {
                case "created" -> printer.added(name + shown(after));
                case "deleted" -> printer.removed(name + shown(before));
                default -> {
                    printer.changed(name);
                    for (Map.Entry<String, JsonNode> field : after.properties()) {
                        JsonNode was = before.path(field.getKey());
                        if (!Stream.of("version", "revision", "updated_at", "updated_by")
                                        .anyMatch(field.getKey()::equals)
                                && !was.equals(field.getValue())) {
                            printer.indented("-", TextNode.valueOf(field.getKey() + ": " + Printer.plain(was)));
                            printer.indented(
                                    "+", TextNode.valueOf(field.getKey() + ": " + Printer.plain(field.getValue())));
                        }
                    }
                    if (after.path("is_encrypted").asBoolean()) {
                        printer.indented("+", TextNode.valueOf("value: (encrypted)"));
                    }
                }
            }
        }

        private static String shown(JsonNode state) {
            if (!state.has("key")) {
                return "";
            }
            return " = "
                    + (state.path("is_encrypted").asBoolean() ? "(encrypted)" : Printer.plain(state.path("value")));
        }

        // reading files

        private List<Part> parts() throws IOException {
            if (file.equals("-")) {
                String text = new String(System.in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                return List.of(part(Path.of("-"), text, "yaml", place.environment, place.service));
            }
            Path path = Path.of(file);
            if (!Files.exists(path)) {
                throw new ServiceFailure(ServiceFailure.WRONG_USAGE, file + ": does not exist");
            }
            if (source == Source.spring) {
                return spring(path);
            }
            if (!Files.isDirectory(path)) {
                return List.of(part(path, Files.readString(path), format(path), place.environment, place.service));
            }
            List<Part> parts = new ArrayList<>();
            for (Path found : files(path)) {
                String text = Files.readString(found);
                Path folder = path.relativize(found).getParent();
                String name = stem(found);
                boolean isShared = name.equals("application");
                parts.add(part(
                        found,
                        text,
                        format(found),
                        place.environment != null || folder == null
                                ? place.environment
                                : folder.getFileName().toString(),
                        place.service != null ? place.service : isShared ? null : name));
            }
            if (parts.isEmpty()) {
                throw new ServiceFailure(
                        ServiceFailure.WRONG_USAGE, file + ": holds no yaml, json, properties or env files");
            }
            return parts;
        }

        private static List<Path> files(Path folder) throws IOException {
            try (Stream<Path> all = Files.walk(folder)) {
                return all.filter(Files::isRegularFile)
                        .filter(f -> FORMATS.containsKey(ending(f))
                                && !f.getFileName().toString().startsWith("."))
                        .sorted()
                        .toList();
            }
        }

        private static String ending(Path file) {
            String name = file.getFileName().toString();
            return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        }

        private static String stem(Path file) {
            String name = file.getFileName().toString();
            return name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
        }

        private static String format(Path file) {
            return FORMATS.getOrDefault(ending(file), "yaml");
        }

        private Part part(
                Path from, String text, String format, @Nullable String environment, @Nullable String serviceName) {
            try {
                return read(from, text, format, environment, serviceName);
            } catch (ServiceException e) {
                throw new ServiceFailure(ServiceFailure.INVALID, from + ": " + e.getMessage());
            }
        }

        private Part read(
                Path from, String text, String format, @Nullable String environment, @Nullable String serviceName) {
            if (source == Source.files && Documents.isDocument(text)) {
                JsonNode document = Documents.read(text);
                if (document instanceof ObjectNode object) {
                    return new Part(from, object);
                }
            }
            if (environment == null) {
                throw new ServiceFailure(
                        ServiceFailure.WRONG_USAGE,
                        from + ": --environment is required, as the file does not name one");
            }
            return switch (source) {
                case files, spring -> new Part(from, Documents.ofFlat(text, format, environment, serviceName));
                case consul ->
                    converted(from, ForeignFiles.consul(Documents.read(text), keyPrefix, environment, serviceName));
                case unleash -> converted(from, ForeignFiles.unleash(Documents.read(text), environment));
                case flagd -> converted(from, ForeignFiles.flagd(Documents.read(text), environment));
            };
        }

        private static Part converted(Path from, ForeignFiles.Converted converted) {
            converted.notes().forEach(note -> System.err.println("not held: " + note));
            return new Part(from, converted.document());
        }

        /**
         * Reads a configuration directory of Spring: {@code application} is what all services share, and a profile, the part
         * after the last dash, is an environment. A file without a profile is for the environment that is given.
         */
        private List<Part> spring(Path folder) throws IOException {
            if (!Files.isDirectory(folder)) {
                throw new ServiceFailure(ServiceFailure.WRONG_USAGE, file + ": must be a folder");
            }
            List<Part> parts = new ArrayList<>();
            for (Path found : files(folder)) {
                String name = stem(found);
                int dash = name.lastIndexOf('-');
                boolean hasProfile =
                        dash > 0 && (name.startsWith("application-") || isOneOf(folder, name.substring(0, dash)));
                String application = hasProfile ? name.substring(0, dash) : name;
                String environment = hasProfile ? name.substring(dash + 1) : place.environment;
                if (environment == null) {
                    System.err.println("not held: " + found + ": it has no profile, and --environment is not given");
                    continue;
                }
                parts.add(part(
                        found,
                        Files.readString(found),
                        format(found),
                        environment,
                        application.equals("application") ? null : application));
            }
            return parts;
        }

        /** Tells whether a folder has a file of an application, so that the rest of a name is a profile. */
        private static boolean isOneOf(Path folder, String application) {
            return FORMATS.keySet().stream().anyMatch(form -> Files.exists(folder.resolve(application + "." + form)));
        }
    }
}
