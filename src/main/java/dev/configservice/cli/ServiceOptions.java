package dev.configservice.cli;

import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The options of every command that calls the service: its address, the credential, and the form of the output. */
final class ServiceOptions {
    /** The forms of output. */
    enum Form {
        table,
        json
    }

    /** The settings of colours. */
    enum Color {
        auto,
        always,
        never
    }

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The address of the service. Default: CS_URL, else http://127.0.0.1:8082")
    @Nullable
    String url;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            description = "table for people, json for programs. Default: table")
    Form form = Form.table;

    @Option(names = "--color", paramLabel = "WHEN", description = "auto, always or never. Default: auto")
    Color color = Color.auto;

    ServiceClient client() {
        return client(System.getenv());
    }

    ServiceClient client(Map<String, String> environment) {
        String address = url != null ? url : environment.getOrDefault("CS_URL", "http://127.0.0.1:8082");
        return new ServiceClient(address, key(environment));
    }

    private static String key(Map<String, String> environment) {
        String file = environment.get("CS_API_KEY_FILE");
        String key = environment.getOrDefault("CS_API_KEY", "");
        if (file == null || file.isEmpty()) {
            return key.strip();
        }
        if (!key.isEmpty()) {
            throw new SettingsException("CS_API_KEY: is set together with CS_API_KEY_FILE (expected: one of them)");
        }
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            throw new SettingsException("CS_API_KEY_FILE: " + file + " (expected: a readable file)");
        }
    }

    boolean isJson() {
        return form == Form.json;
    }

    Printer printer() {
        return new Printer(System.out, color == Color.always || (color == Color.auto && isTerminal()));
    }

    /** Tells people about the progress of long work, if they look on. */
    static void progress(String text) {
        if (isTerminal()) {
            System.err.println(text);
        }
    }

    /** Tells whether a person looks on, who has not asked for no colours. */
    private static boolean isTerminal() {
        return CommandLine.Help.Ansi.AUTO.enabled();
    }
}
