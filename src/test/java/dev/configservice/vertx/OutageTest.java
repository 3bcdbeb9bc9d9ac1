package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class OutageTest {
    @Test
    void anOutageIsOneLineWhenItBeginsAndOneWhenItEnds() {
        Logger logger = (Logger) LoggerFactory.getLogger("outage-test");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        Outage outage = new Outage(logger, "part");
        outage.succeeded();
        for (int i = 0; i < 2; i++) {
            outage.failed(new IllegalStateException("away"));
            outage.failed(new IllegalStateException("still away"));
            outage.succeeded();
            outage.succeeded();
        }
        assertThat(lines.list.stream().map(ILoggingEvent::getFormattedMessage))
                .containsExactly(
                        "part.unreachable cause=java.lang.IllegalStateException: away",
                        "part.recovered seconds=0",
                        "part.unreachable cause=java.lang.IllegalStateException: away",
                        "part.recovered seconds=0");
    }
}
