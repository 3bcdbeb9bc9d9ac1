package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;

/**
 * The encoding of server-sent events (WHATWG HTML, section 9.2). The data is always one line, because the JSON contains
 * no line breaks.
 */
public final class ServerSentEvents {
    private ServerSentEvents() {}

    public static Buffer frame(long id, String event, ObjectNode data) {
        return Buffer.buffer("id: " + id + "\nevent: " + event + "\ndata: ")
                .appendBytes(Json.bytes(data))
                .appendString("\n\n");
    }

    /** Returns the field that asks the client to wait this long before it reconnects. */
    public static Buffer retry(long millis) {
        return Buffer.buffer("retry: " + millis + "\n\n");
    }
}
