package dev.configservice.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.SetMember;
import dev.configservice.secret.Sealed;
import dev.configservice.testing.Releases;
import io.vertx.core.buffer.Buffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Messages between nodes that earlier releases wrote: this one reads them. */
class BusSamplesTest {
    private static final String CHANGES = "bus-changes.json";
    private static final String ENVELOPE = "bus-envelope.hex";

    private static Change change(long revision, Action action, @Nullable SetMember set, @Nullable String trace) {
        return new Change(
                new Position(2, revision),
                new UUID(7, revision),
                action,
                new Resource(
                        "configuration",
                        "0190-" + revision,
                        "production",
                        "shop",
                        "db.url",
                        3,
                        revision,
                        1,
                        ResourceRow.of("{\"value\":\"ü\"}"),
                        Sealed.of(new byte[] {1, 2, 3})),
                Actor.ADMIN,
                "request-1",
                set == null ? null : "why",
                Instant.parse("2026-11-27T00:00:00Z"),
                new Change.Hash("ab".repeat(32)),
                set == null,
                set,
                trace);
    }

    private static List<Change> changes() {
        return List.of(
                change(8, Action.CREATED, null, null),
                change(9, Action.UPDATED, new SetMember(new UUID(1, 2), 0, 2), "00-" + "a".repeat(32) + "-01"),
                change(10, Action.DELETED, new SetMember(new UUID(1, 2), 1, 2), null));
    }

    private static Envelope envelope() {
        return new Envelope(Json.object().put("a", 1).put("b", "ü"), Buffer.buffer("body"));
    }

    @Test
    void changesAndEnvelopesOfEarlierReleasesAreRead() {
        if (Releases.isMaking()) {
            Releases.keep(CHANGES, ChangeJson.write(changes()).toPrettyString() + "\n");
            Releases.keep(
                    ENVELOPE, HexFormat.of().formatHex(envelope().toBuffer().getBytes()) + "\n");
        }
        assertThat(Releases.all()).isNotEmpty();
        for (String release : Releases.all()) {
            assertThat(ChangeJson.read(Json.read(Releases.sample(release, CHANGES))))
                    .as(release)
                    .isEqualTo(changes());
            byte[] bytes =
                    HexFormat.of().parseHex(Releases.sample(release, ENVELOPE).strip());
            assertThat(Envelope.of(Buffer.buffer(bytes))).as(release).isEqualTo(envelope());
        }
    }
}
