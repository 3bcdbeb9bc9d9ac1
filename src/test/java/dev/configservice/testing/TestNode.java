package dev.configservice.testing;

import dev.configservice.http.Route;
import dev.configservice.node.Node;
import dev.configservice.resource.VersionedKind;
import dev.configservice.settings.Settings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A node of the service in this process, on servers that tests can also access directly. */
public final class TestNode implements AutoCloseable {
    public static final String ADMIN_KEY = "an-admin-key-of-tests";

    private static TestNode shared;

    private final Node node;
    private final Map<String, String> environment;
    private final List<VersionedKind> kinds;

    private TestNode(Map<String, String> environment) {
        this(environment, List.of());
    }

    private TestNode(Map<String, String> environment, List<VersionedKind> kinds) {
        this.environment = environment;
        this.kinds = kinds;
        this.node = Node.start(Settings.load(environment, false), kinds);
    }

    /** Returns the node that is shared by all tests that only call it. */
    public static synchronized TestNode shared() {
        if (shared == null) {
            shared = start(Map.of());
            TestNode started = shared;
            Runtime.getRuntime().addShutdownHook(new Thread(started::close));
        }
        return shared;
    }

    /** Starts a node with a database and a cluster of its own. The given settings take precedence. */
    public static TestNode start(Map<String, String> settings) {
        return start(settings, List.of());
    }

    /** Starts a node with additional kinds of resources. */
    public static TestNode start(Map<String, String> settings, List<VersionedKind> kinds) {
        Map<String, String> environment = new HashMap<>();
        environment.put("CS_HTTP_HOST", "127.0.0.1");
        environment.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
        environment.put("CS_CLUSTER_NAME", "test-" + UUID.randomUUID());
        environment.put("CS_CLUSTER_PORT", Integer.toString(Ports.free()));
        environment.put("CS_ACCESS_ADMIN_KEY", ADMIN_KEY);
        // no load balancer needs time to notice the shutdown
        environment.put("CS_SHUTDOWN_DRAIN", "0s");
        environment.put("CS_REDIS_URI", TestServers.get().redisUri());
        environment.put("CS_SECRETS_KEYSET", Keysets.FIRST);
        environment.putAll(settings);
        environment.computeIfAbsent("CS_POSTGRES_URI", k -> TestServers.newDatabase());
        return new TestNode(environment, kinds);
    }

    /** Starts another node of the same cluster. */
    public TestNode join() {
        return join(Map.of());
    }

    /** Starts another node of the same cluster, with some settings of its own. */
    public TestNode join(Map<String, String> settings) {
        Map<String, String> other = new HashMap<>(environment);
        other.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
        other.put("CS_CLUSTER_PORT", Integer.toString(Ports.free()));
        other.put("CS_CLUSTER_MEMBERS", "127.0.0.1:" + environment.get("CS_CLUSTER_PORT"));
        other.putAll(settings);
        return new TestNode(other, kinds);
    }

    /** Starts an edge of the same cluster. */
    public TestNode edge(Map<String, String> settings) {
        Map<String, String> other = new HashMap<>(environment);
        other.keySet().removeIf(k -> k.startsWith("CS_POSTGRES_") || k.startsWith("CS_REDIS_"));
        other.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
        other.put("CS_CLUSTER_PORT", Integer.toString(Ports.free()));
        other.put("CS_CLUSTER_MEMBERS", "127.0.0.1:" + environment.get("CS_CLUSTER_PORT"));
        other.put("CS_CLUSTER_ROLE", "edge");
        other.putAll(settings);
        return new TestNode(other);
    }

    /** Starts the node again after it was closed. */
    public TestNode again() {
        return new TestNode(environment);
    }

    public String setting(String name) {
        return environment.get(name);
    }

    public Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    public Api anonymous() {
        return Api.anonymous(node.httpPort());
    }

    public Api admin() {
        return anonymous().key(ADMIN_KEY);
    }

    /** Returns the routes that the node serves. */
    public List<Route> routes() {
        return node.routes();
    }

    public int port() {
        return node.httpPort();
    }

    /** Runs a statement on the database of the node. A row is a list of strings. */
    public List<List<String>> sql(String statement) {
        return sql(setting("CS_POSTGRES_URI"), statement);
    }

    public static List<List<String>> sql(String uri, String statement) {
        try (Connection connection = TestServers.connect(uri);
                var s = connection.createStatement()) {
            List<List<String>> rows = new ArrayList<>();
            if (s.execute(statement)) {
                ResultSet result = s.getResultSet();
                while (result.next()) {
                    List<String> row = new ArrayList<>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.add(result.getString(i));
                    }
                    rows.add(row);
                }
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        node.close();
    }
}
