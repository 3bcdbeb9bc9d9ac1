package client;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalancerClient;
import org.springframework.context.ApplicationContext;

/** Registers an instance, and answers each line of standard input with a line of JSON. */
@SpringBootApplication
public class Main implements CommandLineRunner {
    private final ApplicationContext context;
    private final DiscoveryClient discovery;
    private final LoadBalancerClient balancer;

    public Main(ApplicationContext context, DiscoveryClient discovery, LoadBalancerClient balancer) {
        this.context = context;
        this.discovery = discovery;
        this.balancer = balancer;
    }

    public static void main(String[] args) {
        SpringApplication.run(Main.class, args);
    }

    private static synchronized void write(String name, String json) {
        System.out.println("> {\"" + name + "\":" + json + "}");
    }

    private static String text(String text) {
        return "\"" + text + "\"";
    }

    /** Answers on a thread of its own: an application that is not ready takes no notice of changes. */
    @Override
    public void run(String... args) {
        new Thread(this::answer).start();
    }

    private void answer() {
        write("ready", "true");
        try {
            answerLines();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void answerLines() throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = lines.readLine()) != null) {
            String[] words = line.split(" ", 2);
            switch (words[0]) {
                case "instances" -> write("value", instances(words[1]));
                case "watched" -> write("value", text(context.getEnvironment().getProperty(words[1], "")));
                case "choose" -> write("value", text(address(balancer.choose(words[1]))));
                default -> System.exit(SpringApplication.exit(context));
            }
        }
    }

    private String instances(String service) {
        Map<String, String> statuses = new TreeMap<>();
        for (ServiceInstance instance : discovery.getInstances(service)) {
            statuses.put(instance.getInstanceId(), instance.getUri().toString());
        }
        StringBuilder json = new StringBuilder("{");
        statuses.forEach((id, status) -> json.append(json.length() > 1 ? "," : "")
                .append(text(id))
                .append(':')
                .append(text(status)));
        return json.append('}').toString();
    }

    private static String address(ServiceInstance instance) {
        return instance == null ? "none" : instance.getUri().toString();
    }
}
