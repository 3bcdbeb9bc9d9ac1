package dev.configservice.http;

import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The compression of answers (gzip, RFC 1952). Small answers gain nothing by it, and large ones would keep an event loop
 * busy for too long.
 */
public final class Gzip {
    private static final int FROM_BYTES = 1024;
    private static final int TO_BYTES = 64 * 1024;

    private Gzip() {}

    /** Tells whether an answer of this length is compressed for clients that accept it. */
    static boolean isFor(int length) {
        return length >= FROM_BYTES && length <= TO_BYTES;
    }

    /** Tells whether the header {@code Accept-Encoding} (RFC 9110 section 12.5.3) allows gzip. */
    public static boolean isAccepted(@Nullable String acceptEncoding) {
        if (acceptEncoding == null) {
            return false;
        }
        boolean any = false;
        for (String part : acceptEncoding.toLowerCase(Locale.ROOT).split(",", -1)) {
            int semicolon = part.indexOf(';');
            String coding = (semicolon < 0 ? part : part.substring(0, semicolon)).strip();
            boolean allowed = semicolon < 0 || !isZero(part.substring(semicolon + 1));
            if (coding.equals("gzip") || coding.equals("x-gzip")) {
                return allowed;
            }
            any |= coding.equals("*") && allowed;
        }
        return any;
    }

    private static boolean isZero(String weight) {
        return weight.replace(" ", "").matches("q=0(\\.0*)?");
    }

    /** Returns the compressed bytes. */
    public static Buffer compress(Buffer body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(body.length() / 2);
        try (GZIPOutputStream gzip = new FastGzip(bytes)) {
            gzip.write(body.getBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Buffer.buffer(bytes.toByteArray());
    }

    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(ByteArrayOutputStream out) throws IOException {
            super(out, 8192);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
