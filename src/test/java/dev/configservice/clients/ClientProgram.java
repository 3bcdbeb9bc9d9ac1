package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A program with a client library of another system, as a process of its own. The project of each is below
 * {@code src/test/clients}, and is built once. A program takes questions as lines of its standard input, and writes answers
 * and events as lines of JSON.
 */
final class ClientProgram implements AutoCloseable {
    private static final Path BUILT = Path.of("target/clients").toAbsolutePath();
    private static final Path SOURCES = Path.of("src/test/clients").toAbsolutePath();
    private static final Map<String, Path> PROJECTS = new ConcurrentHashMap<>();

    private static final boolean IS_NPM_THERE = Stream.of(System.getenv("PATH").split(":", -1))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, "npm")));

    private final Process process;
    private final Writer questions;
    private final BlockingQueue<JsonNode> lines = new LinkedBlockingQueue<>();
    private final List<String> output = new ArrayList<>();

    private ClientProgram(Path directory, List<String> command, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.redirectErrorStream(true);
        builder.environment().putAll(environment);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        questions = process.outputWriter(StandardCharsets.UTF_8);
        Thread reader = new Thread(this::read, "client-output");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts the main class of a Maven project. */
    static ClientProgram java(String project, List<String> options, String... arguments) {
        Path built = maven(project);
        List<String> command = new ArrayList<>(List.of(javaProgram(), "-Xmx256m"));
        command.addAll(options);
        command.addAll(List.of("-cp", built.resolve("classes") + ":" + built.resolve("lib") + "/*", "client.Main"));
        command.addAll(List.of(arguments));
        return new ClientProgram(built, command, Map.of());
    }

    /** Starts a script of an npm project. */
    static ClientProgram node(String project, String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of("node", script));
        command.addAll(List.of(arguments));
        return new ClientProgram(npm(project), command, Map.of());
    }

    static String javaProgram() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Builds a Maven project, and returns the directory that holds its classes and libraries. */
    static Path maven(String project) {
        return PROJECTS.computeIfAbsent(project, p -> {
            delete(BUILT.resolve(p));
            run(SOURCES.resolve(p), List.of("mvn", "-B", "-ntp", "-q", "compile"));
            return BUILT.resolve(p);
        });
    }

    /** Copies an npm project, installs its packages and returns the directory of the copy. Skips the test if npm is missing. */
    static Path npm(String project) {
        assumeTrue(IS_NPM_THERE, "npm is not there");
        return PROJECTS.computeIfAbsent(project, p -> {
            Path built = BUILT.resolve(p);
            copy(SOURCES.resolve(p), built);
            run(built, List.of("npm", "install", "--no-package-lock", "--no-audit", "--no-fund"));
            return built;
        });
    }

    /** Removes what an earlier build has left, such as libraries in another version. */
    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void copy(Path from, Path to) {
        try {
            Files.walkFileTree(from, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Path copy = to.resolve(from.relativize(file));
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a command to its end, and returns its output. */
    static String run(Path directory, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
            assertThat(process.exitValue()).as("%s\n%s", command, output).isZero();
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void read() {
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line;
            while ((line = out.readLine()) != null) {
                synchronized (output) {
                    output.add(line);
                }
                // libraries write to the same output
                int json = line.startsWith("> ") ? 2 : 0;
                if (line.startsWith("{", json)) {
                    lines.add(Json.read(line.substring(json)));
                }
            }
        } catch (IOException e) {
            // the process has ended
        }
    }

    String output() {
        synchronized (output) {
            return String.join("\n", output);
        }
    }

    /** Returns the next line that a test wants. Others before it are dropped. */
    JsonNode await(Predicate<JsonNode> wanted, Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        try {
            while (true) {
                boolean hasEnded = !process.isAlive();
                JsonNode line = lines.poll(200, TimeUnit.MILLISECONDS);
                if (line != null && wanted.test(line)) {
                    return line;
                }
                if (line == null && (hasEnded || System.nanoTime() - end >= 0)) {
                    throw new AssertionError("no such line within " + atMost + "\n" + output());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    ClientProgram awaitReady() {
        await(line -> line.has("ready"), Duration.ofSeconds(90));
        return this;
    }

    /** Waits for an event of the client library. */
    void awaitEvent(String event) {
        await(line -> line.path("event").asText().equals(event), Duration.ofSeconds(40));
    }

    /** Asks a question, and returns its answer. Events that come meanwhile are dropped. */
    JsonNode ask(String question) {
        tell(question);
        return await(line -> line.has("value"), Duration.ofSeconds(30));
    }

    void tell(String line) {
        try {
            questions.write(line + "\n");
            questions.flush();
        } catch (IOException e) {
            throw new AssertionError(output(), e);
        }
    }

    /** Asks for the value of a flag. */
    JsonNode flag(String type, String flag, String other, String context) {
        ObjectNode question = Json.object().put("type", type).put("flag", flag);
        question.set("default", Json.read(other));
        question.set("context", Json.read(context));
        return ask(Json.write(question));
    }

    /** Waits until the program ends, and returns its exit code. */
    int end() {
        try {
            assertThat(process.waitFor(90, TimeUnit.SECONDS)).as(output()).isTrue();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
