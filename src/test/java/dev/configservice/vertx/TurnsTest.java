package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final Vertx vertx = Vertx.vertx();
    private final List<Promise<String>> begun = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        vertx.close().await();
    }

    private Future<String> call(Turns turns) {
        return turns.take(() -> {
            Promise<String> promise = Promise.promise();
            begun.add(promise);
            return promise.future();
        });
    }

    @Test
    void noMoreThanTheBoundRunAndTheOthersFollowInOrder() {
        Turns turns = new Turns(vertx, 2, 2, Duration.ofMinutes(1), "full");
        List<Future<String>> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            all.add(call(turns));
        }
        assertThat(begun).hasSize(2);
        assertThat(all.get(4).failed()).as("none may wait any more").isTrue();
        assertThat(all.get(4).cause()).hasMessage("full");

        begun.get(1).complete("second");
        assertThat(all.get(1).result()).isEqualTo("second");
        assertThat(begun).as("the first that waited").hasSize(3);
        // one that fails gives its turn on, too
        begun.get(0).fail("broken");
        assertThat(all.get(0).cause()).hasMessage("broken");
        assertThat(begun).hasSize(4);
        begun.get(2).complete("third");
        begun.get(3).complete("fourth");
        assertThat(all.get(2).result()).isEqualTo("third");
        assertThat(call(turns).isComplete()).isFalse();
        assertThat(begun).as("both turns are free").hasSize(5);
    }

    @Test
    void whoWaitsTooLongIsRefusedAndTakesNoTurn() {
        Turns turns = new Turns(vertx, 1, 5, Duration.ofMillis(50), "full");
        Future<String> first = call(turns);
        Future<String> late = call(turns);
        await().until(late::isComplete);
        assertThat(late.cause()).hasMessage("full");
        begun.get(0).complete("done");
        assertThat(first.result()).isEqualTo("done");
        assertThat(begun).hasSize(1);
        call(turns);
        assertThat(begun).hasSize(2);
    }

    @Test
    void aCallThatThrowsGivesItsTurnBack() {
        Turns turns = new Turns(vertx, 1, 1, Duration.ofMinutes(1), "full");
        Future<String> thrown = turns.take(() -> {
            throw new IllegalStateException("thrown");
        });
        assertThat(thrown.cause()).hasMessage("thrown");
        call(turns);
        assertThat(begun).hasSize(1);
    }

    @Test
    void callsAreBoundedByTheirWeightAndAHeavyOneRunsAlone() {
        Turns turns = new Turns(vertx, 10, 20, Duration.ofMinutes(1), "full");
        weigh(turns, 6);
        weigh(turns, 4);
        weigh(turns, 15);
        weigh(turns, 1);
        assertThat(begun).as("nobody overtakes the heavy one").hasSize(2);
        assertThat(weigh(turns, 5).failed()).isTrue();
        begun.get(0).complete("a");
        assertThat(begun).hasSize(2);
        begun.get(1).complete("b");
        assertThat(begun).as("it runs alone").hasSize(3);
        begun.get(2).complete("c");
        assertThat(begun).hasSize(4);
        weigh(turns, 9);
        assertThat(begun).hasSize(5);
    }

    private Future<String> weigh(Turns turns, long weight) {
        return turns.take(weight, () -> {
            Promise<String> promise = Promise.promise();
            begun.add(promise);
            return promise.future();
        });
    }
}
