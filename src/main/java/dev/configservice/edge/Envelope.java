package dev.configservice.edge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;

/** A message between nodes: a head in JSON that describes the body, and the bytes of the body. */
public record Envelope(ObjectNode head, Buffer body) {
    private static final int LENGTH = 4;

    public Buffer toBuffer() {
        byte[] bytes = Json.bytes(head);
        return Buffer.buffer(LENGTH + bytes.length + body.length())
                .appendInt(bytes.length)
                .appendBytes(bytes)
                .appendBuffer(body);
    }

    /** Reads a message that {@link #toBuffer} wrote. */
    public static Envelope of(Buffer buffer) {
        int end = LENGTH + buffer.getInt(0);
        return new Envelope((ObjectNode) Json.read(buffer.getBytes(LENGTH, end)), buffer.slice(end, buffer.length()));
    }
}
