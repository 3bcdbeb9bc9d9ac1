package client;

import tools.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.cloud.context.refresh.ContextRefresher;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Reads its configuration as each line of standard input asks, and writes each result and each change as a line of JSON. */
@SpringBootApplication
@EnableConfigurationProperties(Main.Shop.class)
public class Main implements CommandLineRunner {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Environment environment;
    private final ContextRefresher refresher;
    private final Greeting greeting;
    private final Shop shop;

    public Main(Environment environment, ContextRefresher refresher, Greeting greeting, Shop shop) {
        this.environment = environment;
        this.refresher = refresher;
        this.greeting = greeting;
        this.shop = shop;
    }

    /** Properties that are bound from several keys. */
    @ConfigurationProperties("shop")
    public static class Shop {
        private List<String> currencies = List.of();
        private Map<String, Integer> limits = new LinkedHashMap<>();

        public List<String> getCurrencies() {
            return currencies;
        }

        public void setCurrencies(List<String> currencies) {
            this.currencies = currencies;
        }

        public Map<String, Integer> getLimits() {
            return limits;
        }

        public void setLimits(Map<String, Integer> limits) {
            this.limits = limits;
        }
    }

    /** A bean that is made anew when the configuration changes. */
    @Component
    @RefreshScope
    public static class Greeting {
        private final String text;

        public Greeting(@Value("${greeting:none}") String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }

    public static void main(String[] args) {
        SpringApplication.run(Main.class, args);
    }

    @EventListener
    public void changed(EnvironmentChangeEvent event) throws Exception {
        write(Map.of("changed", new TreeSet<>(event.getKeys())));
    }

    private static synchronized void write(Map<String, ?> line) throws Exception {
        System.out.println("> " + JSON.writeValueAsString(line));
    }

    @Override
    public void run(String... args) throws Exception {
        write(Map.of("ready", true));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = lines.readLine()) != null) {
            String[] words = line.split(" ", 2);
            switch (words[0]) {
                case "get" -> write(Map.of("value", String.valueOf(environment.getProperty(words[1]))));
                case "greeting" -> write(Map.of("value", greeting.text()));
                case "currencies" -> write(Map.of("value", shop.getCurrencies()));
                case "limits" -> write(Map.of("value", shop.getLimits()));
                case "refresh" -> write(Map.of("refreshed", new TreeSet<>(refresher.refresh())));
                default -> write(Map.of("unknown", line));
            }
        }
    }
}
