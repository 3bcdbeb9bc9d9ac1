package dev.configservice.secret;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeyStatus;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The encryption of values with a Tink AEAD keyset. Every key of the keyset can open the values that it sealed. New values
 * are sealed with the newest key that all nodes know, see {@link #sealWith}; the newest is the primary one. A keyset in
 * a file is read again when the file changes. A ciphertext is bound to the id of its resource: it cannot be opened for another resource.
 *
 * <p>The plaintext consists of a random nonce and the value. {@link Parcel#commitment} is the HMAC-SHA-256 of the
 * value, with the nonce as its key. It reveals nothing about the value, and it stays the same when the value is sealed
 * again with a new key. For this reason the log's chain of hashes covers the commitment and not the ciphertext.
 */
public final class Keyring {
    private static final int NONCE_BYTES = 32;
    private static final long MISSING_NANOS = Duration.ofMinutes(5).toNanos();

    private static final Logger log = LoggerFactory.getLogger(Keyring.class);

    private final SecureRandom random = new SecureRandom();

    /** The file that the keyset comes from; null if it does not come from a file. */
    private final @Nullable Path file;

    private final LongAdder unreadable = new LongAdder();
    private volatile @Nullable Keys keys;
    private volatile int sealingKey;
    private volatile long unreadableNanos;
    private String lastRead = "";
    private boolean failing;

    private Keyring(@Nullable Path file, @Nullable Keys keys) {
        this.file = file;
        this.keys = keys;
    }

    /**
     * The keys of one keyset.
     *
     * @param newestFirst their ids: the primary one, then the others from the last to the first in the keyset
     * @param opener opens what any of them sealed
     * @param sealers seal with one of them each
     */
    private record Keys(List<Integer> newestFirst, Aead opener, Map<Integer, Aead> sealers) {
        static Keys of(String json) throws GeneralSecurityException {
            KeysetHandle keyset = TinkJsonProtoKeysetFormat.parseKeyset(
                    json, RegistryConfiguration.get(), InsecureSecretKeyAccess.get());
            Map<Integer, Aead> sealers = new HashMap<>();
            List<Integer> ids = new ArrayList<>();
            for (int i = keyset.size() - 1; i >= 0; i--) {
                if (keyset.getAt(i).getStatus() != KeyStatus.ENABLED) {
                    continue;
                }
                int id = keyset.getAt(i).getId();
                ids.add(keyset.getAt(i).isPrimary() ? 0 : ids.size(), id);
                KeysetHandle.Builder alone = KeysetHandle.newBuilder(keyset);
                alone.getAt(i).makePrimary();
                sealers.put(id, alone.build().getPrimitive(RegistryConfiguration.get(), Aead.class));
            }
            return new Keys(
                    List.copyOf(ids),
                    keyset.getPrimitive(RegistryConfiguration.get(), Aead.class),
                    Map.copyOf(sealers));
        }
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
                return new Keyring(null, null);
            }
            if (setting.startsWith("{")) {
                return new Keyring(null, Keys.of(setting));
            }
            Path file = Path.of(setting);
            String json = Files.readString(file);
            Keyring keyring = new Keyring(file, Keys.of(json));
            keyring.lastRead = json;
            return keyring;
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
                KeysetHandle fresh =
                        KeysetHandle.generateNew(PredefinedAeadParameters.AES256_GCM, RegistryConfiguration.get());
                String json = TinkJsonProtoKeysetFormat.serializeKeyset(
                        fresh, RegistryConfiguration.get(), InsecureSecretKeyAccess.get());
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
        KeysetHandle old =
                TinkJsonProtoKeysetFormat.parseKeyset(json, RegistryConfiguration.get(), InsecureSecretKeyAccess.get());
        KeysetHandle next = KeysetHandle.newBuilder(old)
                .addEntry(KeysetHandle.generateEntryFromParameters(PredefinedAeadParameters.AES256_GCM)
                        .withRandomId()
                        .makePrimary())
                .build();
        return TinkJsonProtoKeysetFormat.serializeKeyset(
                next, RegistryConfiguration.get(), InsecureSecretKeyAccess.get());
    }

    public boolean isPresent() {
        return keys != null;
    }

    /** Returns the ids of the keys, the newest first; empty without a keyset. */
    public List<Integer> newestFirst() {
        Keys k = keys;
        return k == null ? List.of() : k.newestFirst();
    }

    /** Seals new values with a key from now on. Without this call, the newest key seals them. */
    public void sealWith(int keyId) {
        if (sealingKey != keyId) {
            sealingKey = keyId;
            log.info("secrets.sealing-key id={}", keyId);
        }
    }

    /** Returns the first five bytes of everything that the newest key seals. Tink uses them to find the key. */
    public byte[] newestPrefix() {
        return ByteBuffer.allocate(5)
                .put((byte) 1)
                .putInt(newestFirst().isEmpty() ? 0 : newestFirst().get(0))
                .array();
    }

    /**
     * Reads the file of the keyset again if it has changed. If it cannot be read, the last keys stay in use. Blocks.
     * Must not be called by two threads at once.
     */
    public void refresh() {
        Path from = file;
        if (from == null) {
            return;
        }
        try {
            String json = Files.readString(from);
            if (!json.equals(lastRead)) {
                Keys fresh = Keys.of(json);
                keys = fresh;
                lastRead = json;
                log.info("secrets.keyset-read keys={}", fresh.newestFirst());
            }
            failing = false;
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            if (!failing) {
                // the cause may quote the file
                log.warn(
                        "secrets.keyset-not-read file={} cause={}; the last keys stay in use",
                        from,
                        e.getClass().getSimpleName());
            }
            failing = true;
        }
    }

    /** Returns the number of times that a value could not be opened because its key is missing. */
    public long unreadable() {
        return unreadable.sum();
    }

    /** Tells whether a value could not be opened within the last minutes. */
    public boolean isMissingKeys() {
        return unreadable.sum() > 0 && System.nanoTime() - unreadableNanos < MISSING_NANOS;
    }

    /** Seals a value for the resource with an id. Throws {@link ErrorCode#NO_KEYSET} if there is no keyset. */
    public Parcel seal(String id, byte[] value) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        Keys k = present();
        Aead agreed = k.sealers().get(sealingKey);
        return new Parcel(sealed(agreed == null ? newest(k) : agreed, id, nonce, value), commitment(nonce, value));
    }

    private static Aead newest(Keys k) {
        return Objects.requireNonNull(k.sealers().get(k.newestFirst().get(0)), "the primary key");
    }

    private static Sealed sealed(Aead sealer, String id, byte[] nonce, byte[] value) {
        byte[] plain = ByteBuffer.allocate(nonce.length + value.length)
                .put(nonce)
                .put(value)
                .array();
        try {
            return Sealed.of(sealer.encrypt(plain, id.getBytes(StandardCharsets.UTF_8)));
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

    /** Returns the commitment to a sealed value; null if it cannot be opened here. */
    public @Nullable String commitmentTo(String id, Sealed sealed) {
        Keys k = keys;
        if (k == null) {
            return null;
        }
        try {
            byte[] plain = k.opener().decrypt(sealed.bytes(), id.getBytes(StandardCharsets.UTF_8));
            return commitment(Arrays.copyOf(plain, NONCE_BYTES), Arrays.copyOfRange(plain, NONCE_BYTES, plain.length));
        } catch (GeneralSecurityException e) {
            return null;
        }
    }

    /** Seals the same value with the same nonce again, now with the newest key. */
    public Sealed sealAgain(String id, Sealed sealed) {
        byte[] plain = plain(id, sealed);
        return sealed(
                newest(present()),
                id,
                Arrays.copyOf(plain, NONCE_BYTES),
                Arrays.copyOfRange(plain, NONCE_BYTES, plain.length));
    }

    private byte[] plain(String id, Sealed sealed) {
        try {
            return present().opener().decrypt(sealed.bytes(), id.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            unreadableNanos = System.nanoTime();
            unreadable.increment();
            throw new ServiceException(ErrorCode.NO_KEYSET, "The keyset of this node has no key that opens this value");
        }
    }

    /** Throws {@link ErrorCode#NO_KEYSET} if there is no keyset. */
    public void requirePresent() {
        present();
    }

    private Keys present() {
        Keys k = keys;
        if (k == null) {
            throw new ServiceException(
                    ErrorCode.NO_KEYSET, "Encrypted values need a keyset (setting secrets.keyset); this node has none");
        }
        return k;
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
