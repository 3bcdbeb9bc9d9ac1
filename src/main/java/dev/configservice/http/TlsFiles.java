package dev.configservice.http;

import dev.configservice.settings.HttpSettings;
import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PEM files with the certificate and the key for HTTPS. They are read again every few seconds. A new pair applies
 * to new connections. A pair that cannot be read, or whose key does not match the certificate, is not used.
 */
final class TlsFiles {
    private static final Logger log = LoggerFactory.getLogger(TlsFiles.class);
    private static final Duration EVERY = Duration.ofSeconds(5);

    private final Path certificate;
    private final Path key;
    private Pair current;

    private record Pair(Buffer certificate, Buffer key) {
        PemKeyCertOptions options() {
            return new PemKeyCertOptions().addCertValue(certificate).addKeyValue(key);
        }
    }

    /**
     * Reads the files that the settings name.
     *
     * @throws SettingsException if they cannot be read
     */
    TlsFiles(HttpSettings settings) {
        this.certificate = Path.of(settings.tlsCertificate());
        this.key = Path.of(settings.tlsKey());
        try {
            this.current = read();
        } catch (IOException e) {
            throw new SettingsException(
                    "http.tls-certificate, http.tls-key: " + certificate + ", " + key + " (expected: readable files)");
        }
    }

    private Pair read() throws IOException {
        return new Pair(Buffer.buffer(Files.readAllBytes(certificate)), Buffer.buffer(Files.readAllBytes(key)));
    }

    PemKeyCertOptions options() {
        return current.options();
    }

    /** Returns the failure of a server that cannot start with these files, reported as an error in their settings. */
    static SettingsException refused(Throwable cause) {
        return new SettingsException("http.tls-certificate, http.tls-key: (not shown) (expected: a certificate and its"
                + " key in PEM; " + cause.getMessage() + ")");
    }

    /** Starts to check the files for changes. */
    void follow(Vertx vertx, HttpServer server) {
        vertx.setPeriodic(
                EVERY.toMillis(),
                t -> vertx.executeBlocking(this::read, false)
                        .compose(read -> read.equals(current)
                                ? Future.succeededFuture()
                                : server.updateSSLOptions(new ServerSSLOptions().setKeyCertOptions(read.options()))
                                        .onSuccess(v -> {
                                            current = read;
                                            log.info("http.tls-renewed certificate={}", certificate);
                                        }))
                        .onFailure(e ->
                                log.warn("http.tls-not-renewed certificate={} cause={}", certificate, e.toString())));
    }
}
