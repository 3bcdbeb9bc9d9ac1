/** This node and the others: Hazelcast, Vert.x on top of it. */
@NullMarked
package dev.configservice.cluster;

import org.jspecify.annotations.NullMarked;
