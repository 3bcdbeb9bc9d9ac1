package dev.configservice.snapshot;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sealed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The resources of a unit as bytes, for the grid, Redis and edges: a JSON array with an array for each resource. If it is
 * long, it is deflated (RFC 1950), which saves much because the rows of a unit are similar. Secrets are ciphertext.
 * Neither direction holds the whole unit a second time in another form.
 */
final class Packing {
    private static final int DEFLATED_FROM_CHARS = 1024;
    private static final byte ARRAY = '[';

    private Packing() {}

    static byte[] pack(List<Resource> resources) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(1024);
        if (!isLong(resources)) {
            write(resources, packed);
            return packed.toByteArray();
        }
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            write(resources, new DeflaterOutputStream(packed, deflater, 8192));
        } finally {
            deflater.end();
        }
        return packed.toByteArray();
    }

    private static boolean isLong(List<Resource> resources) {
        int chars = 0;
        for (Resource r : resources) {
            chars += r.row().length();
            if (chars >= DEFLATED_FROM_CHARS) {
                return true;
            }
        }
        return false;
    }

    private static void write(List<Resource> resources, OutputStream out) {
        try (JsonGenerator json = Json.generator(out)) {
            json.writeStartArray();
            for (Resource r : resources) {
                json.writeStartArray();
                json.writeString(r.id());
                json.writeString(r.name());
                json.writeNumber(r.version());
                json.writeNumber(r.revision());
                json.writeNumber(r.fence());
                json.writeString(r.row().text());
                json.writeString(r.sealed().base64());
                json.writeEndArray();
            }
            json.writeEndArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads the bytes of {@link #pack}. Fails with an {@link UncheckedIOException} if they are not complete. */
    static List<Resource> unpack(UnitId unit, byte[] packed) {
        return Objects.requireNonNull(unpack(unit, packed, Long.MAX_VALUE));
    }

    /** Does the same, and gives up with null if there is more JSON than {@code maxBytes}. */
    static @Nullable List<Resource> unpack(UnitId unit, byte[] packed, long maxBytes) {
        InputStream bytes = new ByteArrayInputStream(packed);
        boolean plain = packed.length > 0 && packed[0] == ARRAY;
        List<Resource> resources = new ArrayList<>();
        try (InputStream in = new Counted(plain ? bytes : new InflaterInputStream(bytes), maxBytes);
                JsonParser json = Json.parser(in)) {
            expect(json, JsonToken.START_ARRAY);
            while (json.nextToken() == JsonToken.START_ARRAY) {
                resources.add(new Resource(
                        unit.kind(),
                        json.nextTextValue(),
                        unit.environment(),
                        unit.serviceName(),
                        json.nextTextValue(),
                        json.nextLongValue(-1),
                        json.nextLongValue(-1),
                        json.nextLongValue(-1),
                        ResourceRow.of(json.nextTextValue()),
                        Sealed.ofBase64(json.nextTextValue())));
                expect(json, JsonToken.END_ARRAY);
            }
        } catch (TooMuch e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return resources;
    }

    /** There is more to read than was to be read. */
    private static final class TooMuch extends IOException {
        private static final long serialVersionUID = 1;

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    /** A stream that fails with {@link TooMuch} after a number of bytes. */
    private static final class Counted extends FilterInputStream {
        private long left;

        Counted(InputStream in, long max) {
            super(in);
            this.left = max;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int at, int length) throws IOException {
            int read = super.read(into, at, length);
            left -= Math.max(0, read);
            if (left < 0) {
                throw new TooMuch();
            }
            return read;
        }
    }

    private static void expect(JsonParser json, JsonToken token) throws IOException {
        if (json.nextToken() != token) {
            throw new IOException("the snapshot is damaged");
        }
    }
}
