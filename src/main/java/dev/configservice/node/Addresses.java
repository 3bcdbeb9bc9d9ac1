package dev.configservice.node;

/** The addresses of the servers that a node uses; empty for one that it does not use. */
public record Addresses(String postgres, String redis, String kafka) {
    static final Addresses NONE = new Addresses("", "", "");
}
