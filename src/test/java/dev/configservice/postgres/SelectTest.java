package dev.configservice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.access.Scope;
import dev.configservice.testing.TestServers;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class SelectTest {
    @Test
    void onlyGivenFiltersAreInTheStatement() {
        Select select = new Select("select * from t where_not", new Object[0])
                .whereGiven("a = ?", null)
                .whereGiven("b = ?", "x")
                .where("c > ? or c < ?", 1, 2)
                .whereWithin("d", List.of(), true)
                .orderBy("b", 7);
        assertThat(select.sql())
                .isEqualTo("select * from t where_not\nwhere (b = $1)\n  and (c > $2 or c < $3)\norder by b limit $4");
        assertThat(select.arguments().size()).isEqualTo(4);
        assertThatThrownBy(() -> new Select("select 1").where("a = ?")).isInstanceOf(IllegalArgumentException.class);
    }

    /** Names of which some end where a range of characters ends. */
    private static final List<String> NAMES = List.of(
            "",
            "a",
            "ab",
            "a%",
            "a_",
            "a\\",
            "b",
            "\u007f",
            "\u0080",
            "\ud7ff",
            "\ue000",
            "\uffff",
            "x\ud7ffy",
            "x\ue000y",
            "\ud83d\ude00",
            "\ud83d\ude00b",
            "\udbff\udfff",
            "\udbff\udfffz",
            "a\udbff\udfff");

    @Test
    void aPrefixAndAPartFindTheSameInSqlAndInJava(Vertx vertx) {
        Postgres postgres = new Postgres(vertx, TestServers.newDatabase(), 2);
        for (String text : NAMES) {
            Select prefix = names().wherePrefix("name", text);
            Select part = names().whereContains("name", text);

            assertThat(found(postgres, prefix))
                    .as("prefix %s", text)
                    .isEqualTo(new TreeSet<>(
                            NAMES.stream().filter(n -> n.startsWith(text)).toList()));
            assertThat(found(postgres, part))
                    .as("part %s", text)
                    // what has no words is not searched
                    .isEqualTo(new TreeSet<>(NAMES.stream()
                            .filter(n -> !n.isEmpty() && n.contains(text))
                            .toList()));
        }
    }

    private static Select names() {
        return new Select("select name from (select n collate \"C\" as name from unnest(?::text[]) as u(n)) t", (Object)
                        NAMES.toArray(String[]::new))
                .where("true");
    }

    private static Set<String> found(Postgres postgres, Select select) {
        Set<String> found = new TreeSet<>();
        postgres.read(select.sql(), select.arguments()).await().forEach(r -> found.add(r.getString("name")));
        return found;
    }

    /** Checks that a scope covers the same names in SQL and in Java. */
    @Test
    void aScopeCoversTheSameNamesInSqlAndInJava(Vertx vertx) {
        Postgres postgres = new Postgres(vertx, TestServers.newDatabase(), 2);
        List<String> names = List.of("", "a", "ab", "abc", "b", "%", "a%", "_", "*");
        for (List<String> scope : List.of(
                List.of("a"),
                List.of("a*"),
                List.of("ab*", "b"),
                List.of("*"),
                List.of("%"),
                List.of("_*"),
                List.of("a%*"))) {
            for (boolean orEmpty : new boolean[] {true, false}) {
                Select select = new Select(
                                "select name from unnest(?::text[]) as t(name)", (Object) names.toArray(String[]::new))
                        .whereWithin("name", scope, orEmpty)
                        .orderBy("name", 100);
                Set<String> found = new TreeSet<>();
                postgres.read(select.sql(), select.arguments()).await().forEach(r -> found.add(r.getString("name")));
                Set<String> expected = new TreeSet<>();
                names.forEach(n -> {
                    if (new Scope(scope).covers(n) || (orEmpty && n.isEmpty())) {
                        expected.add(n);
                    }
                });
                assertThat(found).as("scope %s, or empty %s", scope, orEmpty).isEqualTo(expected);
            }
        }
    }
}
