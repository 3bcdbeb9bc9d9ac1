package dev.configservice.secret;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * The writing of keyset files. A keyset is written to a temporary file in the same directory, forced to disk, then
 * moved to its place, so that neither a crash nor a full disk leaves half a file. Only the owner can read the files.
 */
public final class KeysetFile {
    private static final Set<StandardOpenOption> NEW = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    private KeysetFile() {}

    /** Writes a keyset to a new file. Fails with {@link FileAlreadyExistsException} if it already exists. */
    static void create(Path file, String json) throws IOException {
        Path fresh = writeBeside(file, ".new", json);
        try {
            // a link fails if the name is taken, a rename would replace the file
            Files.createLink(file, fresh);
        } finally {
            Files.delete(fresh);
        }
        forceDirectory(file);
    }

    /**
     * Replaces the keyset in a file, and keeps the previous one in the same directory.
     *
     * @return the file with the previous keyset
     */
    public static Path replace(Path file, String json) throws IOException {
        Path previous = sibling(file, ".previous");
        Path fresh = writeBeside(file, ".new", json);
        try {
            Path copy = writeBeside(file, ".copy", Files.readString(file));
            Files.move(copy, previous, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(fresh);
        }
        forceDirectory(file);
        return previous;
    }

    private static Path sibling(Path file, String suffix) {
        Path absolute = file.toAbsolutePath();
        return absolute.resolveSibling(absolute.getFileName() + suffix);
    }

    private static Path writeBeside(Path file, String suffix, String json) throws IOException {
        Path target = sibling(file, suffix);
        // it may be left from a process that was killed while it wrote
        Files.deleteIfExists(target);
        var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try (FileChannel channel = FileChannel.open(target, NEW, owner)) {
            ByteBuffer bytes = ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        } catch (IOException e) {
            Files.deleteIfExists(target);
            throw e;
        }
        return target;
    }

    /** Makes a rename durable. */
    private static void forceDirectory(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
