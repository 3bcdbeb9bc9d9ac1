package dev.configservice;

import dev.configservice.cli.CommandLineTool;
import dev.configservice.node.Node;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The entry point: runs the service ({@code java -jar config-service.jar [--embedded]}) or one of the commands of {@link CommandLineTool}. */
public final class Main {
    /** The longest time that a shutdown waits for a start that has not finished yet. */
    private static final int START_SECONDS = 20;

    private static final String EXIT_OPTION = "-XX:+ExitOnOutOfMemoryError";

    private Main() {}

    /** Returns the logger. Commands do without it, because the start of the logging takes longer than most of them. */
    private static Logger log() {
        return LoggerFactory.getLogger(Main.class);
    }

    /** Runs the service or a command. If it cannot start, prints a line for each wrong setting and exits with 1. */
    public static void main(String[] arguments) {
        List<String> given = List.of(arguments);
        try {
            if (given.isEmpty() || given.equals(List.of("--embedded"))) {
                run(!given.isEmpty());
            } else {
                System.exit(CommandLineTool.run(given));
            }
        } catch (SettingsException e) {
            e.problems().forEach(p -> System.err.println("config-service: " + p));
            System.exit(1);
        } catch (RuntimeException e) {
            log().error("start.failed", e);
            System.err.println("config-service: could not start: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(boolean embedded) {
        long started = System.nanoTime();
        warnOfMissingOptions();
        Settings settings = Settings.load(System.getenv(), embedded);
        CompletableFuture<@Nullable Node> starting = new CompletableFuture<>();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(starting), "shutdown"));
        Node node = start(settings, starting);
        long millis = (System.nanoTime() - started) / 1_000_000;
        log().info("start.ready http_port={} millis={}", node.httpPort(), millis);
        System.out.print(Banner.text(settings, node));
    }

    /**
     * Warns if the JVM is not set to exit when it runs out of memory. A process that continues would give wrong
     * responses or none, and the option can be set only on the command line.
     */
    private static void warnOfMissingOptions() {
        boolean exits = ManagementFactory.getRuntimeMXBean().getInputArguments().contains(EXIT_OPTION);
        if (!exits) {
            log().warn("start.option-missing option={} (start with: java @conf/jvm.options)", EXIT_OPTION);
        }
    }

    private static Node start(Settings settings, CompletableFuture<@Nullable Node> starting) {
        try {
            Node node = Node.start(settings);
            starting.complete(node);
            return node;
        } finally {
            // no effect after a successful start; a failed start has already stopped all that it had started
            starting.complete(null);
        }
    }

    /** Stops the node. If it is still starting, waits for that first, because it may already answer requests. */
    private static void stop(CompletableFuture<@Nullable Node> starting) {
        Node node = starting.completeOnTimeout(null, START_SECONDS, TimeUnit.SECONDS)
                .join();
        if (node != null) {
            node.close();
        }
    }
}
