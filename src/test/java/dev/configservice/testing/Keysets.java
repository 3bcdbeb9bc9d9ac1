package dev.configservice.testing;

import dev.configservice.secret.Keyring;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;

/** Keysets that are made for a run of the tests. */
public final class Keysets {
    /** A file with a fresh keyset. */
    public static final String FIRST =
            Keyring.keptIn(TestServers.directory("keyset").resolve("keyset.json"));

    private Keysets() {}

    /** The text of the first keyset after a rotation. */
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
