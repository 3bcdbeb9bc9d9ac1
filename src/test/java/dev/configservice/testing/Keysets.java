package dev.configservice.testing;

import dev.configservice.secret.Keyring;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;

/** Keysets that are created for a test run. */
public final class Keysets {
    /** The path of a file with a new keyset. */
    public static final String FIRST =
            Keyring.keptIn(TestServers.directory("keyset").resolve("keyset.json"));

    private Keysets() {}

    /** Returns the content of the first keyset after a rotation. */
    public static String rotated() {
        try {
            return Keyring.rotated(Files.readString(Path.of(FIRST)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
