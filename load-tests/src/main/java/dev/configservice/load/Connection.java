package dev.configservice.load;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One HTTP connection to the service, one request at a time; made again where the server closed it. As lean as it can be: what
 * is measured shares the machine with it.
 */
final class Connection {
    private final NetClient net;
    private final int port;
    private volatile NetSocket socket;
    private Promise<Buffer> asked;
    private Buffer received = Buffer.buffer();

    Connection(NetClient net, int port) {
        this.net = net;
        this.port = port;
    }

    /** The body of the answer; fails with the whole answer where it is no success. */
    Future<Buffer> ask(String method, String path, String body) {
        Promise<Buffer> promise = Promise.promise();
        asked = promise;
        received = Buffer.buffer();
        Buffer request = Buffer.buffer(method + " " + path
                + " HTTP/1.1\r\nHost: load\r\nAuthorization: ApiKey admin-key\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body);
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
                socket = null;
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

    private void read(Buffer chunk) {
        received.appendBuffer(chunk);
        String text = received.toString(StandardCharsets.ISO_8859_1);
        int end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            return;
        }
        int at = text.toLowerCase(Locale.ROOT).indexOf("content-length: ");
        int length = Integer.parseInt(text.substring(at + 16, text.indexOf("\r\n", at)));
        if (received.length() < end + 4 + length) {
            return;
        }
        Promise<Buffer> promise = asked;
        asked = null;
        if (text.startsWith("HTTP/1.1 20")) {
            promise.complete(received.slice(end + 4, end + 4 + length));
        } else {
            promise.fail(text);
        }
    }
}
