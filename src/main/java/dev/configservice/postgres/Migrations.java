package dev.configservice.postgres;

import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;

/** The migrations of the database schema, with Flyway. Nodes that start at the same time wait for one another. */
public final class Migrations {
    private static final int MIN_VERSION = 15;

    private static final String CHECK = """
            select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
                   current_schema() as schema,
                   coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create,
                   to_regclass('flyway_schema_history') is not null as is_migrated""";

    /** The longest wait for an answer while the server is checked, and while it is migrated. */
    private static final int CHECK_SECONDS = 5;

    private static final int MIGRATION_SECONDS = 60;
    /** The connections of a node beside the pool: for lists, for writes, and for the log. */
    private static final int OTHER_CONNECTIONS = Postgres.LIST_CONNECTIONS + 2;

    private final PostgresUri uri;
    private final int connections;
    /** The first run, until somebody has asked for its result. */
    private @Nullable CompletableFuture<Void> begun;

    private Migrations(PostgresUri uri, int poolSize) {
        this.uri = uri;
        this.connections = poolSize + OTHER_CONNECTIONS;
    }

    /**
     * Begins the missing migrations on a thread of their own, so that a node can start its other parts meanwhile.
     *
     * @param uri postgresql://user:password@host:port/database
     * @param poolSize the size of the pool that the node will have
     * @throws IllegalArgumentException if the URI is invalid
     */
    public static Migrations begin(String uri, int poolSize) {
        Migrations migrations = new Migrations(PostgresUri.parse(uri), poolSize);
        migrations.begun = migrations.begin();
        return migrations;
    }

    private CompletableFuture<Void> begin() {
        CompletableFuture<Void> run = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        migrate();
                        run.complete(null);
                    } catch (Throwable e) {
                        run.completeExceptionally(e);
                    }
                },
                "migrations");
        thread.setDaemon(true);
        thread.start();
        return run;
    }

    /**
     * Completes the migrations that were begun, or begins them again if they failed before. Fails with
     * {@link SettingsException} if the server answers but refuses the connection or a migration.
     */
    public Future<Void> run(Vertx vertx) {
        CompletableFuture<Void> first = begun;
        begun = null;
        return Future.fromCompletionStage(first == null ? begin() : first, vertx.getOrCreateContext());
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
        source.setSocketTimeout(CHECK_SECONDS);
        source.setTargetServerType(uri.targetsPrimary() ? "primary" : "any");
        if (uri.properties().containsKey("options")) {
            source.setOptions(uri.properties().get("options"));
        }
        if (uri.schema() != null) {
            source.setCurrentSchema(uri.searchPath());
        }
        setTls(source);
        check(source);
        source.setSocketTimeout(MIGRATION_SECONDS);
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
            setKeyAlgorithm(source, uri.certificate());
        }
    }

    /** Sets the algorithm of the client's key, which the driver cannot see in a PEM file, to that of its certificate. */
    private static void setKeyAlgorithm(PGSimpleDataSource source, String certificate) {
        try (InputStream in = Files.newInputStream(Path.of(certificate))) {
            source.setProperty(
                    PGProperty.PEM_KEY_ALGORITHM,
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(in)
                            .getPublicKey()
                            .getAlgorithm());
        } catch (IOException | GeneralSecurityException e) {
            throw refused("a readable certificate in sslcert; " + certificate + " is none", null);
        }
    }

    /** Checks what no migration can mend: the version, the encoding, the rights of the role, and a pooler in between. */
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
            checkPooler(source, connection, statement);
        } catch (SQLException e) {
            if (uri.namesFile(String.valueOf(e.getMessage()))) {
                throw refused("files that this process can use", e);
            }
            if (Postgres.isAway(e.getSQLState()) || e.getSQLState() == null) {
                throw new IllegalStateException("PostgreSQL is unreachable: " + e.getMessage(), e);
            }
            throw refused("a database that this user can connect to", e);
        }
    }

    /**
     * Refuses a pooler that cannot give this node connections of its own. A pooler shows itself by a process number that
     * it made up. It must then give as many connections at once as a node needs, and no two on one server process, not
     * even while each is idle between two transactions.
     */
    private void checkPooler(PGSimpleDataSource source, Connection first, Statement statement) throws SQLException {
        String pid = pid(statement);
        if (pid.equals(Integer.toString(first.unwrap(PGConnection.class).getBackendPID()))) {
            return;
        }
        Deque<Connection> others = new ArrayDeque<>();
        try {
            while (others.size() < connections - 1) {
                Connection other = source.getConnection();
                others.push(other);
                other.setAutoCommit(false);
                try (Statement asking = other.createStatement()) {
                    if (pid(asking).equals(pid)) {
                        throw lent(null);
                    }
                }
            }
        } catch (SQLException e) {
            if (String.valueOf(e.getMessage()).contains("statement pooling")) {
                throw lent(e);
            }
            throw refused(
                    "a pooler that gives each node " + connections + " server connections (postgres.pool-size and "
                            + OTHER_CONNECTIONS + " more); this one gave " + (others.size() + 1) + " within "
                            + CHECK_SECONDS + " s",
                    e);
        } finally {
            for (Connection other : others) {
                other.close();
            }
        }
        if (!pid(statement).equals(pid)) {
            throw lent(null);
        }
    }

    private static SettingsException lent(@Nullable SQLException said) {
        return refused(
                "PostgreSQL itself, or a pooler in session mode; this pooler lends a server connection for each"
                        + " transaction, which breaks LISTEN, session settings and prepared statements",
                said);
    }

    private static String pid(Statement statement) throws SQLException {
        try (ResultSet is = statement.executeQuery("select pg_backend_pid()")) {
            is.next();
            return is.getString(1);
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
