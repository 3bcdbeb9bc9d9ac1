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
 * A table that finds the route of a request by its method and path. A fixed segment takes precedence over a parameter.
 * If the fixed path does not have the method, a path with a parameter that has it is used instead. A trailing slash
 * makes no difference, HEAD is treated as GET, and percent-encoded segments are decoded. The last segment of a route may be
 * {@code *name}: the parameter is then all that follows, with its slashes. Immutable once built.
 *
 * @param <T> the type of the values that are stored for the routes
 */
final class RouteTable<T> {
    /** The bases, longest first, because the empty base matches every path. */
    private final List<Base<T>> bases = new ArrayList<>();

    private record Base<T>(String prefix, Node<T> root) {}

    private static final class Node<T> {
        private final Map<String, Node<T>> fixed = new HashMap<>();
        private @Nullable Node<T> parameter;
        /** The routes whose last parameter is all that follows. */
        private final Map<String, Target<T>> rest = new HashMap<>();

        private final Map<String, Target<T>> byMethod = new HashMap<>();
    }

    private record Target<T>(T value, List<String> parameters) {}

    /** The result of a search. */
    sealed interface Found<T> {
        /** The value of the matching route, and the path parameters by name. */
        record Match<T>(T value, Map<String, String> parameters) implements Found<T> {}

        /** A path that exists, but not for this method, and the methods that it allows. */
        record OtherMethods<T>(SortedSet<String> allowed) implements Found<T> {}

        /** A path that does not exist. */
        record Nothing<T>() implements Found<T> {}
    }

    /** Adds a route. Throws {@link IllegalArgumentException} if a route with this path and method already exists. */
    void add(Route route, T value) {
        Node<T> node = root(route.base());
        List<String> parameters = new ArrayList<>();
        Map<String, Target<T>> targets = null;
        for (String segment : segments(route.path(), 0)) {
            if (segment.startsWith("*")) {
                parameters.add(segment.substring(1));
                targets = node.rest;
            } else if (segment.startsWith(":")) {
                parameters.add(segment.substring(1));
                if (node.parameter == null) {
                    node.parameter = new Node<>();
                }
                node = node.parameter;
            } else {
                node = node.fixed.computeIfAbsent(segment, s -> new Node<>());
            }
        }
        targets = targets == null ? node.byMethod : targets;
        if (targets.putIfAbsent(route.method(), new Target<>(value, List.copyOf(parameters))) != null) {
            throw new IllegalArgumentException("duplicate route: " + route.name());
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

    /** Finds a route. Throws {@link IllegalArgumentException} if the path is not well-formed. */
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
            boolean ended = path.endsWith("/");
            Found.Match<T> match = match(base.root, segments, 0, wanted, null, ended);
            if (match != null) {
                return match;
            }
            allowed = allowed == null ? new TreeSet<>() : allowed;
            methods(base.root, segments, 0, allowed);
        }
        return allowed == null || allowed.isEmpty() ? new Found.Nothing<>() : new Found.OtherMethods<>(allowed);
    }

    /** Tells whether a path is a base, or continues it with a slash. */
    private static boolean isBelow(String path, String prefix) {
        return path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/');
    }

    /** Tells whether a path continues a root, in which parameters stand as {@code :name}. */
    static boolean isBelowRoot(String path, String root) {
        List<String> wanted = segments(root, 0);
        List<String> given = segments(path, 0);
        for (int i = 0; i < wanted.size(); i++) {
            if (i == given.size()
                    || !(wanted.get(i).startsWith(":") || wanted.get(i).equals(given.get(i)))) {
                return false;
            }
        }
        return true;
    }

    /** The parameter values on the path to a node, as a list that begins with the last one. */
    private record Values(@Nullable Values before, String value) {}

    /**
     * Finds a route below a node.
     *
     * @param ended whether the path ends with a slash
     */
    private Found.@Nullable Match<T> match(
            Node<T> node, List<String> segments, int at, String method, @Nullable Values values, boolean ended) {
        if (at == segments.size()) {
            Target<T> target = node.byMethod.get(method);
            return target == null
                    ? rest(node, segments, at, method, values, ended)
                    : new Found.Match<>(target.value, parameters(target.parameters, values));
        }
        String segment = segments.get(at);
        Node<T> fixed = node.fixed.get(segment);
        Found.Match<T> found = fixed == null ? null : match(fixed, segments, at + 1, method, values, ended);
        if (found == null && node.parameter != null && !segment.isEmpty()) {
            found = match(node.parameter, segments, at + 1, method, new Values(values, segment), ended);
        }
        return found != null ? found : rest(node, segments, at, method, values, ended);
    }

    private Found.@Nullable Match<T> rest(
            Node<T> node, List<String> segments, int at, String method, @Nullable Values values, boolean ended) {
        Target<T> target = node.rest.get(method);
        if (target == null) {
            return null;
        }
        String rest = String.join("/", segments.subList(at, segments.size()));
        String whole = ended && at < segments.size() ? rest + "/" : rest;
        return new Found.Match<>(target.value, parameters(target.parameters, new Values(values, whole)));
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
        methods.addAll(node.rest.keySet());
        if (at == segments.size()) {
            methods.addAll(node.byMethod.keySet());
        }
        if (methods.contains("GET")) {
            methods.add("HEAD");
        }
        if (at == segments.size()) {
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

    /** Splits a path into its segments, from the slash at an index on. A trailing slash adds no segment. */
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
        // the decoder is for queries, where a plus sign means a space; in a path it does not
        return segment.indexOf('%') < 0
                ? segment
                : URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
