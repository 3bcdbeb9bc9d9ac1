package dev.configservice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Certificates;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TransportTest {
    @TempDir
    Path directory;

    /** Returns the certificate that a port presents, without verifying it. */
    private static X509Certificate certificateOf(int port) throws GeneralSecurityException, IOException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustsAll()}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(5000);
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Test
    void httpsTakesANewCertificateWithoutARestart() throws Exception {
        X509Certificate first = Certificates.make(directory, "tls");
        try (TestNode node = TestNode.start(Map.of(
                "CS_HTTP_TLS_CERTIFICATE", directory.resolve("tls.pem").toString(),
                "CS_HTTP_TLS_KEY", directory.resolve("tls.key").toString()))) {
            assertThat(certificateOf(node.port())).isEqualTo(first);

            // unusable files change nothing: the node keeps its certificate
            Files.writeString(directory.resolve("tls.pem"), "nonsense");
            X509Certificate second = Certificates.make(directory, "next");
            Files.move(
                    directory.resolve("next.key"), directory.resolve("tls.key"), StandardCopyOption.REPLACE_EXISTING);
            assertThat(certificateOf(node.port())).isEqualTo(first);
            Files.move(
                    directory.resolve("next.pem"), directory.resolve("tls.pem"), StandardCopyOption.REPLACE_EXISTING);
            await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                // several connections, as each event loop loads the certificate by itself
                for (int i = 0; i < 10; i++) {
                    assertThat(certificateOf(node.port())).isEqualTo(second);
                }
            });
        }
    }

    @Test
    void errorsAboutTlsFilesNameTheSetting() throws IOException {
        Path nonsense = Files.writeString(directory.resolve("nonsense.pem"), "nonsense");
        for (String file :
                List.of(nonsense.toString(), directory.resolve("none").toString())) {
            assertThatThrownBy(() -> TestNode.start(Map.of("CS_HTTP_TLS_CERTIFICATE", file, "CS_HTTP_TLS_KEY", file)))
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining("http.tls-certificate");
        }
        assertThatThrownBy(() -> TestNode.start(Map.of("CS_HTTP_TLS_KEY", nonsense.toString())))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("http.tls-key");
        assertThatThrownBy(() -> TestNode.start(Map.of("CS_CLUSTER_TLS_CA", nonsense.toString())))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("cluster.tls-certificate");
    }

    @Test
    void theEventBusBetweenNodesUsesMutualTls() throws Exception {
        Certificates.make(directory, "node");
        int busPort = Ports.free();
        Map<String, String> settings = new HashMap<>(Map.of(
                "CS_CLUSTER_BUS_PORT", Integer.toString(busPort),
                "CS_CLUSTER_TLS_CERTIFICATE", directory.resolve("node.pem").toString(),
                "CS_CLUSTER_TLS_KEY", directory.resolve("node.key").toString(),
                "CS_CLUSTER_TLS_CA", directory.resolve("node.pem").toString()));
        try (TestNode core = TestNode.start(settings);
                TestNode edge = core.edge(Map.of("CS_CLUSTER_BUS_PORT", "0"))) {
            Reply written = edge.admin().post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}");
            assertThat(written.status()).as(written.text()).isEqualTo(201);
            assertThat(edge.anonymous().get("/config/k?environment=e").status()).isEqualTo(200);

            // a client without a certificate is rejected; with TLS 1.3 it learns this only when it reads
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new TrustsAll()}, null);
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", busPort)) {
                socket.setSoTimeout(5000);
                assertThatThrownBy(() -> {
                            socket.startHandshake();
                            assertThat(socket.getInputStream().read()).isEqualTo(0);
                        })
                        .isInstanceOf(SSLException.class);
            }
        }
    }

    @Test
    void everyPortListensOnlyOnItsConfiguredAddress() {
        Map<String, String> settings = new HashMap<>();
        settings.put("CS_HTTP_HOST", "127.0.0.3");
        settings.put("CS_CLUSTER_HOST", "127.0.0.2");
        settings.put("CS_ACCESS_ADMIN_KEY", "sixteen-characters-and-more");
        settings.put("CS_EMBEDDED_DIRECTORY", TestServers.directory("ports").toString());
        for (String port : List.of("HTTP", "CLUSTER", "EMBEDDED_POSTGRES", "EMBEDDED_REDIS", "EMBEDDED_KAFKA")) {
            settings.put("CS_" + port + "_PORT", Integer.toString(Ports.free()));
        }
        try (NodeProcess process = new NodeProcess(settings, "--embedded")) {
            process.awaitReady();
            Map<Integer, String> listening = process.listening();
            assertThat(listening.get(Integer.parseInt(settings.get("CS_HTTP_PORT"))))
                    .isEqualTo("127.0.0.3");
            assertThat(listening.get(Integer.parseInt(settings.get("CS_CLUSTER_PORT"))))
                    .isEqualTo("127.0.0.2");
            // the other ports: the embedded servers, Kafka's controller, and the event bus, which uses any free port
            assertThat(listening.values()).hasSizeGreaterThan(5).allMatch(a -> a.startsWith("127.0.0."));
        }
    }

    @Test
    void javaDeserializationIsOff() throws IOException, ClassNotFoundException {
        JavaSerialization.turnOff();
        assertThatThrownBy(() -> readAgain(new HashMap<>(Map.of("a", 1)))).isInstanceOf(InvalidClassException.class);
        assertThatThrownBy(() -> readAgain(java.time.Instant.now())).isInstanceOf(InvalidClassException.class);
        assertThatThrownBy(() -> readAgain(Duration.ofDays(1))).isInstanceOf(InvalidClassException.class);
        assertThatThrownBy(() -> readAgain(java.util.concurrent.TimeUnit.DAYS))
                .isInstanceOf(InvalidClassException.class);
        // members exchange these types when they join and when an operation fails
        assertThat(readAgain(com.hazelcast.cluster.ClusterState.FROZEN))
                .isEqualTo(com.hazelcast.cluster.ClusterState.FROZEN);
        Exception failure = new IllegalStateException("why", new com.hazelcast.core.HazelcastException("cause"));
        failure.addSuppressed(new IOException("another"));
        assertThat(readAgain(failure)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> readAgain(new ArrayList<>(List.of(java.time.Instant.now()))))
                .isInstanceOf(InvalidClassException.class);
    }

    private static Object readAgain(Object object) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return in.readObject();
        }
    }
}
