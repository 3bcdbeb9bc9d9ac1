package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.postgres.Rows;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A page of a list: its largest size, and the item after which it begins. The page token holds the sort key of that
 * item. Callers treat the token as opaque.
 *
 * @param after the sort key of the last item of the previous page; empty for the first page
 */
public record Page(int limit, List<String> after) {
    public static final int DEFAULT = 50;
    public static final int MAX = 500;

    /** The query parameter for the largest number of items on a page. */
    public static final String LIMIT = "limit";

    public static final StringRule SIZE = StringRule.number(1, MAX);

    public static final String TOKEN = "page_token";

    /** The query parameters that every list route has. */
    public static final Map<String, StringRule> PARAMETERS = Map.of(LIMIT, SIZE, TOKEN, StringRule.ANY);

    /**
     * Reads the page that a request asks for.
     *
     * @param keyParts the number of strings in the sort key of an item
     */
    public static Page of(Request request, int keyParts) {
        int limit = (int) request.number(LIMIT, DEFAULT);
        String token = request.query(TOKEN);
        if (token == null) {
            return new Page(limit, List.of());
        }
        List<String> after = new ArrayList<>();
        try {
            JsonNode parts = Json.parseBody(Base64.getUrlDecoder().decode(token));
            parts.forEach(p -> after.add(p.asText()));
        } catch (IllegalArgumentException | ServiceException e) {
            throw invalidToken();
        }
        if (after.size() != keyParts || after.stream().anyMatch(t -> Json.textProblem(t) != null)) {
            throw invalidToken();
        }
        return new Page(limit, after);
    }

    /** Returns the query parameters of a route, with those of every list route added. */
    public static Map<String, StringRule> parameters(Map<String, StringRule> own) {
        Map<String, StringRule> all = new HashMap<>(own);
        all.putAll(PARAMETERS);
        return Map.copyOf(all);
    }

    /** Returns the failure for a page token that is not valid. */
    public static ServiceException invalidToken() {
        return ServiceException.invalid(TOKEN, "is not a valid page token");
    }

    public boolean isFirst() {
        return after.isEmpty();
    }

    /**
     * Builds the response for this page.
     *
     * @param key returns the sort key of an item
     */
    public <T> Response response(
            Request request, Rows<T> found, Function<T, ? extends JsonNode> render, Function<T, List<String>> key) {
        return response(request, found.items(), found.more(), render, key);
    }

    /**
     * Builds the response for this page.
     *
     * @param found the items after {@link #after}; one more than {@link #limit} if there is a next page
     * @param key returns the sort key of an item
     */
    public <T> Response response(
            Request request, List<T> found, Function<T, ? extends JsonNode> render, Function<T, List<String>> key) {
        boolean more = found.size() > limit;
        return response(request, more ? found.subList(0, limit) : found, more, render, key);
    }

    private <T> Response response(
            Request request,
            List<T> items,
            boolean more,
            Function<T, ? extends JsonNode> render,
            Function<T, List<String>> key) {
        ObjectNode body = Json.object();
        ArrayNode rendered = body.putArray("items");
        items.forEach(i -> rendered.add(render.apply(i)));
        String next = more ? token(key.apply(items.get(items.size() - 1))) : null;
        body.put("next_page_token", next);
        Response answer = Response.json(200, body);
        return next == null ? answer : answer.header("Link", "<" + link(request, next) + ">; rel=\"next\"");
    }

    private static String token(List<String> key) {
        ArrayNode parts = Json.object().arrayNode();
        key.forEach(parts::add);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Json.bytes(parts));
    }

    private static String link(Request request, @Nullable String token) {
        Map<String, String> query = new TreeMap<>(request.query());
        query.put(TOKEN, String.valueOf(token));
        StringBuilder link = new StringBuilder(request.path());
        char separator = '?';
        for (Map.Entry<String, String> p : query.entrySet()) {
            link.append(separator).append(encode(p.getKey())).append('=').append(encode(p.getValue()));
            separator = '&';
        }
        return link.toString();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
