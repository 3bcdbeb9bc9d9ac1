package dev.configservice.postgres;

import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** The migrations of the database schema, with Flyway. Nodes that start at the same time wait for one another. */
public final class Migrations {
    private static final int MIN_VERSION = 15;

    private static final String CHECK = """
            select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
                   current_schema() as schema,
                   coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
                   to_regclass('flyway_schema_history') is not null as is_migrated""";

    private final PostgresUri uri;
    /** The first run, until somebody has asked for its result. */
    private @Nullable CompletableFuture<Void> begun;

    private Migrations(PostgresUri uri) {
        this.uri = uri;
    }

    /**
     * Begins the missing migrations on a thread of their own, so that a node can start its other parts meanwhile.
     *
     * @param uri postgresql://user:password@host:port/database
     * @throws IllegalArgumentException if the URI is invalid
     */
    public static Migrations begin(String uri) {
        Migrations migrations = new Migrations(PostgresUri.parse(uri));
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
        source.setServerNames(uri.hosts().stream().map(PostgresUri.Host::name).toArray(String[]::new));
        source.setPortNumbers(
                uri.hosts().stream().mapToInt(PostgresUri.Host::port).toArray());
        source.setDatabaseName(uri.database());
        source.setUser(uri.user());
        source.setPassword(uri.password());
        source.setConnectTimeout(2);
        source.setSocketTimeout(60);
        source.setTargetServerType(uri.targetsPrimary() ? "primary" : "any");
        if (uri.properties().containsKey("options")) {
            source.setOptions(uri.properties().get("options"));
        }
        if (uri.schema() != null) {
            source.setCurrentSchema(uri.searchPath());
        }
        setTls(source);
        check(source);
        try {
            Flyway.configure(Migrations.class.getClassLoader())
                    .dataSource(source)
                    .locations("classpath:db/migration")
                    .defaultSchema(uri.schema())
                    .connectRetries(0)
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            SQLException said = said(e);
            if (said == null && String.valueOf(e.getMessage()).contains("non-empty schema")) {
                throw refused("a schema of its own; this one has tables, but none of this service", null);
            }
            if (said == null || Postgres.isAway(said.getSQLState())) {
                throw e;
            }
            throw refused("a database that this user can connect to and migrate", said);
        }
    }

    private static SettingsException refused(String expected, @Nullable SQLException said) {
        return new SettingsException("postgres.uri: (not shown) (expected: " + expected
                + (said == null ? "" : "; PostgreSQL answered: " + said.getMessage()) + ")");
    }

    private void setTls(PGSimpleDataSource source) {
        source.setSslMode(uri.sslModeText());
        if (uri.rootCertificate() != null) {
            if (uri.rootCertificate().equals("system")) {
                source.setSslfactory("org.postgresql.ssl.DefaultJavaSSLFactory");
            } else {
                source.setSslRootCert(uri.rootCertificate());
            }
        }
        if (uri.certificate() != null) {
            source.setSslCert(uri.certificate());
            source.setSslKey(uri.key());
        }
    }

    /** Checks what no migration can mend: the version, the encoding, and the rights of the role. */
    private void check(PGSimpleDataSource source) {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                ResultSet is = statement.executeQuery(CHECK)) {
            is.next();
            if (is.getInt("version") < MIN_VERSION * 10_000) {
                throw refused(
                        "PostgreSQL " + MIN_VERSION + " or later; this is " + is.getInt("version") / 10_000, null);
            }
            if (!"UTF8".equals(is.getString("encoding"))) {
                throw refused(
                        "a database with the encoding UTF8; this one has " + is.getString("encoding")
                                + " (create database ... encoding 'UTF8' template template0)",
                        null);
            }
            if (is.getString("schema") == null) {
                throw refused("a search_path whose first schema exists; create it, and let this role use it", null);
            }
            if (!is.getBoolean("may_create") && !is.getBoolean("is_migrated")) {
                throw refused(
                        "a role that may create tables in the schema " + is.getString("schema")
                                + " (grant create on schema ... to ...)",
                        null);
            }
        } catch (SQLException e) {
            if (Postgres.isAway(e.getSQLState()) || e.getSQLState() == null) {
                throw new IllegalStateException("PostgreSQL is unreachable: " + e.getMessage(), e);
            }
            throw refused("a database that this user can connect to", e);
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
