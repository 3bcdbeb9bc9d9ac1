package dev.configservice.edge;

import dev.configservice.vertx.BatchedWrites;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;

/** The batches that core nodes write for edges. A batch may be sent to several core nodes, but is written only once. */
public enum RemoteBatches {
    KEY_USAGE,
    FLAG_USAGE,
    SECRET_READS,
    ACCESS_DENIALS;

    private static final int ID_LENGTH = 36;
    private static final Duration DEADLINE = Duration.ofSeconds(4);

    private String topic() {
        return "batches." + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Writes the batches that edges send, on a core node. */
    public void serve(CoreBus cores, BatchedWrites.Store store) {
        cores.serve(
                topic(),
                message -> store.write(
                                UUID.fromString(message.getString(0, ID_LENGTH)),
                                message.getString(ID_LENGTH, message.length()))
                        .map(Buffer.buffer()));
    }

    /** Returns the store of an edge, which sends batches to a core node. */
    public BatchedWrites.Store on(CoreBus cores) {
        return (batch, rows) ->
                cores.ask(topic(), Buffer.buffer(batch + rows), DEADLINE, true).mapEmpty();
    }
}
