package dev.configservice.http;

import dev.configservice.access.Authenticator;
import dev.configservice.cluster.NodeState;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * The objects that the HTTP servers of all event loops of a node share.
 *
 * @param loopbackHostsOnly whether only requests are answered whose {@code Host} names this machine
 */
public record ServerContext(
        Authenticator authenticator,
        ChangeFeed feed,
        Ids ids,
        NodeState state,
        BodyBudget bodyBudget,
        boolean loopbackHostsOnly,
        MeterRegistry meters) {}
