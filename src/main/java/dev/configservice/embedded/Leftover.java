package dev.configservice.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server process that outlived the service that started it. It is identified by its PID file. */
final class Leftover {
    private static final Logger log = LoggerFactory.getLogger(Leftover.class);

    private Leftover() {}

    /** Stops the process if it still runs and its command contains {@code name}. Blocks for at most 10 seconds. */
    static void stop(Path pidFile, String name) {
        if (!Files.exists(pidFile)) {
            return;
        }
        try {
            long pid = Long.parseLong(Files.readAllLines(pidFile).get(0).strip());
            ProcessHandle process = ProcessHandle.of(pid).orElse(null);
            if (process == null || !process.info().command().orElse("").contains(name)) {
                return;
            }
            log.warn("embedded.leftover name={} pid={}", name, pid);
            process.destroy();
            try {
                process.onExit().get(5, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                process.destroyForcibly();
                process.onExit().get(5, TimeUnit.SECONDS);
            }
        } catch (IOException | RuntimeException | ExecutionException | TimeoutException e) {
            log.warn("embedded.leftover-not-stopped file={} cause={}", pidFile, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
