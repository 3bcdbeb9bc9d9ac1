package dev.configservice.load;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One HTTP connection to the service, with one request at a time. If the server closes it, the next request opens it
 * again. As lean as possible, because the measured service shares the machine with it.
 */
final class Connection {
    private static final byte[] END_OF_HEAD = "\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1);

    private final NetClient net;
    private final int port;
    private final String authorization;
    private volatile NetSocket socket;
    private Promise<Buffer> asked;
    private Buffer received = Buffer.buffer();
    private String head = "";

    Connection(NetClient net, int port) {
        this(net, port, "Authorization: ApiKey admin-key\r\n");
    }

    private Connection(NetClient net, int port, String authorization) {
        this.net = net;
        this.port = port;
        this.authorization = authorization;
    }

    static Connection anonymous(NetClient net, int port) {
        return new Connection(net, port, "");
    }

    /** Returns the body of a successful response. Otherwise fails with the whole response as the message. */
    Future<Buffer> ask(String method, String path, String body) {
        Promise<Buffer> promise = Promise.promise();
        asked = promise;
        received = Buffer.buffer();
        head = "";
        Buffer request = Buffer.buffer(method + " " + path
                + " HTTP/1.1\r\nHost: localhost\r\n" + authorization + "Content-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body);
        NetSocket open = socket;
        if (open != null) {
            open.write(request);
            return promise.future();
        }
        net.connect(port, "127.0.0.1").onComplete(done -> {
            if (done.failed()) {
                promise.tryFail(done.cause());
                return;
            }
            NetSocket fresh = done.result();
            fresh.handler(this::read);
            fresh.closeHandler(v -> {
                if (socket == fresh) {
                    socket = null;
                }
                Promise<Buffer> lost = asked;
                if (lost != null) {
                    lost.tryFail("closed");
                }
            });
            socket = fresh;
            fresh.write(request);
        });
        return promise.future();
    }

    /** Closes the connection, and fails a request that waits. */
    void close() {
        NetSocket open = socket;
        if (open != null) {
            open.close();
        }
    }

    private void read(Buffer chunk) {
        received.appendBuffer(chunk);
        if (head.isEmpty()) {
            int end = endOfHead(received);
            if (end < 0) {
                return;
            }
            head = received.getString(0, end, "ISO-8859-1").toLowerCase(Locale.ROOT) + "\r\n";
        }
        int at = head.indexOf("content-length: ");
        int length = at < 0 ? 0 : Integer.parseInt(head.substring(at + 16, head.indexOf("\r\n", at)));
        int start = head.length() + 2;
        if (received.length() < start + length) {
            return;
        }
        Promise<Buffer> promise = asked;
        asked = null;
        if (promise == null) {
            return;
        }
        if (head.startsWith("http/1.1 20") || head.startsWith("http/1.1 304")) {
            promise.tryComplete(received.slice(start, start + length));
        } else {
            promise.tryFail(received.toString(StandardCharsets.UTF_8));
        }
    }

    private static int endOfHead(Buffer received) {
        for (int i = 0; i + 3 < received.length(); i++) {
            if (received.getByte(i) == END_OF_HEAD[0]
                    && received.getByte(i + 1) == END_OF_HEAD[1]
                    && received.getByte(i + 2) == END_OF_HEAD[2]
                    && received.getByte(i + 3) == END_OF_HEAD[3]) {
                return i;
            }
        }
        return -1;
    }
}
