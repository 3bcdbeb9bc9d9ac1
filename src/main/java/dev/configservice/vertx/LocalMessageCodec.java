package dev.configservice.vertx;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/**
 * Hands immutable values over the local bus as they are. There is no wire form, so nothing leaves the node by mistake. It
 * is named in the delivery options: a codec that is found by class would miss the records of a sealed interface.
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
