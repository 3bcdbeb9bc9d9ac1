package dev.configservice.secret;

import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A ciphertext; {@link #NONE} if there is none. */
public final class Sealed {
    public static final Sealed NONE = new Sealed(new byte[0]);

    private final byte[] bytes;

    private Sealed(byte[] bytes) {
        this.bytes = bytes;
    }

    public static Sealed of(byte[] bytes) {
        return bytes.length == 0 ? NONE : new Sealed(bytes.clone());
    }

    public static Sealed of(@Nullable Buffer buffer) {
        return buffer == null ? NONE : new Sealed(buffer.getBytes());
    }

    public static Sealed ofBase64(String text) {
        return text.isEmpty() ? NONE : new Sealed(Base64.getDecoder().decode(text));
    }

    public boolean isEmpty() {
        return bytes.length == 0;
    }

    /** Returns the number of bytes. */
    public int length() {
        return bytes.length;
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    public String base64() {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** Returns the ciphertext as it is stored in its column; null if there is none. */
    @Nullable
    public Buffer bufferOrNull() {
        return isEmpty() ? null : Buffer.buffer(bytes());
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Sealed s && Arrays.equals(bytes, s.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "Sealed[" + bytes.length + " bytes]";
    }
}
