package dev.configservice.postgres;

import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import java.sql.SQLException;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** The migrations of the database schema, with Flyway. Nodes that start at the same time wait for one another. */
public final class Migrations {
    private final PgConnectOptions options;
    /** The first run, until somebody has asked for its result. */
    private @Nullable CompletableFuture<Void> begun;

    private Migrations(PgConnectOptions options) {
        this.options = options;
    }

    /**
     * Begins the missing migrations on a thread of their own, so that a node can start its other parts meanwhile.
     *
     * @param uri postgresql://user:password@host:port/database
     * @throws IllegalArgumentException if the URI is invalid
     */
    public static Migrations begin(String uri) {
        Migrations migrations = new Migrations(Postgres.options(uri));
        CompletableFuture<Void> first = new CompletableFuture<>();
        migrations.begun = first;
        Thread thread = new Thread(
                () -> {
                    try {
                        migrations.migrate();
                        first.complete(null);
                    } catch (Throwable e) {
                        first.completeExceptionally(e);
                    }
                },
                "migrations");
        thread.setDaemon(true);
        thread.start();
        return migrations;
    }

    /**
     * Completes the migrations that were begun, or begins them again if they failed before. Fails with
     * {@link SettingsException} if the server answers but refuses the connection or a migration.
     */
    public Future<Void> run(Vertx vertx) {
        CompletableFuture<Void> first = begun;
        if (first != null) {
            begun = null;
            return Future.fromCompletionStage(first, vertx.getOrCreateContext());
        }
        return vertx.executeBlocking(
                () -> {
                    migrate();
                    return null;
                },
                false);
    }

    private void migrate() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {options.getHost()});
        source.setPortNumbers(new int[] {options.getPort()});
        source.setDatabaseName(options.getDatabase());
        source.setUser(options.getUser());
        source.setPassword(options.getPassword());
        source.setConnectTimeout(2);
        source.setSocketTimeout(60);
        if (options.getSslMode() != null && options.getSslMode() != io.vertx.pgclient.SslMode.DISABLE) {
            source.setSslMode(
                    options.getSslMode().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        try {
            Flyway.configure(Migrations.class.getClassLoader())
                    .dataSource(source)
                    .locations("classpath:db/migration")
                    .connectRetries(0)
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            SQLException said = said(e);
            if (said == null || Postgres.isAway(said.getSQLState())) {
                throw e;
            }
            throw new SettingsException(
                    "postgres.uri: (not shown) (expected: a database that this user can connect to and"
                            + " migrate; PostgreSQL answered: " + said.getMessage() + ")");
        }
    }

    /** Returns the error that PostgreSQL reported; null if it did not answer. */
    private static @Nullable SQLException said(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof SQLException e && e.getSQLState() != null) {
                return e;
            }
        }
        return null;
    }
}
