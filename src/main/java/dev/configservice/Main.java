package dev.configservice;

import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the service: {@code java -jar config-service.jar [--embedded]}, or runs one of its {@link Commands}. */
public final class Main {
    private static final Logger log = LoggerFactory.getLogger(Main.class);

    private Main() {}

    /** Exit code 1 where it cannot start, after a line for each setting that is wrong. */
    public static void main(String[] arguments) {
        List<String> given = List.of(arguments);
        try {
            if (given.isEmpty() || given.equals(List.of("--embedded"))) {
                run(!given.isEmpty());
            } else {
                System.exit(Commands.run(given));
            }
        } catch (SettingsException e) {
            e.problems().forEach(p -> System.err.println("config-service: " + p));
            System.exit(1);
        } catch (RuntimeException e) {
            log.error("start.failed", e);
            System.err.println("config-service: it could not start: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(boolean embedded) {
        long started = System.nanoTime();
        Settings settings = Settings.load(System.getenv(), embedded);
        Assembly assembly = Assembly.start(settings);
        Runtime.getRuntime().addShutdownHook(new Thread(assembly::close, "shutdown"));
        long millis = (System.nanoTime() - started) / 1_000_000;
        log.info("start.ready http_port={} millis={}", assembly.httpPort(), millis);
        System.out.print(Banner.text(settings, assembly));
    }
}
