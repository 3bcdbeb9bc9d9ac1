package dev.configservice.events.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.ErrorStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.StreamException;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Writers;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The stream as a third-party client library reads it. The library reconnects by itself, with the id of the last event.
 */
class StreamClientTest {
    private static final int CHANGES = 10_000;

    @Test
    void aClientThatIsOftenDisconnectedSeesEveryChangeOnceAndInOrder() throws Exception {
        try (TestNode node = TestNode.start(Map.of());
                TcpProxy proxy = new TcpProxy(node.port());
                Writers writers = new Writers(node.admin(), 100)) {
            URI uri = URI.create("http://127.0.0.1:" + proxy.port() + "/api/v1/changes/stream?after=0");
            try (EventSource source = new EventSource.Builder(ConnectStrategy.http(uri))
                    .errorStrategy(ErrorStrategy.alwaysContinue())
                    .retryDelay(50, TimeUnit.MILLISECONDS)
                    .build()) {
                CompletableFuture<List<Long>> seen = CompletableFuture.supplyAsync(() -> read(source));
                for (int part = 1; part < 10; part++) {
                    writers.write(CHANGES / 10);
                    proxy.cutAll();
                }
                writers.write(CHANGES / 10 - 100);

                List<Long> revisions = seen.get(120, TimeUnit.SECONDS);
                assertThat(revisions).isEqualTo(new ArrayList<>(new TreeSet<>(writers.revisions())));
            }
        }
    }

    /** Returns the revisions of all changes, in the order of their arrival. */
    private static List<Long> read(EventSource source) {
        List<Long> revisions = new ArrayList<>();
        try {
            while (revisions.size() < CHANGES) {
                MessageEvent event = source.readMessage();
                if (event.getEventName().equals("configuration.created")
                        || event.getEventName().equals("configuration.updated")) {
                    revisions.add(Long.parseLong(event.getLastEventId()));
                }
                assertThat(event.getEventName()).isNotEqualTo("resync");
            }
        } catch (StreamException e) {
            throw new IllegalStateException(e);
        }
        return revisions;
    }
}
