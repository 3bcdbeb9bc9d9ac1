package dev.configservice.secret;

import com.google.crypto.tink.subtle.Hkdf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Message authentication codes (HMAC-SHA256, RFC 2104) over data that this cluster keeps outside its own memory. The
 * keys are derived (HKDF, RFC 5869) from a secret that all nodes share, from the name of the cluster and from the
 * purpose, so a code never counts for another cluster or another purpose.
 */
public final class ClusterMac {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int KEY_BYTES = 32;
    private static final int ID_BYTES = 4;

    private final List<Key> keys;

    private record Key(String id, SecretKeySpec spec) {}

    /**
     * Derives the keys.
     *
     * @param purpose the data that the codes are for
     * @param secrets the secret for new codes, then those whose codes still count
     */
    public ClusterMac(String clusterName, String purpose, List<String> secrets) {
        this.keys = new ArrayList<>();
        for (String secret : secrets) {
            byte[] derived = derive(secret, clusterName, purpose);
            String id = HexFormat.of().formatHex(derived, KEY_BYTES, KEY_BYTES + ID_BYTES);
            keys.add(new Key(id, new SecretKeySpec(derived, 0, KEY_BYTES, ALGORITHM)));
        }
    }

    private ClusterMac(Key key) {
        this.keys = List.of(key);
    }

    /** Returns an object for each of the keys alone. */
    public List<ClusterMac> each() {
        return keys.stream().map(ClusterMac::new).toList();
    }

    private static byte[] derive(String secret, String clusterName, String purpose) {
        try {
            return Hkdf.computeHkdf(
                    ALGORITHM,
                    secret.getBytes(StandardCharsets.UTF_8),
                    new byte[0],
                    ("config-service/" + purpose + "/" + clusterName).getBytes(StandardCharsets.UTF_8),
                    KEY_BYTES + ID_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC-SHA256", e);
        }
    }

    /** Returns the id of the key for new codes. It tells nothing about the key. */
    public String keyId() {
        return keys.get(0).id();
    }

    /** Returns the code of a message, which consists of parts. The same bytes in other parts have another code. */
    public byte[] of(byte[]... parts) {
        return code(keys.get(0), parts);
    }

    /** Tells whether a code belongs to a message, under any of the keys. */
    public boolean verifies(byte[] code, byte[]... parts) {
        for (Key key : keys) {
            if (MessageDigest.isEqual(code, code(key, parts))) {
                return true;
            }
        }
        return false;
    }

    /** Tells whether this node has the key with an id. */
    public boolean knows(String keyId) {
        return keys.stream().anyMatch(k -> k.id().equals(keyId));
    }

    private static byte[] code(Key key, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key.spec());
            ByteBuffer length = ByteBuffer.allocate(Integer.BYTES);
            for (byte[] part : parts) {
                mac.update(length.clear().putInt(part.length).array());
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC-SHA256", e);
        }
    }
}
