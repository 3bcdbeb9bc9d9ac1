package dev.configservice.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class ScopeTest {
    @Test
    void aScopeCoversItsNamesAndEveryNameWithOneOfItsPrefixes() {
        Scope scope = new Scope(List.of("prod", "team-a*"));
        assertThat(scope.covers("prod")).isTrue();
        assertThat(scope.covers("team-a")).isTrue();
        assertThat(scope.covers("team-a-eu")).isTrue();
        assertThat(scope.covers("production")).isFalse();
        assertThat(scope.covers("team-")).isFalse();
        assertThat(Scope.ALL.covers("anything")).isTrue();
    }

    @Provide
    Arbitrary<Scope> scopes() {
        return Arbitraries.of("a", "ab", "b", "a*", "ab*", "b*", "*")
                .list()
                .ofMaxSize(3)
                .map(Scope::new);
    }

    @Provide
    Arbitrary<String> names() {
        return Arbitraries.strings().withChars('a', 'b', 'c').ofMinLength(1).ofMaxLength(4);
    }

    /**
     * Checks that callers cannot grant more than they have: a scope covers every name that a contained scope covers.
     */
    @Property(tries = 1000)
    void aScopeCoversEveryNameThatAContainedScopeCovers(
            @ForAll("scopes") Scope outer, @ForAll("scopes") Scope inner, @ForAll("names") String name) {
        if (outer.contains(inner) && inner.covers(name)) {
            assertThat(outer.covers(name))
                    .as("name %s, inner %s, outer %s", name, inner, outer)
                    .isTrue();
        }
    }

    @Property
    void everyScopeContainsItself(@ForAll("scopes") Scope scope) {
        assertThat(scope.contains(scope)).isTrue();
        assertThat(Scope.ALL.contains(scope)).isTrue();
    }
}
