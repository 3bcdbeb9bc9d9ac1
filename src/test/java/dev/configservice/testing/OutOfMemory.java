package dev.configservice.testing;

import java.util.ArrayList;
import java.util.List;

/** A program that runs out of memory in one thread while another thread could continue. */
public final class OutOfMemory {
    private OutOfMemory() {}

    public static void main(String[] arguments) throws InterruptedException {
        Thread greedy = new Thread(() -> {
            List<byte[]> kept = new ArrayList<>();
            while (kept.size() < Integer.MAX_VALUE) {
                kept.add(new byte[1 << 20]);
            }
        });
        greedy.start();
        greedy.join();
        System.exit(0);
    }
}
