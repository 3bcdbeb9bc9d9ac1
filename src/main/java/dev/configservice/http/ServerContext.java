package dev.configservice.http;

import dev.configservice.access.Actor;
import dev.configservice.access.Authenticator;
import dev.configservice.cluster.NodeState;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.vertx.Pulses;
import dev.configservice.vertx.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;

/**
 * The objects that the HTTP servers of all event loops of a node share.
 *
 * @param largeBodies the turns of requests with large bodies, by the bytes of these
 * @param loopbackHostsOnly whether only requests are answered whose {@code Host} names this machine
 */
public record ServerContext(
        Authenticator authenticator,
        ChangeFeed feed,
        Ids ids,
        NodeState state,
        ByteBudget bodies,
        ByteBudget answers,
        Turns largeBodies,
        AddressLimit connections,
        AddressLimit streams,
        Pulses pulses,
        boolean loopbackHostsOnly,
        Denials denials,
        MeterRegistry meters) {
    /** The record of requests that are refused for want of a credential or a right. */
    @FunctionalInterface
    public interface Denials {
        /**
         * Records a refused request.
         *
         * @param actor the caller; null if it has no valid credential
         * @param detail the missing right, or a code
         */
        void note(@Nullable Actor actor, String address, int status, String detail);
    }
}
