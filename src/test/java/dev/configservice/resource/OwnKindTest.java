package dev.configservice.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ServiceException;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Action;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKinds;
import dev.configservice.log.Retention;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.postgres.Postgres;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.secret.Sealed;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A kind that only this test knows: one description gets routes, history, rollback, audit, events and a schema. */
@ExtendWith(VertxExtension.class)
class OwnKindTest {
    private static final int PARTITION = 1000;

    /** Notes of an environment, at most two of which may be pinned. */
    private static final class NoteKind implements VersionedKind {
        private static final KindDescription DESCRIBED = new KindDescription(
                "sticky_note", "/notes", "title", Right.CONFIG_WRITE, "StickyNote", Trait.PUBLIC, Trait.KEEPS_HISTORY);

        @Override
        public KindDescription description() {
            return DESCRIBED;
        }

        @Override
        public ObjectNode schema() {
            ObjectNode schema = Json.object().put("type", "object");
            ObjectNode properties = schema.putObject("properties");
            for (String field : List.of("id", "title", "environment", "text")) {
                properties.putObject(field).put("type", "string");
            }
            return schema;
        }

        @Override
        public Creation create(FieldReader fields, String id) {
            String title = fields.required("title", StringRule.NAME);
            String environment = fields.required("environment", StringRule.NAME);
            ObjectNode content = content(fields);
            fields.done();
            return new Creation(environment, "", title, content, Sealed.NONE);
        }

        private static ObjectNode content(FieldReader fields) {
            return Json.object()
                    .put("text", fields.required("text", StringRule.text(1, 100)))
                    .put("is_pinned", Boolean.TRUE.equals(fields.bool("is_pinned")));
        }

        @Override
        public Update change(FieldReader fields, Resource current, Caller caller) {
            ObjectNode content = content(fields);
            fields.done();
            return new Update(content, Sealed.NONE, null);
        }

        @Override
        public void requireWrite(Caller caller, String environment, String serviceName) {
            caller.require(writeRight(), environment, "");
        }

        @Override
        public Content update(Resource current, Content content, ObjectNode fields, Sealed sealed) {
            ObjectNode after = content.fields().deepCopy();
            after.setAll(fields);
            return new Content(after, sealed);
        }

        private static boolean isPinned(Resource note) {
            return note.row().path("is_pinned").booleanValue();
        }

        @Override
        public @Nullable UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
            return isPinned(after) ? after.unit() : null;
        }

        @Override
        public List<String> judge(Resource after, SortedResources unit) {
            long others = unit.stream()
                    .filter(n -> isPinned(n) && !n.id().equals(after.id()))
                    .count();
            if (others >= 2) {
                throw ServiceException.invalid("is_pinned", "at most two notes of an environment may be pinned");
            }
            return List.of();
        }

        @Override
        public ObjectNode data(Resource resource) {
            return Json.object().put("id", resource.id()).put("text", text(resource));
        }

        @Override
        public ObjectNode render(Resource resource, Caller caller) {
            return data(resource).put("title", resource.name()).put("environment", resource.environment());
        }

        @Override
        public JsonNode historyValue(Resource version) {
            return Json.object().textNode(text(version));
        }

        private static String text(Resource note) {
            return note.row().path("text").textValue();
        }
    }

    private static String note(String environment, String title, String text, boolean pinned) {
        return Json.write(Json.object()
                .put("title", title)
                .put("environment", environment)
                .put("text", text)
                .put("is_pinned", pinned));
    }

    @Test
    void oneDescriptionOfAKindGetsEverythingThatKindsHave(Vertx vertx) {
        NoteKind kind = new NoteKind();
        try (TestNode node =
                TestNode.start(Map.of("CS_CHANGES_PARTITION_SIZE", Integer.toString(PARTITION)), List.of(kind))) {
            Api admin = node.admin().undescribed();
            Retention retention = new Retention(
                    vertx,
                    new Postgres(vertx, node.setting("CS_POSTGRES_URI"), 2),
                    Duration.ofMillis(1),
                    Duration.ZERO,
                    PARTITION,
                    new ResourceKinds(List.of(kind)),
                    new SimpleMeterRegistry());
            assertThat(retention.run().await()).isZero();

            Reply created = admin.post("/notes", note("e", "first", "one", false));
            assertThat(created.status()).as(created.text()).isEqualTo(201);
            assertThat(created.header("Location")).isEqualTo("/api/v1/notes/" + created.field("id"));
            String path = "/notes/" + created.field("id");
            assertThat(admin.post("/notes", note("e", "first", "again", false)).status())
                    .isEqualTo(409);
            assertThat(admin.put(path, "{\"text\":\"two\",\"title\":\"first\"}").status())
                    .isEqualTo(200);
            assertThat(admin.put(path, "{\"text\":\"two\",\"title\":\"other\"}").text())
                    .contains("title");
            assertThat(admin.put(path, "{\"text\":\"two\",\"colour\":1}").text())
                    .contains("colour");
            assertThat(admin.delete(path).status()).isEqualTo(204);
            Reply back = admin.post(path + "/rollback", "{\"version\":1}");
            assertThat(back.field("text")).isEqualTo("one");
            assertThat(admin.get(path).field("text")).isEqualTo("one");
            assertThat(admin.get(path).header("ETag")).isEqualTo("\"" + back.revision() + "\"");
            assertThat(node.anonymous()
                            .undescribed()
                            .post("/notes", note("e", "x", "y", false))
                            .status())
                    .isEqualTo(401);

            String history = admin.get(path + "/history").text();
            assertThat(history).contains("\"rolled_back\"", "\"deleted\"", "\"updated\"", "\"created\"");
            assertThat(admin.get("/changes?resource_type=sticky_note").text())
                    .contains("sticky_note.created", "sticky_note.rolled_back");
            assertThat(admin.get("/changes?service_name=s").text()).doesNotContain("sticky_note");
            assertThat(admin.get("/audit?resource_type=sticky_note").json().get("items"))
                    .hasSize(4);
            JsonNode description = admin.get("/openapi.json").json();
            assertThat(description
                            .at("/components/schemas/StickyNote/properties")
                            .has("text"))
                    .isTrue();
            assertThat(description
                            .path("paths")
                            .path("/api/v1/notes/{id}/rollback")
                            .has("post"))
                    .isTrue();

            // the log is shortened; the history of what exists stays
            for (int i = 0; i < PARTITION; i++) {
                assertThat(admin.post("/notes", note("e", "n" + i, "t", false)).status())
                        .isEqualTo(201);
            }
            await().until(() -> retention.run().await() > 0);
            assertThat(node.sql("select count(*) from changes where revision < " + PARTITION))
                    .containsExactly(List.of("0"));
            assertThat(admin.get(path + "/history").text()).isEqualTo(history);
        }
    }

    @Test
    void aRuleAcrossResourcesHoldsWhateverIsWrittenAtOnce() {
        try (TestNode first = TestNode.start(Map.of(), List.of(new NoteKind()));
                TestNode second = first.join()) {
            for (int round = 0; round < 10; round++) {
                String environment = "round" + round;
                List<Integer> statuses = List.of(0, 1, 2, 3, 4, 5).parallelStream()
                        .map(i -> (i % 2 == 0 ? first : second)
                                .admin()
                                .undescribed()
                                .post("/notes", note(environment, "n" + i, "t", true))
                                .status())
                        .toList();
                assertThat(statuses).as(environment).containsOnly(201, 400);
                assertThat(statuses.stream().filter(s -> s == 201)).hasSize(2);
            }
        }
    }
}
