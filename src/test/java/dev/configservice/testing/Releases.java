package dev.configservice.testing;

import dev.configservice.cluster.Release;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Samples of what each release has left: its database, its state in Redis, its messages. They are in {@code
 * src/test/resources/releases}, a directory for each release. {@code mvn test -Dtest='*SamplesTest'
 * -Drelease.samples=write} makes those of the release that is in {@code pom.xml}, once, when it is released.
 */
public final class Releases {
    /** The system property that makes samples. */
    public static final String PROPERTY = "release.samples";

    private static final Path ALL = Path.of("src", "test", "resources", "releases");

    private Releases() {}

    /** Returns the releases whose samples there are. */
    public static List<String> all() {
        try (Stream<Path> directories = Files.list(ALL)) {
            return directories.map(d -> d.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a sample of a release. */
    public static String sample(String release, String name) {
        try {
            return Files.readString(ALL.resolve(release).resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static boolean isMaking() {
        return "write".equals(System.getProperty(PROPERTY));
    }

    /** Keeps a sample of this release. */
    public static void keep(String name, String sample) {
        try {
            Path directory =
                    Files.createDirectories(ALL.resolve(Release.version().replace("-SNAPSHOT", "")));
            Files.writeString(directory.resolve(name), sample);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
