/**
 * Everything between an edge and the core nodes: following the log, loading snapshots, forwarding requests. No feature
 * knows whether a node is an edge.
 */
@NullMarked
package dev.configservice.edge;

import org.jspecify.annotations.NullMarked;
