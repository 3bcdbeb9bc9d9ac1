package client;

import com.google.gson.ToNumberPolicy;
import org.openapitools.client.ApiClient;
import org.openapitools.client.JSON;

/** The client of a service, for OkHttp. */
final class Setup {
    private Setup() {}

    static ApiClient client(String url, String key) {
        ApiClient client = new ApiClient().setBasePath(url).addDefaultHeader("Authorization", "ApiKey " + key);
        // values of any type: Gson makes every number a double, unless it is told otherwise
        JSON.setGson(JSON.getGson()
                .newBuilder()
                .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
                .create());
        return client;
    }
}
