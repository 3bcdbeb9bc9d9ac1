package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Scope;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PageTest {
    private static Request request(Map<String, String> query) {
        Caller nobody = new Caller(null, null, Set.of(), false, Scope.ALL, Scope.ALL, null);
        return new Request(
                "id",
                "GET",
                "/list",
                Map.of(),
                query,
                MultiMap.caseInsensitiveMultiMap(),
                Buffer.buffer(),
                nobody,
                0,
                "127.0.0.1",
                () -> false);
    }

    /** Checks that following the tokens returns every item once and in order, for arbitrary sort keys. */
    @Property
    void pagesHoldEveryItemOnce(@ForAll List<String> names, @ForAll @IntRange(min = 1, max = 7) int limit) {
        List<String> sorted = names.stream()
                .filter(n -> Json.textProblem(n) == null)
                .distinct()
                .sorted()
                .toList();
        List<String> seen = new ArrayList<>();
        String token = null;
        do {
            Map<String, String> query = token == null
                    ? Map.of(Page.LIMIT, Integer.toString(limit))
                    : Map.of(Page.LIMIT, Integer.toString(limit), Page.TOKEN, token);
            Page page = Page.of(request(query), 1);
            List<String> found = sorted.stream()
                    .filter(n -> page.isFirst() || n.compareTo(page.after().get(0)) > 0)
                    .limit(limit + 1L)
                    .toList();
            JsonNode body = Json.read(Objects.requireNonNull(page.response(
                                    request(query), found, n -> Json.object().put("n", n), List::of)
                            .body())
                    .getBytes());
            body.get("items").forEach(i -> seen.add(i.get("n").textValue()));
            token = body.get("next_page_token").textValue();
        } while (token != null);
        assertThat(seen).isEqualTo(sorted);
    }

    @Property
    void invalidPageTokensAreRefused(@ForAll String text, @ForAll @IntRange(min = 1, max = 3) int parts) {
        Request request = request(Map.of(Page.TOKEN, text));
        try {
            assertThat(Page.of(request, parts).after()).hasSize(parts);
        } catch (ServiceException e) {
            assertThat(e.errors()).allMatch(error -> error.field().equals(Page.TOKEN));
            return;
        }
        assertThatThrownBy(() -> Page.of(request, parts + 1)).isInstanceOf(ServiceException.class);
    }
}
