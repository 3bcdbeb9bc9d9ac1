package dev.configservice.node;

/** Where a node's servers are; empty where it has none. */
public record Addresses(String postgres, String redis, String kafka) {
    static final Addresses NONE = new Addresses("", "", "");
}
