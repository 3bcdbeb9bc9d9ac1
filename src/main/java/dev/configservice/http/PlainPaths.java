package dev.configservice.http;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request by comparing the parts of its path: the short way for paths that need no decoding. What it
 * does not find the router answers, as it answers everything that is unusual.
 */
final class PlainPaths {
    private final String base;
    private final Map<String, List<Entry>> byFirstPart = new HashMap<>();

    /** For routes below a path that begins and does not end with a slash. */
    PlainPaths(String base) {
        this.base = base + "/";
    }

    private record Entry(String method, List<String> parts, Consumer<RequestContext> handler) {
        boolean isFixed() {
            return parts.stream().noneMatch(p -> p.startsWith(":"));
        }
    }

    /** What a request comes to. */
    record Match(Map<String, String> parameters, Consumer<RequestContext> handler) {}

    void enter(String method, String path, Consumer<RequestContext> handler) {
        if (!path.startsWith(base)) {
            return;
        }
        List<String> parts = split(path);
        List<Entry> entries = byFirstPart.computeIfAbsent(parts.get(0), p -> new ArrayList<>());
        entries.add(new Entry(method, parts, handler));
        // as in the router: a fixed name is never a parameter, else what was entered first wins
        entries.sort(Comparator.comparing(e -> !e.isFixed()));
    }

    private List<String> split(String path) {
        List<String> parts = new ArrayList<>(4);
        int from = base.length();
        while (from < path.length()) {
            int end = path.indexOf('/', from);
            end = end < 0 ? path.length() : end;
            parts.add(path.substring(from, end));
            from = end + 1;
        }
        return parts;
    }

    /** The route; null where the router must look. */
    @Nullable
    Match find(String method, String path) {
        if (!path.startsWith(base) || path.indexOf('%') >= 0 || path.contains("//")) {
            return null;
        }
        List<String> parts = split(path);
        List<Entry> entries = parts.isEmpty() ? null : byFirstPart.get(parts.get(0));
        if (entries == null) {
            return null;
        }
        boolean isFixedPath = false;
        for (Entry entry : entries) {
            if (entry.parts.size() != parts.size() || !fits(entry.parts, parts)) {
                continue;
            }
            if (entry.method.equals(method)) {
                // a fixed path that only takes other methods is not one of a parameter
                return isFixedPath && !entry.isFixed()
                        ? null
                        : new Match(parameters(entry.parts, parts), entry.handler);
            }
            isFixedPath |= entry.isFixed();
        }
        return null;
    }

    private static boolean fits(List<String> pattern, List<String> parts) {
        for (int i = 0; i < pattern.size(); i++) {
            String p = pattern.get(i);
            if (!p.equals(parts.get(i)) && p.charAt(0) != ':') {
                return false;
            }
        }
        return true;
    }

    private static Map<String, String> parameters(List<String> pattern, List<String> parts) {
        Map<String, String> parameters = Map.of();
        for (int i = 0; i < pattern.size(); i++) {
            String p = pattern.get(i);
            if (p.charAt(0) == ':') {
                if (parameters.isEmpty()) {
                    parameters = Map.of(p.substring(1), parts.get(i));
                } else {
                    parameters = new HashMap<>(parameters);
                    parameters.put(p.substring(1), parts.get(i));
                }
            }
        }
        return parameters;
    }
}
