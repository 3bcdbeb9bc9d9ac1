package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class LargeUnitsTest {
    private final List<Promise<String>> begun = new ArrayList<>();

    private Future<String> run(LargeUnits units, long bytes) {
        return units.run(bytes, () -> {
            Promise<String> promise = Promise.promise();
            begun.add(promise);
            return promise.future();
        });
    }

    @Test
    void twoRunAtATimeAndTheOthersInTurn(Vertx vertx) {
        LargeUnits units = new LargeUnits(vertx, 1000);
        List<Future<String>> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            all.add(run(units, 100));
        }
        assertThat(begun).hasSize(2);

        begun.get(0).complete("a");
        // one that fails gives its turn on, too
        begun.get(1).fail("b");
        assertThat(begun).hasSize(4);
        assertThat(all.get(0).result()).isEqualTo("a");
        assertThat(all.get(1).cause()).hasMessage("b");

        begun.get(2).complete("c");
        begun.get(3).complete("d");
        begun.get(4).complete("e");
        assertThat(all.get(4).result()).isEqualTo("e");
        run(units, 100);
        run(units, 100);
        assertThat(begun).hasSize(7);
    }

    @Test
    void workThatThrowsGivesItsTurnOn(Vertx vertx) {
        LargeUnits units = new LargeUnits(vertx, 1000);
        for (int i = 0; i < 10; i++) {
            Future<String> thrown = units.run(1, () -> {
                throw new IllegalStateException("thrown");
            });
            assertThat(thrown.cause()).hasMessage("thrown");
        }
        assertThat(run(units, 1).isComplete()).isFalse();
        assertThat(begun).hasSize(1);
    }

    @Test
    void whatWaitsIsBoundedInBytesAndInNumber(Vertx vertx) {
        LargeUnits bytes = new LargeUnits(vertx, 250);
        for (int i = 0; i < 4; i++) {
            run(bytes, 100);
        }
        refused(run(bytes, 100));
        begun.get(0).complete("a");
        assertThat(run(bytes, 100).isComplete()).isFalse();

        LargeUnits number = new LargeUnits(vertx, 250);
        for (int i = 0; i < 1002; i++) {
            assertThat(run(number, 0).isComplete()).isFalse();
        }
        refused(run(number, 0));
    }

    @Test
    void whatIsInMemoryComesBeforeWhatIsStillToBeLoaded(Vertx vertx) throws Exception {
        LargeUnits units = new LargeUnits(vertx, 1000);
        for (int i = 0; i < 3; i++) {
            run(units, 100);
        }
        assertThat(begun).hasSize(2);
        Future<Integer> merged = units.first(begun::size);
        begun.get(0).complete("loaded");
        // the third load had not begun yet
        assertThat(merged.await()).isEqualTo(2);
    }

    private static void refused(Future<String> work) {
        assertThatThrownBy(work::await)
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TOO_MANY));
    }
}
