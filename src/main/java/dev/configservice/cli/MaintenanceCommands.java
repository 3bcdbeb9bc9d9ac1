package dev.configservice.cli;

import dev.configservice.events.audit.Verifier;
import dev.configservice.log.Resealing;
import dev.configservice.postgres.Postgres;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.KeysetFile;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The work on keysets and the database that a running service does not do: keysets, resealing, verification. */
final class MaintenanceCommands {
    private static final long DEADLINE_HOURS = 24;
    private static final int CLOSE_SECONDS = 10;
    private static final int GAVE_UP = 1;
    private static final int BROKEN = 2;
    private static final int REFUSED = 3;

    /** A node without a keyset does not count: it opens nothing anyway. */
    private static final String NODES_WITHOUT_KEY = """
            select node from node_keys
            where seen_at > now() - interval '20 seconds' and cardinality(keys) > 0 and not $1 = any(keys)
            order by node""";

    private MaintenanceCommands() {}

    static int makeKeyset(Path file) {
        if (Files.exists(file)) {
            throw new SettingsException(file + ": already exists");
        }
        System.out.println("created " + Keyring.keptIn(file));
        return 0;
    }

    static int rotateKeyset(Path file) {
        try {
            Path previous = KeysetFile.replace(file, Keyring.rotated(Files.readString(file)));
            System.out.println("rotated " + file + " (previous keyset: " + previous
                    + "); copy the new file to every node; when all have read it, run reseal");
            return 0;
        } catch (IOException e) {
            throw new SettingsException(
                    file + ": (expected: a file with a keyset, in a writable directory; " + e + ")");
        } catch (GeneralSecurityException e) {
            throw new SettingsException(file + ": (expected: a file with a keyset)");
        }
    }

    static int reseal(Settings settings) {
        Keyring keyring = Keyring.of(settings.secrets().keyset());
        int newest = keyring.newestFirst().stream()
                .findFirst()
                .orElseThrow(
                        () -> new SettingsException("secrets.keyset: (empty) (expected: the keyset of the service)"));
        return with(
                "reseal",
                settings,
                postgres -> behind(postgres, newest).compose(behind -> {
                    if (!behind.isEmpty()) {
                        System.err.println("config-service: reseal refused: key " + newest + " is not known yet to "
                                + String.join(", ", behind)
                                + " (expected: the new keyset on every node; nodes read it within seconds)");
                        return Future.succeededFuture(REFUSED);
                    }
                    return new Resealing(postgres, Buffer.buffer(keyring.newestPrefix()), keyring::sealAgain)
                            .run()
                            .map(done -> {
                                System.out.println("values resealed: " + done);
                                return 0;
                            });
                }));
    }

    /** Returns the live nodes that do not know a key; they could not open what is sealed with it. */
    private static Future<List<String>> behind(Postgres postgres, int key) {
        return postgres.read(NODES_WITHOUT_KEY, Tuple.of(key)).map(rows -> {
            List<String> nodes = new ArrayList<>();
            rows.forEach(row -> nodes.add(row.getString("node")));
            return nodes;
        });
    }

    static int verify(Settings settings) {
        ClusterMac mac = new ClusterMac(settings.cluster().name(), "log", settings.clusterSecrets());
        Keyring keyring = Keyring.of(settings.secrets().keyset());
        return with(
                "verify",
                settings,
                postgres -> new Verifier(postgres, mac, keyring)
                        .verify(1, Long.MAX_VALUE / 2, null, () -> false)
                        .map(v -> {
                            System.out.println(
                                    v.firstBreak() == null
                                            ? "verified: revisions " + v.from() + " to " + v.to()
                                            : "not as it was written, or not sealed, from revision " + v.firstBreak());
                            return v.firstBreak() == null ? 0 : BROKEN;
                        }));
    }

    /** Runs a job on the database. While it is overloaded or unreachable, the job tries again and says so. */
    private static int with(String name, Settings settings, Function<Postgres, Future<Integer>> job) {
        Vertx vertx = Vertx.vertx();
        try {
            Postgres postgres = new Postgres(vertx, settings.postgres().uri(), 4)
                    .patient(e -> System.err.println("config-service: " + name + ": PostgreSQL does not answer ("
                            + e.getMessage() + "); trying again"));
            return job.apply(postgres)
                    .toCompletionStage()
                    .toCompletableFuture()
                    .orTimeout(DEADLINE_HOURS, TimeUnit.HOURS)
                    .join();
        } catch (CompletionException e) {
            System.err.println("config-service: " + name + " gave up: "
                    + (e.getCause() == null ? e : e.getCause()).getMessage()
                    + "; what was done stays done, and it can be run again");
            return GAVE_UP;
        } finally {
            // the process ends with the command: what is still open after these seconds goes with it
            vertx.close()
                    .onFailure(e -> System.err.println("config-service: " + name + ": not closed: " + e.getMessage()))
                    .otherwiseEmpty()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .completeOnTimeout(null, CLOSE_SECONDS, TimeUnit.SECONDS)
                    .join();
        }
    }
}
