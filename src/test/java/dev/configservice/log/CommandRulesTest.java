package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.CommandRules.Decision;
import dev.configservice.log.LogEntry.Op;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The rules that all kinds share, without a database. */
class CommandRulesTest {
    private static final Instant NOW = Instant.parse("2030-01-02T03:04:05.006Z");
    private static final UUID EVENT = new UUID(7, 7);
    private static final String ACTOR = "{\"type\":\"token\",\"id\":\"a1\",\"name\":\"alice\"}";
    private static final Origin ALICE = new Origin(new Actor(Actor.Type.TOKEN, "a1", "alice"), "r", "why", null, null);

    /** A kind whose fields are simply replaced. */
    private static final class PlainKind implements ResourceKind {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
            ObjectNode after = content.fields().deepCopy();
            after.setAll(fields);
            return new Content(after, sealed);
        }

        @Override
        public ObjectNode data(Resource resource) {
            return Json.object();
        }
    }

    private final CommandRules rules = new CommandRules(new ResourceKinds(List.of(new PlainKind())));

    private static Resource resource(long version, long fence, String value) {
        String row = "{\"value\":" + value + ",\"created_at\":\"c\",\"updated_at\":\"u\",\"created_by\":\"bob\","
                + "\"updated_by\":\"bob\"}";
        return new Resource(
                "plain", "id", "e", "s", "n", version, 40 + version, fence, ResourceRow.of(row), Sealed.NONE);
    }

    private static Command.Update update(String fields, @Nullable List<Long> ifRevisions, @Nullable Long fence) {
        return new Command.Update(EVENT, "plain", "id", fields, Sealed.NONE, ifRevisions, Action.UPDATED, fence, ALICE);
    }

    private LogEntry entry(Command command, @Nullable Resource current, @Nullable Resource last) {
        return ((Decision.Append) rules.decide(command, current, last, NOW)).entry();
    }

    private static void refused(ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable decision) {
        assertThatThrownBy(decision)
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void aCreatedResourceHasVersionOneAndItsActor() {
        Command create = new Command.Create(EVENT, "plain", "id", "e", "s", "n", "{\"value\":1}", Sealed.NONE, ALICE);
        LogEntry entry = entry(create, null, null);
        assertThat(entry.op()).isEqualTo(Op.CREATE);
        assertThat(entry.expected()).isNull();
        assertThat(entry.resource().version()).isEqualTo(1);
        assertThat(entry.resource().row().text())
                .isEqualTo("{\"value\":1,\"created_at\":\"2030-01-02T03:04:05.006Z\","
                        + "\"updated_at\":\"2030-01-02T03:04:05.006Z\",\"created_by\":"
                        + ACTOR + ",\"updated_by\":" + ACTOR + "}");
    }

    @Test
    void anUpdateKeepsTheCreatorAndExpectsTheVersionThatItRead() {
        LogEntry entry = entry(update("{\"value\":2}", null, null), resource(3, 0, "1"), null);
        assertThat(entry.op()).isEqualTo(Op.UPDATE);
        assertThat(entry.expected()).isEqualTo(3);
        assertThat(entry.resource().version()).isEqualTo(4);
        assertThat(entry.resource().row().path("created_by").textValue()).isEqualTo("bob");
        assertThat(entry.resource().row().path("updated_by").toString()).isEqualTo(ACTOR);
    }

    @Test
    void anUpdateWithoutEffectAppendsNothingUnlessItsFenceIsNewer() {
        Resource current = resource(3, 5, "1");
        assertThat(rules.decide(update("{\"value\":1}", null, null), current, null, NOW))
                .isEqualTo(new Decision.Keep(current));
        assertThat(rules.decide(update("{\"value\":2}", null, 5L), current, null, NOW))
                .isEqualTo(new Decision.Keep(current));
        LogEntry fenced = entry(update("{\"value\":1}", null, 6L), current, null);
        assertThat(fenced.fenced()).isTrue();
        assertThat(fenced.resource().fence()).isEqualTo(6);
    }

    @Test
    void aPreconditionMustListTheCurrentRevision() {
        Resource current = resource(3, 0, "1");
        assertThat(entry(update("{\"value\":2}", List.of(1L, 43L), null), current, null)
                        .op())
                .isEqualTo(Op.UPDATE);
        refused(
                ErrorCode.PRECONDITION_FAILED,
                () -> rules.decide(update("{\"value\":2}", List.of(1L), null), current, null, NOW));
        refused(
                ErrorCode.PRECONDITION_FAILED,
                () -> rules.decide(
                        new Command.Delete(EVENT, "plain", "id", List.of(), Action.DELETED, null, ALICE),
                        current,
                        null,
                        NOW));
        refused(
                ErrorCode.NOT_FOUND,
                () -> rules.decide(update("{\"value\":2}", null, null), null, resource(3, 0, "1"), NOW));
    }

    @Test
    void aDeletionIsANewVersionWithTheLastState() {
        Command delete = new Command.Delete(EVENT, "plain", "id", null, Action.DELETED, null, ALICE);
        Resource current = resource(3, 0, "1");
        LogEntry entry = entry(delete, current, null);
        assertThat(entry.op()).isEqualTo(Op.DELETE);
        assertThat(entry.resource().version()).isEqualTo(4);
        assertThat(entry.resource().row()).isEqualTo(current.row());
    }

    @Test
    void aRollbackRestoresADeletedResourceUnderItsOldId() {
        Resource earlier = resource(1, 0, "0");
        Command rollback =
                new Command.Rollback(EVENT, "plain", "id", "e", "s", "n", earlier.row(), Sealed.NONE, null, ALICE);
        LogEntry restored = entry(rollback, null, resource(4, 0, "1"));
        assertThat(restored.op()).isEqualTo(Op.CREATE);
        assertThat(restored.resource().version()).isEqualTo(5);
        LogEntry changed = entry(rollback, resource(3, 0, "1"), resource(3, 0, "1"));
        assertThat(changed.op()).isEqualTo(Op.UPDATE);
        assertThat(changed.action()).isEqualTo(Action.ROLLED_BACK);
        assertThat(changed.resource().row().path("value").intValue()).isZero();
    }

    @Test
    void aPutCreatesOrReplacesAndContinuesTheVersionsAfterADeletion() {
        Command put = new Command.Put(EVENT, "plain", "id", "e", "s", "n", "{\"value\":9}", Action.REGISTERED, ALICE);
        assertThat(entry(put, null, null).resource().version()).isEqualTo(1);
        assertThat(entry(put, null, resource(6, 0, "1")).resource().version()).isEqualTo(7);
        LogEntry replaced = entry(put, resource(2, 8, "1"), resource(2, 8, "1"));
        assertThat(replaced.op()).isEqualTo(Op.UPDATE);
        assertThat(replaced.resource().fence()).isEqualTo(8);
    }
}
