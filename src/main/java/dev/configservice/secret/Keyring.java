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
 * The encryption of values with a Tink AEAD keyset. The primary key seals values; every key of the keyset can open the
 * values that it sealed. A ciphertext is bound to the id of its resource: it cannot be opened for another resource.
 *
 * <p>The plaintext consists of a random nonce and the value. {@link Parcel#commitment} is the HMAC-SHA-256 of the
 * value, with the nonce as its key. It reveals nothing about the value, and it stays the same when the value is sealed
 * again with a new key. For this reason the log's chain of hashes covers the commitment and not the ciphertext.
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
     * Creates the keyring of a setting: the path of a file, the JSON itself, or an empty string for no keyset.
     *
     * @throws SettingsException if the keyset cannot be read; the message never contains the setting
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
                    "secrets.keyset: (not shown) (expected: a file with a Tink AEAD keyset in JSON, or" + " the JSON)");
        }
    }

    /**
     * Returns the path of a keyset file as a setting. If the file does not exist, creates it with a new keyset,
     * readable only by its owner.
     */
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

    /** Returns a copy of a keyset with a new primary key. The old keys are kept and can still open values. */
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

    /** Returns the first five bytes of everything that the primary key seals. Tink uses them to find the key. */
    public byte[] primaryPrefix() {
        return ByteBuffer.allocate(5).put((byte) 1).putInt(primaryKeyId).array();
    }

    /** Seals a value for the resource with an id. Throws {@link ErrorCode#NO_KEYSET} if there is no keyset. */
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

    /** Opens a sealed value. Throws {@link ErrorCode#NO_KEYSET} if there is no keyset, or if none of its keys fits. */
    public byte[] open(String id, Sealed sealed) {
        byte[] plain = plain(id, sealed);
        return Arrays.copyOfRange(plain, NONCE_BYTES, plain.length);
    }

    /** Seals the same value with the same nonce again, now with the primary key. */
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
