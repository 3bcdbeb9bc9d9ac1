package dev.configservice.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeFilter.Wanted;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;
import dev.configservice.log.ResourceRow;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChangeFilterTest {
    /** A kind whose name lists its properties. */
    private record NamedKind(String name) implements ResourceKind {
        @Override
        public boolean isPublic() {
            return name.contains("public");
        }

        @Override
        public boolean belongsToService() {
            return name.contains("service");
        }

        @Override
        public boolean hasKeys() {
            return name.contains("key");
        }

        @Override
        public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
            return content;
        }

        @Override
        public ObjectNode data(Resource resource) {
            return Json.object();
        }
    }

    private static final ResourceKinds KINDS = new ResourceKinds(List.of(
            new NamedKind("public_service_key"),
            new NamedKind("public_key"),
            new NamedKind("public_service"),
            new NamedKind("service_key")));

    private static Change change(String kind, String environment, String service, String name) {
        return new Change(
                new Position(1, 1),
                new UUID(0, 1),
                Action.CREATED,
                new Resource(kind, "id", environment, service, name, 1, 1, 0, ResourceRow.of("{}"), Sealed.NONE),
                Actor.SYSTEM,
                null,
                null,
                Instant.EPOCH,
                new Change.Hash(""),
                false,
                null,
                null);
    }

    private static Caller caller(List<String> environments, List<String> services) {
        return new Caller(
                new Actor(Actor.Type.API_KEY, "1", "k"),
                "hash",
                EnumSet.of(Right.READ),
                false,
                new Scope(environments),
                new Scope(services),
                null);
    }

    private static boolean matches(Wanted wanted, Change change) {
        return ChangeFilter.of(KINDS, wanted, caller(List.of(), List.of())).matches(change);
    }

    private static Wanted wanted(
            @Nullable String environment, @Nullable String service, @Nullable String type, @Nullable String prefix) {
        return new Wanted(environment, service, type, null, prefix);
    }

    @Test
    void privateAndUnknownKindsNeverMatch() {
        assertThat(matches(Wanted.ALL, change("public_key", "e", "", "k"))).isTrue();
        assertThat(matches(Wanted.ALL, change("service_key", "e", "s", "k"))).isFalse();
        assertThat(matches(Wanted.ALL, change("of_a_later_version", "e", "s", "k")))
                .isFalse();
        assertThat(matches(Wanted.ALL, change("log", "", "", "log"))).isFalse();
    }

    @Test
    void aServiceFilterMatchesOnlyItsOwnAndSharedResources() {
        Wanted wanted = wanted(null, "s", null, null);
        assertThat(matches(wanted, change("public_service_key", "e", "s", "k"))).isTrue();
        assertThat(matches(wanted, change("public_service_key", "e", "", "k"))).isTrue();
        assertThat(matches(wanted, change("public_service_key", "e", "other", "k")))
                .isFalse();
        assertThat(matches(wanted, change("public_key", "e", "", "k"))).isFalse();
    }

    @Test
    void anEnvironmentFilterAlsoMatchesResourcesWithoutEnvironment() {
        Wanted wanted = wanted("e", null, null, null);
        assertThat(matches(wanted, change("public_key", "e", "", "k"))).isTrue();
        assertThat(matches(wanted, change("public_service", "", "s", "i"))).isTrue();
        assertThat(matches(wanted, change("public_key", "other", "", "k"))).isFalse();
    }

    @Test
    void aKeyPrefixMatchesOnlyKindsWithKeys() {
        Wanted wanted = wanted(null, null, null, "db.");
        assertThat(matches(wanted, change("public_key", "e", "", "db.url"))).isTrue();
        assertThat(matches(wanted, change("public_key", "e", "", "web.url"))).isFalse();
        assertThat(matches(wanted, change("public_service", "", "s", "db.instance")))
                .isFalse();
        assertThat(matches(wanted(null, null, "public_key", null), change("public_service_key", "e", "s", "k")))
                .isFalse();
    }

    @Test
    void aCallerSeesOnlyChangesInItsScope() {
        ChangeFilter filter = ChangeFilter.of(KINDS, Wanted.ALL, caller(List.of("e*"), List.of("s")));
        assertThat(filter.matches(change("public_service_key", "eu", "s", "k"))).isTrue();
        assertThat(filter.matches(change("public_service_key", "eu", "", "k"))).isTrue();
        assertThat(filter.matches(change("public_service_key", "us", "s", "k"))).isFalse();
        assertThat(filter.matches(change("public_service_key", "eu", "other", "k")))
                .isFalse();
        Caller without = new Caller(
                new Actor(Actor.Type.API_KEY, "2", "k"),
                "hash",
                EnumSet.noneOf(Right.class),
                false,
                Scope.ALL,
                Scope.ALL,
                null);
        assertThatThrownBy(() -> ChangeFilter.of(KINDS, Wanted.ALL, without)).isInstanceOf(ServiceException.class);
    }

    @Test
    void filtersWithTheSameCriteriaAreEqual() {
        Wanted wanted = wanted("e", "s", "public_key", "k");
        ChangeFilter one = ChangeFilter.of(KINDS, wanted, caller(List.of("e"), List.of()));
        assertThat(one)
                .isEqualTo(ChangeFilter.of(KINDS, wanted("e", "s", "public_key", "k"), caller(List.of("e"), List.of())))
                .hasSameHashCodeAs(ChangeFilter.of(KINDS, wanted, caller(List.of("e"), List.of())))
                .isNotEqualTo(ChangeFilter.of(KINDS, wanted, caller(List.of("f"), List.of())))
                .isNotEqualTo(ChangeFilter.of(KINDS, Wanted.ALL, caller(List.of("e"), List.of())));
    }
}
