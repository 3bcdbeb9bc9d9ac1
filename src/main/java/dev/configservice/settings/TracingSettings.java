package dev.configservice.settings;

import java.net.URI;

/**
 * The collector that spans are sent to.
 *
 * @param endpoint its URL for OTLP over HTTP, without the path; empty if nothing is traced
 * @param share the share of requests without a traceparent of their own that are traced, from 0 to 1
 */
public record TracingSettings(String endpoint, double share) {
    static TracingSettings from(Section s) {
        TracingSettings settings = new TracingSettings(s.text("endpoint"), s.decimal("share", 0, 1));
        if (!settings.endpoint().isEmpty() && !isUrl(settings.endpoint())) {
            s.problem("endpoint", settings.endpoint(), "an http or https URL such as http://collector:4318");
        }
        return settings;
    }

    private static boolean isUrl(String text) {
        try {
            URI uri = new URI(text);
            return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) && uri.getHost() != null;
        } catch (java.net.URISyntaxException e) {
            return false;
        }
    }

    public boolean isOn() {
        return !endpoint.isEmpty();
    }
}
