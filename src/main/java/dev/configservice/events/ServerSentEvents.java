package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;

/** The text of server-sent events (WHATWG HTML, section 9.2). The data is one line: JSON has no bare line ends. */
public final class ServerSentEvents {
    private ServerSentEvents() {}

    public static Buffer frame(long id, String event, ObjectNode data) {
        return Buffer.buffer("id: " + id + "\nevent: " + event + "\ndata: ")
                .appendBytes(Json.bytes(data))
                .appendString("\n\n");
    }

    /** Asks the client to come back after this many milliseconds. */
    public static Buffer retry(long millis) {
        return Buffer.buffer("retry: " + millis + "\n\n");
    }
}
