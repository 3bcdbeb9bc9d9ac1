package dev.configservice.vertx;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/**
 * A codec that passes immutable values over the local event bus without copying them. It has no wire format, so no
 * value can leave the node by mistake. Senders must name it in the delivery options, because Vert.x finds default
 * codecs by exact class and would miss the records of a sealed interface.
 */
public record LocalMessageCodec(String name) implements MessageCodec<Object, Object> {
    @Override
    public void encodeToWire(Buffer buffer, Object value) {
        throw new IllegalStateException("a local message cannot leave the node");
    }

    @Override
    public Object decodeFromWire(int position, Buffer buffer) {
        throw new IllegalStateException("a local message cannot come from another node");
    }

    @Override
    public Object transform(Object value) {
        return value;
    }

    @Override
    public byte systemCodecID() {
        return -1;
    }
}
