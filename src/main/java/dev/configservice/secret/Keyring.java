package dev.configservice.secret;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Seals values with the primary key of a Tink AEAD keyset and opens what any of its keys sealed. A ciphertext belongs to
 * the resource whose id it was sealed with: moved to another one it does not open.
 *
 * <p>What is sealed is a random nonce and the value; {@link Parcel#commitment} is the HMAC-SHA-256 of the value under that
 * nonce. It tells nothing of the value, stays the same when the value is sealed again with a new key, and so lets the
 * log's chain of hashes cover values that may be sealed again.
 */
public final class Keyring {
    private static final int NONCE_BYTES = 32;

    private final @Nullable Aead aead;
    private final int primaryKeyId;
    private final SecureRandom random = new SecureRandom();

    private Keyring(@Nullable KeysetHandle keyset) throws GeneralSecurityException {
        this.aead = keyset == null ? null : keyset.getPrimitive(RegistryConfiguration.get(), Aead.class);
        this.primaryKeyId = keyset == null ? 0 : keyset.getPrimary().getId();
    }

    /** A sealed value and the commitment to it, as hex. */
    public record Parcel(Sealed sealed, String commitment) {}

    /**
     * The keyring of a setting: a file, the JSON text itself, or empty for none.
     *
     * @throws SettingsException it cannot be read; the text never shows
     */
    public static Keyring of(String setting) {
        try {
            AeadConfig.register();
            if (setting.isEmpty()) {
                return new Keyring(null);
            }
            String json = setting.startsWith("{") ? setting : Files.readString(Path.of(setting));
            return new Keyring(TinkJsonProtoKeysetFormat.parseKeyset(json, InsecureSecretKeyAccess.get()));
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            throw new SettingsException(
                    "secrets.keyset: (not shown) (expected: a file with a Tink AEAD keyset in JSON, or" + " its text)");
        }
    }

    /** The keyset that is kept in a file; makes one where there is none, readable only for its owner. */
    public static String keptIn(Path file) {
        try {
            if (!Files.exists(file)) {
                AeadConfig.register();
                KeysetHandle fresh = KeysetHandle.generateNew(PredefinedAeadParameters.AES256_GCM);
                String json = TinkJsonProtoKeysetFormat.serializeKeyset(fresh, InsecureSecretKeyAccess.get());
                Files.createDirectories(file.toAbsolutePath().getParent());
                KeysetFile.create(file, json);
            }
            return file.toString();
        } catch (IOException | GeneralSecurityException e) {
            throw new SettingsException(
                    "embedded.directory: " + file + " (expected: a directory in which a keyset can be stored)");
        }
    }

    /** A copy of a keyset with a new primary key; the old ones still open. */
    public static String rotated(String json) throws GeneralSecurityException {
        AeadConfig.register();
        KeysetHandle old = TinkJsonProtoKeysetFormat.parseKeyset(json, InsecureSecretKeyAccess.get());
        KeysetHandle next = KeysetHandle.newBuilder(old)
                .addEntry(KeysetHandle.generateEntryFromParameters(PredefinedAeadParameters.AES256_GCM)
                        .withRandomId()
                        .makePrimary())
                .build();
        return TinkJsonProtoKeysetFormat.serializeKeyset(next, InsecureSecretKeyAccess.get());
    }

    public boolean isPresent() {
        return aead != null;
    }

    /** The first five bytes of everything that the primary key seals, after which Tink tells keys apart. */
    public byte[] primaryPrefix() {
        return ByteBuffer.allocate(5).put((byte) 1).putInt(primaryKeyId).array();
    }

    /** Fails with {@link ErrorCode#NO_KEYSET} where there is none. */
    public Parcel seal(String id, byte[] value) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        return new Parcel(sealed(id, nonce, value), commitment(nonce, value));
    }

    private Sealed sealed(String id, byte[] nonce, byte[] value) {
        byte[] plain = ByteBuffer.allocate(nonce.length + value.length)
                .put(nonce)
                .put(value)
                .array();
        try {
            return Sealed.of(present().encrypt(plain, id.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing failed", e);
        } finally {
            Arrays.fill(plain, (byte) 0);
        }
    }

    /** The value. Fails with {@link ErrorCode#NO_KEYSET} where there is no keyset, or none that opens it. */
    public byte[] open(String id, Sealed sealed) {
        byte[] plain = plain(id, sealed);
        return Arrays.copyOfRange(plain, NONCE_BYTES, plain.length);
    }

    /** The same value under the same nonce, sealed with the primary key. */
    public Sealed sealAgain(String id, Sealed sealed) {
        byte[] plain = plain(id, sealed);
        return sealed(id, Arrays.copyOf(plain, NONCE_BYTES), Arrays.copyOfRange(plain, NONCE_BYTES, plain.length));
    }

    private byte[] plain(String id, Sealed sealed) {
        try {
            return present().decrypt(sealed.bytes(), id.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new ServiceException(ErrorCode.NO_KEYSET, "The keyset of this node has no key that opens this value");
        }
    }

    private Aead present() {
        if (aead == null) {
            throw new ServiceException(
                    ErrorCode.NO_KEYSET, "Encrypted values need a keyset (setting secrets.keyset); this node has none");
        }
        return aead;
    }

    private static String commitment(byte[] nonce, byte[] value) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(nonce, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(value));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }
}
