package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class BatchedWritesTest {
    private final Queue<String> gathered = new ConcurrentLinkedQueue<>();
    private final List<String> sent = new ArrayList<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private BatchedWrites batches(Vertx vertx) {
        return new BatchedWrites(vertx, "test", Duration.ofMillis(10), gathered::poll, this::store, UUID::randomUUID);
    }

    private synchronized Future<Void> store(UUID batch, String rows) {
        sent.add(batch + " " + rows);
        Throwable e = failure.get();
        return e == null ? Future.succeededFuture() : Future.failedFuture(e);
    }

    private synchronized List<String> sent() {
        return List.copyOf(sent);
    }

    @Test
    void aBatchWithUnknownOutcomeIsRetriedWithItsIdBeforeAnyOther(Vertx vertx) {
        BatchedWrites batches = batches(vertx);
        failure.set(new ServiceException(ErrorCode.OUTCOME_UNKNOWN, "the response was lost"));
        gathered.add("[1]");
        assertThat(batches.write().failed()).isTrue();
        gathered.add("[2]");
        assertThat(batches.write().failed()).isTrue();
        failure.set(null);
        assertThat(batches.write().succeeded()).isTrue();

        List<String> all = sent();
        assertThat(all).hasSize(4);
        assertThat(all.get(0)).isEqualTo(all.get(1)).isEqualTo(all.get(2)).endsWith("[1]");
        assertThat(all.get(3)).endsWith("[2]");
        assertThat(batches.write().succeeded()).as("nothing is left").isTrue();
        assertThat(sent()).hasSize(4);
    }

    @Test
    void aBatchThatFailsPermanentlyDoesNotBlockTheOthers(Vertx vertx) {
        BatchedWrites batches = batches(vertx);
        failure.set(new ServiceException(ErrorCode.INTERNAL, "the database refused the statement"));
        gathered.add("[1]");
        assertThat(batches.write().failed()).isTrue();
        failure.set(null);
        gathered.add("[2]");
        assertThat(batches.write().succeeded()).isTrue();
        assertThat(sent()).hasSize(2).last().asString().endsWith("[2]");
    }

    @Test
    void onceStartedItWritesPeriodically(Vertx vertx) {
        BatchedWrites batches = batches(vertx);
        gathered.add("[1]");
        assertThat(sent()).isEmpty();
        batches.start();
        await().untilAsserted(() -> assertThat(sent()).hasSize(1));
    }
}
