package dev.configservice.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Free ports. They lie below those that the system gives to outgoing connections, and none is given twice: a port stays
 * free until its server starts.
 */
public final class Ports {
    private static final int FROM = 20_000;
    private static final int TO = 32_000;
    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(TO - FROM));

    private Ports() {}

    public static int free() {
        for (int tries = FROM; tries < TO; tries++) {
            int port = FROM + Math.floorMod(NEXT.getAndIncrement(), TO - FROM);
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("no port from " + FROM + " to " + TO + " is free");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
