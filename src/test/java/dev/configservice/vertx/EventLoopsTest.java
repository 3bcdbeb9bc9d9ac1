package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

class EventLoopsTest {
    @Test
    void everyEventLoopGetsOneVerticleDespiteOtherDeployments() throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            Set<Thread> loops = ConcurrentHashMap.newKeySet();
            Future<Void> deployed = EventLoops.deployOnEach(vertx, () -> new VerticleBase() {
                @Override
                public Future<?> start() {
                    assertThat(loops.add(Thread.currentThread())).isTrue();
                    // another deployment takes the next event loop
                    return vertx.deployVerticle(new VerticleBase() {});
                }
            });
            deployed.await();
            assertThat(loops).hasSize(VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE);
        } finally {
            vertx.close().await();
        }
    }

    @Test
    void aVerticleThatFailsToStartFailsTheDeployment() {
        Vertx vertx = Vertx.vertx();
        try {
            Future<Void> deployed = EventLoops.deployOnEach(vertx, () -> new VerticleBase() {
                @Override
                public Future<?> start() {
                    return Future.failedFuture("no");
                }
            });
            assertThat(deployed.transform(
                                    done -> Future.succeededFuture(done.cause().getMessage()))
                            .await())
                    .isEqualTo("no");
        } finally {
            vertx.close().await();
        }
    }
}
