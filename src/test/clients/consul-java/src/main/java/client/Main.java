package client;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Registers a service and says each second that it passes; answers each line of standard input with a line of JSON.
 * Arguments: client, port of Consul, token, name, port, key to follow.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        int consul = Integer.parseInt(args[1]);
        int port = Integer.parseInt(args[4]);
        Client client =
                switch (args[0]) {
                    case "kiwi" -> new KiwiClient(consul, args[2], args[3], port);
                    case "ecwid" -> new EcwidClient(consul, args[2], args[3], port);
                    default -> new VertxClient(consul, args[2], args[3], port);
                };
        client.register();
        ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor();
        beats.scheduleAtFixedRate(() -> pass(client), 0, 1, TimeUnit.SECONDS);
        Map<String, String> instances = new ConcurrentHashMap<>();
        Map<String, String> values = new ConcurrentHashMap<>();
        client.watch(args[5], instances, values);
        System.out.println("> {\"ready\":true}");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = lines.readLine()) != null) {
            String[] words = line.split(" ", 3);
            switch (words[0]) {
                case "instances" -> write(json(instances));
                case "watched" -> write("\"" + values.getOrDefault(words[1], "") + "\"");
                case "put" -> {
                    client.put(words[1], words[2]);
                    write("\"" + client.get(words[1]) + "\"");
                }
                default -> {
                    beats.shutdownNow();
                    beats.awaitTermination(5, TimeUnit.SECONDS);
                    client.leave();
                    System.exit(0);
                }
            }
        }
    }

    private static void pass(Client client) {
        try {
            client.pass();
        } catch (Exception e) {
            try {
                client.register();
            } catch (Exception again) {
                System.out.println("not registered: " + again);
            }
        }
    }

    private static void write(String json) {
        System.out.println("> {\"value\":" + json + "}");
    }

    private static String json(Map<String, String> of) {
        StringBuilder json = new StringBuilder("{");
        new TreeMap<>(of)
                .forEach((k, v) -> json.append(json.length() > 1 ? "," : "")
                        .append('"')
                        .append(k)
                        .append("\":\"")
                        .append(v)
                        .append('"'));
        return json.append('}').toString();
    }

    /** Makes a map hold what another one does. */
    static void replace(Map<String, String> old, Map<String, String> now) {
        old.putAll(now);
        old.keySet().retainAll(now.keySet());
    }
}
