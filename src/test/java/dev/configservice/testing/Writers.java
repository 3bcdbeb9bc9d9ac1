package dev.configservice.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that change configurations in parallel and record the revision of each acknowledged write. */
public final class Writers implements AutoCloseable {
    private static final int THREADS = 16;

    private final Api admin;
    private final List<String> ids = new ArrayList<>();
    private final List<Long> revisions = new ArrayList<>();
    private final AtomicInteger value = new AtomicInteger();
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    /** Creates the configurations that are changed. */
    public Writers(Api admin, int configurations) {
        this.admin = admin;
        for (int i = 0; i < configurations; i++) {
            Reply reply = admin.post("/config", "{\"key\":\"w" + i + "\",\"value\":-1,\"environment\":\"writers\"}");
            ids.add(reply.field("id"));
            revisions.add(reply.revision());
        }
    }

    /** Makes the given number of changes, and returns when all are acknowledged. */
    public void write(int changes) {
        List<CompletableFuture<List<Long>>> running = new ArrayList<>();
        AtomicInteger left = new AtomicInteger(changes);
        for (int t = 0; t < THREADS; t++) {
            running.add(CompletableFuture.supplyAsync(
                    () -> {
                        List<Long> mine = new ArrayList<>();
                        while (left.decrementAndGet() >= 0) {
                            int v = value.getAndIncrement();
                            Reply reply = admin.put("/config/" + ids.get(v % ids.size()), "{\"value\":" + v + "}");
                            if (reply.status() != 200) {
                                throw new AssertionError(reply.text());
                            }
                            mine.add(reply.revision());
                        }
                        return mine;
                    },
                    threads));
        }
        running.forEach(r -> revisions.addAll(r.join()));
    }

    /** Returns the revisions of all acknowledged writes. */
    public List<Long> revisions() {
        return List.copyOf(revisions);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
