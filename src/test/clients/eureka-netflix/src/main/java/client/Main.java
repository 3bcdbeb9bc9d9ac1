package client;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.appinfo.MyDataCenterInstanceConfig;
import com.netflix.appinfo.providers.EurekaConfigBasedInstanceInfoProvider;
import com.netflix.config.ConfigurationManager;
import com.netflix.discovery.DefaultEurekaClientConfig;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.shared.Application;
import com.netflix.discovery.shared.transport.jersey3.Jersey3TransportClientFactories;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.TreeMap;

/** Registers an instance, and answers each line of standard input with a line of JSON. Arguments: address, name, port. */
final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("eureka.serviceUrl.default", args[0]);
        settings.setProperty("eureka.name", args[1]);
        settings.setProperty("eureka.vipAddress", args[1]);
        settings.setProperty("eureka.port", args[2]);
        settings.setProperty("eureka.hostname", "127.0.0.1");
        settings.setProperty("eureka.instanceId", args[1] + ":" + args[2]);
        settings.setProperty("eureka.client.refresh.interval", "1");
        settings.setProperty("eureka.lease.renewalInterval", "1");
        settings.setProperty("eureka.lease.duration", "5");
        settings.setProperty("eureka.appinfo.initial.replicate.time", "0");
        settings.setProperty("eureka.appinfo.replicate.interval", "1");
        settings.setProperty("eureka.preferSameZone", "false");
        settings.setProperty("eureka.shouldUseDns", "false");
        settings.setProperty("eureka.metadata.zone", "test");
        ConfigurationManager.loadProperties(settings);
        MyDataCenterInstanceConfig config = new MyDataCenterInstanceConfig();
        InstanceInfo own = new EurekaConfigBasedInstanceInfoProvider(config).get();
        ApplicationInfoManager manager = new ApplicationInfoManager(config, own);
        DiscoveryClient client =
                new DiscoveryClient(manager, new DefaultEurekaClientConfig(), Jersey3TransportClientFactories.getInstance());
        manager.setInstanceStatus(InstanceStatus.UP);
        System.out.println("{\"ready\":true}");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = lines.readLine()) != null) {
            String[] words = line.split(" ", 2);
            if (words[0].equals("instances")) {
                System.out.println(instances(client.getApplication(words[1])));
            } else if (words[0].equals("status")) {
                manager.setInstanceStatus(InstanceStatus.valueOf(words[1]));
                System.out.println("{\"value\":true}");
            } else {
                client.shutdown();
                System.exit(0);
            }
        }
    }

    private static String instances(Application application) {
        TreeMap<String, String> statuses = new TreeMap<>();
        if (application != null) {
            application.getInstances().forEach(i -> statuses.put(i.getId(), i.getStatus().name()));
        }
        StringBuilder json = new StringBuilder("{\"value\":{");
        statuses.forEach((id, status) -> json.append(json.length() > 10 ? "," : "")
                .append('"')
                .append(id)
                .append("\":\"")
                .append(status)
                .append('"'));
        return json.append("}}").toString();
    }
}
