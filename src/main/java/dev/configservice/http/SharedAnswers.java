package dev.configservice.http;

import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Large answers that many clients ask for at once. At most one of a kind is made at a time: a request takes part in one that
 * began with all that the request must see, else in the next. Without that, each change would begin another one while the
 * ones before are still being made, each as large as the whole registry.
 */
public final class SharedAnswers {
    private final Map<Object, Flight> flights = new ConcurrentHashMap<>();
    private final LongSupplier version;

    /** An answer that is being made, and the version of the data that it began with. */
    private record Flight(long version, Future<Response> result) {}

    /**
     * Creates an empty set.
     *
     * @param version the version of the data, which only grows
     */
    public SharedAnswers(LongSupplier version) {
        this.version = version;
    }

    /** Returns an answer that holds at least what was there when this was called. */
    public Future<Response> get(Object kind, Supplier<Future<Response>> make) {
        return get(kind, version.getAsLong(), make);
    }

    private Future<Response> get(Object kind, long needed, Supplier<Future<Response>> make) {
        Promise<Response> promise = Promise.promise();
        Flight mine = new Flight(version.getAsLong(), promise.future());
        Flight running = flights.putIfAbsent(kind, mine);
        if (running == null) {
            make.get().onComplete(done -> {
                flights.remove(kind, mine);
                promise.handle(done);
            });
            return promise.future();
        }
        Future<Response> theirs = Futures.here(running.result());
        return running.version() >= needed ? theirs : theirs.transform(done -> get(kind, needed, make));
    }
}
