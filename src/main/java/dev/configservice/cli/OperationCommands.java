package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.settings.Settings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for services, changes, the audit and keys. */
final class OperationCommands {
    private static final long MAX_PAUSE_MILLIS = 10_000;

    private OperationCommands() {}

    @Command(name = "services", description = "List the services of the registry, or the instances of one.")
    static final class Services implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Parameters(paramLabel = "SERVICE", arity = "0..1")
        @Nullable
        String name;

        @Override
        public Integer call() {
            Printer printer = service.printer();
            JsonNode found = service.client()
                    .get(
                            name == null ? "/registry" : "/registry/" + ServiceClient.encode(name) + "/instances",
                            new ServiceClient.Query())
                    .json();
            if (service.isJson()) {
                printer.json(found);
                return 0;
            }
            List<List<String>> rows = new ArrayList<>();
            if (name == null) {
                found.path("services")
                        .forEach(s -> rows.add(List.of(
                                s.path("service_name").asText(),
                                s.path("healthy").asText(),
                                s.path("instances").asText())));
                printer.table(List.of("SERVICE", "HEALTHY", "INSTANCES"), rows);
            } else {
                found.path("instances")
                        .forEach(i -> rows.add(List.of(
                                i.path("instance_id").asText(),
                                i.path("service_url").asText(),
                                i.path("status").asText(),
                                Printer.plain(i.path("last_heartbeat_at")))));
                printer.table(List.of("INSTANCE", "URL", "STATUS", "LAST HEARTBEAT"), rows);
            }
            if (found.path("protected").asBoolean()) {
                System.err.println(
                        "warning: protected: " + found.path("protected_reason").asText());
            }
            return 0;
        }
    }

    @Command(name = "watch", description = "Print changes as they happen, until it is stopped.")
    static final class Watch implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Option(
                names = "--type",
                paramLabel = "TYPE",
                description = "configuration, feature_flag, service, template or schema")
        @Nullable
        String type;

        @Option(names = "--prefix", paramLabel = "TEXT", description = "The beginning of the keys")
        @Nullable
        String prefix;

        @Option(names = "--after", paramLabel = "REVISION", description = "Begin after a revision. Default: now")
        @Nullable
        Long after;

        @Option(names = "--count", paramLabel = "N", description = "End after this many changes")
        int count = Integer.MAX_VALUE;

        private int seen;
        private @Nullable String lastId;

        @Override
        public Integer call() throws InterruptedException {
            long pause = 200;
            while (seen < count) {
                try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                        service.client()
                                .open(
                                        "/changes/stream",
                                        place.query()
                                                .with("resource_type", type)
                                                .with("key_prefix", prefix)
                                                .with("after", lastId == null ? after : null),
                                        lastId),
                        StandardCharsets.UTF_8))) {
                    if (read(lines)) {
                        pause = 200;
                    }
                } catch (ServiceFailure e) {
                    if (e.exitCode() != ServiceFailure.UNREACHABLE) {
                        throw e;
                    }
                    System.err.println("warning: " + e.getMessage());
                } catch (IOException e) {
                    System.err.println("warning: the stream broke off; it goes on where it ended");
                }
                if (seen < count) {
                    Thread.sleep(pause / 2 + ThreadLocalRandom.current().nextLong(pause));
                    pause = Math.min(MAX_PAUSE_MILLIS, pause * 2);
                }
            }
            return 0;
        }

        /** Reads events until the stream or the number of changes ends. Returns whether there was any. */
        private boolean read(BufferedReader lines) throws IOException {
            String event = "";
            boolean hasEvents = false;
            String line = lines.readLine();
            while (line != null && seen < count) {
                if (line.startsWith("id:")) {
                    lastId = line.substring(3).strip();
                } else if (line.startsWith("event:")) {
                    event = line.substring(6).strip();
                } else if (line.startsWith("data:")) {
                    hasEvents = true;
                    print(event, line.substring(5).strip());
                }
                line = lines.readLine();
            }
            return hasEvents;
        }

        private void print(String event, String data) {
            if (event.equals("resync")) {
                System.err.println("warning: changes are missing here: the log no longer holds them");
            }
            if (event.equals("hello") || event.equals("heartbeat") || event.equals("resync")) {
                return;
            }
            seen++;
            JsonNode change = Json.read(data);
            if (service.isJson()) {
                service.printer().line(Json.write(change));
            } else {
                JsonNode value = change.path("data");
                String name = value.has("key")
                        ? value.path("key").asText()
                        : value.has("name")
                                ? value.path("name").asText()
                                : change.path("resource_id").asText();
                service.printer()
                        .line(change.path("occurred_at").asText() + "  "
                                + change.path("revision").asText() + "  "
                                + event + "  " + Printer.plain(change.path("environment")) + "/"
                                + Printer.plain(change.path("service_name")) + "  " + name
                                + (value.has("value") ? " = " + Printer.plain(value.path("value")) : ""));
            }
        }
    }

    @Command(name = "audit", description = "Show who changed what, when and why, newest first.")
    static final class Audit implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Mixin
        PlaceOptions place = new PlaceOptions();

        @Option(names = "--key", paramLabel = "KEY")
        @Nullable
        String key;

        @Option(names = "--actor", paramLabel = "NAME")
        @Nullable
        String actor;

        @Option(
                names = "--type",
                paramLabel = "TYPE",
                description = "For example configuration, secret_read, access_denied")
        @Nullable
        String type;

        @Option(names = "--since", paramLabel = "TIME", description = "RFC 3339")
        @Nullable
        String since;

        @Option(names = "--until", paramLabel = "TIME", description = "RFC 3339")
        @Nullable
        String until;

        @Option(names = "--limit", paramLabel = "N", description = "The largest number. Default: 50")
        int limit = 50;

        @Override
        public Integer call() {
            List<JsonNode> found = service.client()
                    .all(
                            "/audit",
                            place.query()
                                    .with("key", key)
                                    .with("actor", actor)
                                    .with("resource_type", type)
                                    .with("since", since)
                                    .with("until", until),
                            limit);
            if (service.isJson()) {
                service.printer().json(Json.tree(found));
                return 0;
            }
            List<List<String>> rows = new ArrayList<>();
            for (JsonNode e : found) {
                JsonNode state = e.path("after").isObject() ? e.path("after") : e.path("before");
                String name = state.has("key")
                        ? state.path("key").asText()
                        : state.path("name").asText("");
                rows.add(List.of(
                        e.path("occurred_at").asText(),
                        Printer.plain(e.path("revision")),
                        e.path("actor").path("name").asText(""),
                        e.path("resource_type").asText() + "."
                                + e.path("action").asText(),
                        Printer.plain(e.path("environment")),
                        name.isEmpty() ? e.path("resource_id").asText() : name,
                        Printer.plain(e.path("comment"))));
            }
            service.printer()
                    .table(List.of("TIME", "REVISION", "ACTOR", "ACTION", "ENVIRONMENT", "NAME", "COMMENT"), rows);
            return 0;
        }
    }

    @Command(
            name = "verify",
            description = {
                "Verify the audit against chain, seals and what is stored; exit code 2 if something was changed.",
                "With --url or CS_URL it asks the service, which needs the right audit:read. Without, it reads the database that"
                        + " the settings of the service name."
            })
    static final class Verify implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Option(names = "--from", paramLabel = "REVISION")
        long from = 1;

        @Option(names = "--part", paramLabel = "N", description = "The revisions of one request. Default: 100000")
        long part = 100_000;

        @Override
        public Integer call() {
            if (service.url == null && System.getenv("CS_URL") == null) {
                return MaintenanceCommands.verify(Settings.load(System.getenv(), false));
            }
            ServiceClient client = service.client();
            long last = client.get("/audit/anchor", new ServiceClient.Query())
                    .json()
                    .path("revision")
                    .asLong();
            long at = from;
            while (at <= last) {
                long to = Math.min(last, at + part - 1);
                JsonNode done = client.get(
                                "/audit/verify",
                                new ServiceClient.Query().with("from", at).with("to", to))
                        .json();
                if (!done.path("verified").asBoolean()) {
                    service.printer()
                            .line("not as it was written, or not sealed, from revision "
                                    + done.path("first_break").asText());
                    return ServiceFailure.BROKEN;
                }
                ServiceOptions.progress("verified up to revision " + to + " of " + last);
                at = to + 1;
            }
            service.printer().line("verified: revisions " + from + " to " + last);
            return 0;
        }
    }

    @Command(
            name = "keys",
            description = "Manage API keys.",
            subcommands = {KeyList.class, KeyCreate.class, KeyRotate.class, KeyDelete.class})
    static final class Keys {}

    @Command(name = "list", description = "List the keys, without their secrets.")
    static final class KeyList implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Override
        public Integer call() {
            List<JsonNode> found = service.client().all("/access/keys", new ServiceClient.Query(), Integer.MAX_VALUE);
            if (service.isJson()) {
                service.printer().json(Json.tree(found));
                return 0;
            }
            List<List<String>> rows = new ArrayList<>();
            for (JsonNode k : found) {
                rows.add(List.of(
                        k.path("id").asText(),
                        k.path("name").asText(),
                        words(k.path("rights")),
                        words(k.path("environments")),
                        words(k.path("service_names")),
                        Printer.plain(k.path("expires_at")),
                        Printer.plain(k.path("last_used_at"))));
            }
            service.printer()
                    .table(List.of("ID", "NAME", "RIGHTS", "ENVIRONMENTS", "SERVICES", "EXPIRES", "LAST USED"), rows);
            return 0;
        }

        private static String words(JsonNode array) {
            List<String> words = new ArrayList<>();
            array.forEach(w -> words.add(w.asText()));
            return words.isEmpty() ? "" : String.join(",", words);
        }
    }

    @Command(name = "create", description = "Create a key. Its secret is printed this once.")
    static final class KeyCreate implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = "--right",
                paramLabel = "RIGHT",
                required = true,
                description = "For example config:write; may be repeated")
        List<String> rights = new ArrayList<>();

        @Option(
                names = {"-e", "--environment"},
                paramLabel = "ENVIRONMENT",
                description = "Limits the key; may be repeated")
        List<String> environments = new ArrayList<>();

        @Option(
                names = {"-s", "--service"},
                paramLabel = "SERVICE",
                description = "Limits the key; may be repeated")
        List<String> services = new ArrayList<>();

        @Option(names = "--expires-at", paramLabel = "TIME", description = "RFC 3339")
        @Nullable
        String expiresAt;

        @Override
        public Integer call() {
            ObjectNode body = Json.object().put("name", name);
            body.set("rights", Json.tree(rights));
            if (!environments.isEmpty()) {
                body.set("environments", Json.tree(environments));
            }
            if (!services.isEmpty()) {
                body.set("service_names", Json.tree(services));
            }
            if (expiresAt != null) {
                body.put("expires_at", expiresAt);
            }
            JsonNode made = service.client()
                    .write("POST", "/access/keys", new ServiceClient.Query(), Json.write(body), "application/json")
                    .json();
            if (service.isJson()) {
                service.printer().json(made);
            } else {
                service.printer().line(made.path("key").asText());
            }
            return 0;
        }
    }

    @Command(name = "rotate", description = "Give a key a new secret, which is printed this once.")
    static final class KeyRotate implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Parameters(paramLabel = "ID")
        String id = "";

        @Option(
                names = "--grace",
                paramLabel = "SECONDS",
                description = "How long the old secret stays valid. Default: 0")
        int grace;

        @Override
        public Integer call() {
            JsonNode made = service.client()
                    .write(
                            "POST",
                            "/access/keys/" + ServiceClient.encode(id) + "/rotate",
                            new ServiceClient.Query(),
                            Json.write(Json.object().put("grace_seconds", grace)),
                            "application/json")
                    .json();
            if (service.isJson()) {
                service.printer().json(made);
            } else {
                service.printer().line(made.path("key").asText());
            }
            return 0;
        }
    }

    @Command(name = "delete", description = "Delete a key. It is refused from then on.")
    static final class KeyDelete implements Callable<Integer> {
        @Mixin
        ServiceOptions service = new ServiceOptions();

        @Parameters(paramLabel = "ID")
        String id = "";

        @Override
        public Integer call() {
            service.client()
                    .write(
                            "DELETE",
                            "/access/keys/" + ServiceClient.encode(id),
                            new ServiceClient.Query(),
                            null,
                            "application/json");
            if (!service.isJson()) {
                service.printer().line("deleted " + id);
            }
            return 0;
        }
    }
}
