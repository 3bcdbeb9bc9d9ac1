package dev.configservice.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A client of the stream of changes that reads it line by line. */
public final class EventStream implements AutoCloseable {
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final InputStream body;
    private final int status;

    /** An event as it was received. */
    public record Event(long id, String type, JsonNode data) {}

    public EventStream(Api api, String query, String... headers) {
        this(URI.create(api.base() + "/api/v1/changes/stream" + query), headers);
    }

    /** Opens any stream of server-sent events. Events without a type have an empty one. */
    public EventStream(URI address, String... headers) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(address);
            if (headers.length > 0) {
                request.headers(headers);
            }
            HttpResponse<InputStream> response =
                    HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofInputStream());
            status = response.statusCode();
            body = response.body();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        Thread reader = new Thread(this::read, "event-stream");
        reader.setDaemon(true);
        reader.start();
    }

    public int status() {
        return status;
    }

    private void read() {
        long id = -1;
        String type = "";
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            String line;
            while ((line = lines.readLine()) != null) {
                if (line.startsWith("id: ")) {
                    id = Long.parseLong(line.substring(4));
                } else if (line.startsWith("event: ")) {
                    type = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    events.add(new Event(id, type, Json.read(line.substring(6))));
                } else if (line.startsWith("retry: ")) {
                    events.add(new Event(-1, "retry", Json.read(line.substring(7))));
                }
            }
        } catch (IOException e) {
            // the stream was cut: the queue holds the events received so far
        }
        events.add(new Event(-1, "end", Json.object()));
    }

    /** Returns the next event of any type. */
    public Event next() {
        try {
            Event event = events.poll(20, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no event arrived within 20 seconds");
            }
            return event;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Returns the next event that is not a heartbeat. */
    public Event nextChange() {
        Event event = next();
        while (event.type().equals("heartbeat")) {
            event = next();
        }
        return event;
    }

    @Override
    public void close() {
        try {
            body.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
