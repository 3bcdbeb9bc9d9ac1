package dev.configservice.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request by its method and path. A fixed segment wins over a parameter, but a fixed path that does
 * not take the method leaves the request to a path with a parameter that does. A slash at the end makes no difference,
 * HEAD is taken as GET, and percent-encoded segments are decoded. Immutable once built.
 *
 * @param <T> what is found
 */
final class RouteTable<T> {
    /** The bases, longest first: the empty one matches everything. */
    private final List<Base<T>> bases = new ArrayList<>();

    private record Base<T>(String prefix, Node<T> root) {}

    private static final class Node<T> {
        private final Map<String, Node<T>> fixed = new HashMap<>();
        private @Nullable Node<T> parameter;
        private final Map<String, Target<T>> byMethod = new HashMap<>();
    }

    private record Target<T>(T value, List<String> parameters) {}

    /** The outcome of a search. */
    sealed interface Found<T> {
        /** A route, and its path parameters by name. */
        record Match<T>(T value, Map<String, String> parameters) implements Found<T> {}

        /** The path exists, but not for this method; the methods that it takes. */
        record OtherMethods<T>(SortedSet<String> allowed) implements Found<T> {}

        /** Nothing has this path. */
        record Nothing<T>() implements Found<T> {}
    }

    /** Adds a route. Throws {@link IllegalArgumentException} where the path and method exist already. */
    void add(Route route, T value) {
        Node<T> node = root(route.base());
        List<String> parameters = new ArrayList<>();
        for (String segment : segments(route.path(), 0)) {
            if (segment.startsWith(":")) {
                parameters.add(segment.substring(1));
                if (node.parameter == null) {
                    node.parameter = new Node<>();
                }
                node = node.parameter;
            } else {
                node = node.fixed.computeIfAbsent(segment, s -> new Node<>());
            }
        }
        if (node.byMethod.putIfAbsent(route.method(), new Target<>(value, List.copyOf(parameters))) != null) {
            throw new IllegalArgumentException("two routes for " + route.name());
        }
    }

    private Node<T> root(String prefix) {
        for (Base<T> base : bases) {
            if (base.prefix.equals(prefix)) {
                return base.root;
            }
        }
        Node<T> root = new Node<>();
        bases.add(new Base<>(prefix, root));
        bases.sort(Comparator.comparingInt(b -> -b.prefix.length()));
        return root;
    }

    /** Finds a route. Throws {@link IllegalArgumentException} where the path is not well-formed. */
    Found<T> find(String method, String path) {
        String wanted = method.equals("HEAD") ? "GET" : method;
        boolean encoded = path.indexOf('%') >= 0;
        SortedSet<String> allowed = null;
        for (Base<T> base : bases) {
            if (!isBelow(path, base.prefix)) {
                continue;
            }
            List<String> segments = segments(path, base.prefix.length());
            if (encoded) {
                segments.replaceAll(RouteTable::decoded);
            }
            Found.Match<T> match = match(base.root, segments, 0, wanted, null);
            if (match != null) {
                return match;
            }
            allowed = allowed == null ? new TreeSet<>() : allowed;
            methods(base.root, segments, 0, allowed);
        }
        return allowed == null || allowed.isEmpty() ? new Found.Nothing<>() : new Found.OtherMethods<>(allowed);
    }

    private static boolean isBelow(String path, String prefix) {
        return path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/');
    }

    /** The values of the parameters on the way to a node, from the last to the first. */
    private record Values(@Nullable Values before, String value) {}

    private Found.@Nullable Match<T> match(
            Node<T> node, List<String> segments, int at, String method, @Nullable Values values) {
        if (at == segments.size()) {
            Target<T> target = node.byMethod.get(method);
            return target == null ? null : new Found.Match<>(target.value, parameters(target.parameters, values));
        }
        String segment = segments.get(at);
        Node<T> fixed = node.fixed.get(segment);
        Found.Match<T> found = fixed == null ? null : match(fixed, segments, at + 1, method, values);
        return found != null || node.parameter == null || segment.isEmpty()
                ? found
                : match(node.parameter, segments, at + 1, method, new Values(values, segment));
    }

    private static Map<String, String> parameters(List<String> names, @Nullable Values values) {
        if (values == null) {
            return Map.of();
        }
        if (names.size() == 1) {
            return Map.of(names.get(0), values.value);
        }
        Map<String, String> parameters = new HashMap<>();
        Values next = values;
        for (int i = names.size() - 1; i >= 0 && next != null; i--) {
            parameters.put(names.get(i), next.value);
            next = next.before;
        }
        return parameters;
    }

    private void methods(Node<T> node, List<String> segments, int at, SortedSet<String> methods) {
        if (at == segments.size()) {
            methods.addAll(node.byMethod.keySet());
            if (methods.contains("GET")) {
                methods.add("HEAD");
            }
            return;
        }
        Node<T> fixed = node.fixed.get(segments.get(at));
        if (fixed != null) {
            methods(fixed, segments, at + 1, methods);
        }
        if (node.parameter != null && !segments.get(at).isEmpty()) {
            methods(node.parameter, segments, at + 1, methods);
        }
    }

    /** The segments of a path from an index on; one slash at the end is none. */
    private static List<String> segments(String path, int index) {
        List<String> segments = new ArrayList<>(4);
        int from = index + 1;
        while (from < path.length()) {
            int end = path.indexOf('/', from);
            end = end < 0 ? path.length() : end;
            segments.add(path.substring(from, end));
            from = end + 1;
        }
        return segments;
    }

    private static String decoded(String segment) {
        // in a path a plus is a plus
        return segment.indexOf('%') < 0
                ? segment
                : URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
