package dev.configservice.settings;

import java.util.List;

/**
 * The cluster: the role and the addresses of this node, the other members, the secret that they share, and TLS between
 * them.
 */
public record ClusterSettings(
        String name,
        Role role,
        String host,
        int port,
        int busPort,
        List<String> members,
        String kubernetesDns,
        String secret,
        String secretPrevious,
        String tlsCertificate,
        String tlsKey,
        String tlsCa) {
    /** The role of a node. */
    public enum Role {
        /** A node that has PostgreSQL and answers writes. */
        CORE,
        /** A node that answers reads from memory and forwards everything else to core nodes. */
        EDGE
    }

    static ClusterSettings from(Section s) {
        ClusterSettings settings = new ClusterSettings(
                s.plain("name"),
                s.oneOf("role", Role.class),
                s.plain("host"),
                s.integer("port", 0, 65535),
                s.integer("bus-port", 0, 65535),
                s.list("members"),
                s.plain("kubernetes-dns"),
                s.secret("secret"),
                s.secret("secret-previous"),
                s.text("tls-certificate"),
                s.text("tls-key"),
                s.text("tls-ca"));
        boolean whole = !settings.tlsCertificate().isEmpty()
                && !settings.tlsKey().isEmpty()
                && !settings.tlsCa().isEmpty();
        if (settings.isTls() && !whole) {
            s.problem(
                    "tls-certificate",
                    settings.tlsCertificate(),
                    "set together with cluster.tls-key and cluster.tls-ca, or none of the three");
        }
        if (settings.isEdge() && settings.members().isEmpty()) {
            s.problem("members", "", "host:port of the core nodes, because cluster.role is edge");
        }
        if (settings.secret().isEmpty() && !settings.secretPrevious().isEmpty()) {
            s.problem("secret", "", "the secret that replaces cluster.secret-previous");
        }
        return settings;
    }

    /** Omits the secrets. */
    @Override
    public String toString() {
        return "ClusterSettings[name=" + name + ", role=" + role + ", host=" + host + ", port=" + port + "]";
    }

    /** Tells whether the event bus between nodes uses mutual TLS. */
    public boolean isTls() {
        return !tlsCertificate.isEmpty() || !tlsKey.isEmpty() || !tlsCa.isEmpty();
    }

    public boolean isEdge() {
        return role == Role.EDGE;
    }

    /** Tells whether members are discovered as the pods of a headless service. */
    public boolean isKubernetes() {
        return members.equals(List.of("kubernetes"));
    }
}
