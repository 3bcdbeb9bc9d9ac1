package dev.configservice;

import dev.configservice.node.Node;
import dev.configservice.settings.Settings;

/** The message that the service prints when it has started: all addresses, and a first request to try. */
final class Banner {
    private Banner() {}

    private static String withoutPassword(String uri) {
        return uri.replaceFirst(":[^:@/]*@", "@").replace("//@", "//");
    }

    static String text(Settings settings, Node node) {
        String host = settings.http().host().equals("0.0.0.0")
                ? "127.0.0.1"
                : settings.http().host();
        String base = (settings.http().isTls() ? "https://" : "http://") + host + ":" + node.httpPort();
        StringBuilder out = new StringBuilder();
        out.append("\nConfig Service is up.\n\n");
        out.append("  API          ").append(base).append("/api/v1\n");
        out.append("  Description  ").append(base).append("/docs\n");
        out.append("  Health       ").append(base).append("/health\n");
        if (settings.embedded().enabled() && !settings.cluster().isEdge()) {
            out.append("  PostgreSQL   ")
                    .append(withoutPassword(node.addresses().postgres()))
                    .append('\n');
            out.append("  Redis        ")
                    .append(withoutPassword(node.addresses().redis()))
                    .append('\n');
            out.append("  Kafka        ")
                    .append(node.addresses().kafka())
                    .append(", topic ")
                    .append(settings.kafka().topic())
                    .append('\n');
            out.append("  Data         ")
                    .append(settings.embedded().directory())
                    .append(" (passwords in postgres-password and redis-password)\n");
        }
        if (settings.access().adminKey().equals("admin-key")) {
            out.append("\nTry it:\n\n");
            out.append("  curl -X POST ").append(base).append("/api/v1/config/ \\\n");
            out.append("    -H 'Authorization: ApiKey admin-key' \\\n");
            out.append("    -d '{\"key\": \"greeting\", \"value\": \"hello\", \"environment\": \"development\"}'\n");
            out.append("  curl ").append(base).append("/api/v1/config/greeting\n");
        }
        return out.append('\n').toString();
    }
}
