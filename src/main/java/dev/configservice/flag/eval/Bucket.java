package dev.configservice.flag.eval;

import java.nio.charset.StandardCharsets;

/**
 * The bucket of a user: MurmurHash3 x86 32 (seed 0) of the UTF-8 bytes of {@code <salt>:<user id>}, as an unsigned
 * number, modulo 10,000.
 */
public final class Bucket {
    /** The number of buckets. Each bucket is a hundredth of a percent. */
    public static final int COUNT = 10_000;

    private static final int C1 = 0xcc9e2d51;
    private static final int C2 = 0x1b873593;

    private Bucket() {}

    /** Returns the bucket of a user, from 0 to 9,999. */
    public static int of(String salt, String userId) {
        return of(prefix(salt), userId);
    }

    /** Returns the bytes that precede the user's id in the input of the hash. */
    static byte[] prefix(String salt) {
        return (salt + ":").getBytes(StandardCharsets.UTF_8);
    }

    static int of(byte[] prefix, String userId) {
        byte[] user = userId.getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[prefix.length + user.length];
        System.arraycopy(prefix, 0, all, 0, prefix.length);
        System.arraycopy(user, 0, all, prefix.length, user.length);
        return Integer.remainderUnsigned(murmur3(all), COUNT);
    }

    /** Computes MurmurHash3 x86 32 with seed 0. */
    static int murmur3(byte[] data) {
        int h = 0;
        int blocks = data.length & ~3;
        for (int i = 0; i < blocks; i += 4) {
            int k = (data[i] & 0xff)
                    | ((data[i + 1] & 0xff) << 8)
                    | ((data[i + 2] & 0xff) << 16)
                    | ((data[i + 3] & 0xff) << 24);
            h ^= mixed(k);
            h = Integer.rotateLeft(h, 13) * 5 + 0xe6546b64;
        }
        int k = 0;
        for (int i = data.length - 1; i >= blocks; i--) {
            k = (k << 8) | (data[i] & 0xff);
        }
        h ^= mixed(k);
        h ^= data.length;
        h = (h ^ (h >>> 16)) * 0x85ebca6b;
        h = (h ^ (h >>> 13)) * 0xc2b2ae35;
        return h ^ (h >>> 16);
    }

    private static int mixed(int k) {
        return Integer.rotateLeft(k * C1, 15) * C2;
    }
}
