package dev.configservice.embedded;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * The password of an embedded server, kept in a file that only its owner can read.
 *
 * @param inUse the password that the server has
 * @param wanted the password that it is to have: that of the setting, or the one in use
 */
record Password(Path file, String inUse, String wanted) {
    private static final int RANDOM_BYTES = 24;

    /**
     * Reads the password of a server. If there is none yet, creates it: that of the setting, or a random one.
     *
     * @param setting the password of the settings; empty for the kept or a random one
     */
    static Password in(Path file, String setting) throws IOException {
        if (Files.exists(file)) {
            String kept = Files.readString(file).strip();
            return new Password(file, kept, setting.isEmpty() ? kept : setting);
        }
        String fresh = setting.isEmpty() ? random() : setting;
        Password password = new Password(file, fresh, fresh);
        password.keep();
        return password;
    }

    private static String random() {
        byte[] bytes = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Keeps the wanted password, which the server now has. */
    void keep() throws IOException {
        var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        Path fresh = Files.createTempFile(file.toAbsolutePath().getParent(), "password", ".new", owner);
        Files.writeString(fresh, wanted, StandardOpenOption.WRITE);
        Files.move(
                fresh,
                file,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    boolean isChanged() {
        return !inUse.equals(wanted);
    }

    /** Returns the wanted password as a part of a URI. */
    String encoded() {
        return URLEncoder.encode(wanted, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Omits the password. */
    @Override
    public String toString() {
        return "Password[" + file + "]";
    }
}
