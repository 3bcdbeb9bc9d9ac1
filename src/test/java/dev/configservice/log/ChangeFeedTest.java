package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class ChangeFeedTest {
    @Test
    void theNumberOfUnitsIsBoundedAndThoseThatAreThereStayWritable(Vertx vertx) {
        ChangeFeed feed = new ChangeFeed(vertx, 2);
        UnitId first = new UnitId("configuration", "e", "one");
        UnitId second = new UnitId("feature_flag", "e", "");
        UnitId third = new UnitId("configuration", "e", "two");
        feed.reset(new Position(1, 5), new Change.Hash(""), Map.of(first.key(), 1L));
        assertThatCode(() -> feed.requireRoom(third)).doesNotThrowAnyException();

        feed.reset(new Position(1, 6), new Change.Hash(""), Map.of(first.key(), 1L, second.key(), 6L));
        assertThat(feed.size()).isEqualTo(2);
        assertThatCode(() -> feed.requireRoom(second)).doesNotThrowAnyException();
        assertThatThrownBy(() -> feed.requireRoom(third)).isInstanceOfSatisfying(ServiceException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.LAYER_FULL);
            assertThat(e).hasMessageContaining("2 environments and services");
        });
    }
}
