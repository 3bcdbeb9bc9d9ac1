package dev.configservice.cli;

import dev.configservice.events.audit.AuditLog;
import dev.configservice.log.Resealing;
import dev.configservice.log.ResourceKinds;
import dev.configservice.postgres.Postgres;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.KeysetFile;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The commands of the jar besides running the service: create and rotate keysets, reseal values, verify the audit. */
public final class Commands {
    static final String USAGE = """
            usage: config-service [--embedded]         run the service
                   config-service keyset-new FILE      create a keyset for encrypted values
                   config-service keyset-rotate FILE   add a new primary key; the old keys can still decrypt
                   config-service reseal               encrypt values of older keys with the primary key
                   config-service verify               verify the hash chain of the audit; exit code 2 if it is broken
            """;

    private static final long DEADLINE_HOURS = 24;

    private Commands() {}

    /** Runs a command and returns its exit code. */
    public static int run(List<String> arguments) {
        String command = arguments.get(0);
        if (command.equals("keyset-new") && arguments.size() == 2) {
            return makeKeyset(Path.of(arguments.get(1)));
        }
        if (command.equals("keyset-rotate") && arguments.size() == 2) {
            return rotateKeyset(Path.of(arguments.get(1)));
        }
        if (command.equals("reseal") && arguments.size() == 1) {
            return reseal(Settings.load(System.getenv(), false));
        }
        if (command.equals("verify") && arguments.size() == 1) {
            return verify(Settings.load(System.getenv(), false));
        }
        System.err.print(USAGE);
        return 1;
    }

    private static int makeKeyset(Path file) {
        if (Files.exists(file)) {
            throw new SettingsException(file + ": already exists");
        }
        System.out.println("created " + Keyring.keptIn(file));
        return 0;
    }

    private static int rotateKeyset(Path file) {
        try {
            Path previous = KeysetFile.replace(file, Keyring.rotated(Files.readString(file)));
            System.out.println("rotated " + file + " (previous keyset: " + previous
                    + "); copy the new file to every node, then run reseal");
            return 0;
        } catch (IOException e) {
            throw new SettingsException(
                    file + ": (expected: a file with a keyset, in a writable directory; " + e + ")");
        } catch (GeneralSecurityException e) {
            throw new SettingsException(file + ": (expected: a file with a keyset)");
        }
    }

    private static int reseal(Settings settings) {
        Keyring keyring = Keyring.of(settings.secrets().keyset());
        long done = with(
                settings,
                postgres -> new Resealing(postgres, Buffer.buffer(keyring.primaryPrefix()), keyring::sealAgain).run());
        System.out.println("values resealed: " + done);
        return 0;
    }

    private static int verify(Settings settings) {
        AuditLog.Verification v = with(
                settings,
                postgres -> new AuditLog(postgres, new ResourceKinds(List.of())).verify(1, Long.MAX_VALUE / 2));
        if (v.firstBreak() == null) {
            System.out.println("verified: revisions " + v.from() + " to " + v.to());
            return 0;
        }
        System.out.println("hash chain broken at revision " + v.firstBreak());
        return 2;
    }

    private static <T> T with(Settings settings, Function<Postgres, Future<T>> work) {
        Vertx vertx = Vertx.vertx();
        try {
            Postgres postgres = new Postgres(vertx, settings.postgres().uri(), 4);
            return work.apply(postgres)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .orTimeout(DEADLINE_HOURS, TimeUnit.HOURS)
                    .join();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
