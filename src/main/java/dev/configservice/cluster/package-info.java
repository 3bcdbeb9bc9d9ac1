/** The cluster of nodes: Hazelcast, and Vert.x on top of it. */
@NullMarked
package dev.configservice.cluster;

import org.jspecify.annotations.NullMarked;
