package dev.configservice.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A proxy between the service and one of its servers. It can cut a connection at a chosen moment, hold back responses,
 * and refuse new connections. It selects a connection by a string that the client has sent on it, such as a part of a
 * statement.
 */
public final class TcpProxy implements AutoCloseable {
    private final ServerSocket listener;
    private volatile int target;
    private final List<Pair> pairs = new CopyOnWriteArrayList<>();
    private volatile boolean refusing;
    private volatile boolean silent;
    private final AtomicInteger swallowed = new AtomicInteger();
    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile String cutAnswerOf = "";
    private volatile String cutRequestOf = "";
    private volatile String holdAnswersOf = "";
    private volatile CountDownLatch held = new CountDownLatch(1);
    private volatile CountDownLatch happened = new CountDownLatch(1);

    public TcpProxy(int target) {
        this.target = target;
        try {
            this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon("proxy-accept", this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Sends new connections to another port. */
    public void lead(int newTarget) {
        target = newTarget;
    }

    /** Drops the next response on a connection on which the client has sent the string, and cuts the connection. */
    public CountDownLatch cutAnswerOf(String text) {
        happened = new CountDownLatch(1);
        cutAnswerOf = text;
        return happened;
    }

    /** Drops the next request on a connection on which the client has sent the string, and cuts the connection. */
    public CountDownLatch cutRequestOf(String text) {
        happened = new CountDownLatch(1);
        cutRequestOf = text;
        return happened;
    }

    /**
     * Holds back responses on connections on which the client has sent the string. The latch opens when one is held.
     */
    public CountDownLatch holdAnswersOf(String text) {
        happened = new CountDownLatch(1);
        held = new CountDownLatch(1);
        holdAnswersOf = text;
        return happened;
    }

    public void release() {
        holdAnswersOf = "";
        held.countDown();
    }

    /** Refuses new connections, or accepts them again. */
    public void refuse(boolean refuse) {
        refusing = refuse;
    }

    /** Accepts new connections without ever answering on them, or forwards those that come from now on. */
    public void silence(boolean silence) {
        silent = silence;
    }

    /** Returns how many connections were never answered, open or not. */
    public int swallowed() {
        return swallowed.get();
    }

    /** Returns how many connections that were never answered are still open. */
    public int unanswered() {
        return unanswered.get();
    }

    private void swallow(Socket client) {
        swallowed.incrementAndGet();
        unanswered.incrementAndGet();
        daemon("proxy-silent", () -> {
            try (client) {
                client.getInputStream().transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                // the client gave the connection up
            } finally {
                unanswered.decrementAndGet();
            }
        });
    }

    /** Cuts all connections. */
    public void cutAll() {
        pairs.forEach(Pair::cut);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                if (refusing) {
                    client.close();
                    continue;
                }
                if (silent) {
                    swallow(client);
                    continue;
                }
                Socket server = connect(client);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                Pair pair = new Pair(client, server);
                pairs.add(pair);
                daemon("proxy-up", pair::up);
                daemon("proxy-down", pair::down);
            } catch (IOException e) {
                // the listener was closed, or the target is unreachable: the client sees a closed connection
            }
        }
    }

    private Socket connect(Socket client) throws IOException {
        try {
            return new Socket(InetAddress.getLoopbackAddress(), target);
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private final class Pair {
        private final Socket client;
        private final Socket server;

        @SuppressWarnings("JdkObsolete") // written by one thread, read by another
        private final StringBuffer sent = new StringBuffer();

        Pair(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        boolean has(String text) {
            return !text.isEmpty() && sent.indexOf(text) >= 0;
        }

        void up() {
            copy(client, server, bytes -> {
                sent.append(bytes);
                if (has(cutRequestOf)) {
                    cutRequestOf = "";
                    cut();
                    happened.countDown();
                    return false;
                }
                return true;
            });
        }

        void down() {
            copy(server, client, bytes -> {
                if (has(cutAnswerOf)) {
                    cutAnswerOf = "";
                    cut();
                    happened.countDown();
                    return false;
                }
                if (has(holdAnswersOf)) {
                    happened.countDown();
                    try {
                        held.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                }
                return true;
            });
        }

        private void copy(Socket from, Socket to, java.util.function.Predicate<String> pass) {
            byte[] buffer = new byte[64 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                int n;
                while ((n = in.read(buffer)) > 0) {
                    if (!pass.test(new String(buffer, 0, n, StandardCharsets.ISO_8859_1))) {
                        return;
                    }
                    out.write(buffer, 0, n);
                    out.flush();
                }
            } catch (IOException e) {
                // one side closed its connection: the other is closed below
            } finally {
                cut();
            }
        }

        void cut() {
            pairs.remove(this);
            try {
                client.close();
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cutAll();
    }
}
