package dev.configservice.edge;

import dev.configservice.vertx.BatchedWrites;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;

/** The batches that edges let a core node write. A batch may be sent to several, as it is written once. */
public enum RemoteBatches {
    KEY_USAGE,
    FLAG_USAGE,
    SECRET_READS;

    private static final int ID_LENGTH = 36;
    private static final Duration DEADLINE = Duration.ofSeconds(4);

    private String topic() {
        return "batches." + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Writes, on a core node, the batches of edges. */
    public void serve(CoreBus cores, BatchedWrites.Store store) {
        cores.serve(
                topic(),
                message -> store.write(
                                UUID.fromString(message.getString(0, ID_LENGTH)),
                                message.getString(ID_LENGTH, message.length()))
                        .map(Buffer.buffer()));
    }

    /** Sends, from an edge, batches to a core node. */
    public BatchedWrites.Store on(CoreBus cores) {
        return (batch, rows) ->
                cores.ask(topic(), Buffer.buffer(batch + rows), DEADLINE, true).mapEmpty();
    }
}
