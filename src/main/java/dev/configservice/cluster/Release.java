package dev.configservice.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.Properties;

/**
 * The release of this process, and the formats that it shares with other nodes: what is in the grid, in Redis, and in
 * messages on the bus. Nodes of two releases form one cluster, as a rolling upgrade needs, if each reads the formats that
 * the other writes.
 */
public final class Release {
    /** The version of the formats that this release writes. It changes with any format, in this file only. */
    public static final int FORMATS = 1;

    /** The oldest version of the formats that this release still reads and, beside such a node, writes. */
    public static final int OLDEST_FORMATS = 1;

    private Release() {}

    /** Returns the version of this release, e.g. {@code 0.1.0}. */
    public static String version() {
        return Version.TEXT;
    }

    /** Tells whether a node of this release and one that writes and still reads other formats understand each other. */
    static boolean fits(int formats, int oldestFormats) {
        return formats >= OLDEST_FORMATS && oldestFormats <= FORMATS;
    }

    /** The version, read when it is first asked for. */
    private static final class Version {
        private static final String TEXT = read();

        private static String read() {
            try (InputStream in = Objects.requireNonNull(
                    Release.class.getResourceAsStream("/release.properties"), "release.properties")) {
                Properties properties = new Properties();
                properties.load(in);
                return properties.getProperty("version");
            } catch (IOException e) {
                throw new IllegalStateException("the packaged version cannot be read", e);
            }
        }
    }
}
