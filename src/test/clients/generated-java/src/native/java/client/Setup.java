package client;

import org.openapitools.client.ApiClient;

/** The client of a service, for the library of the JDK. */
final class Setup {
    private Setup() {}

    static ApiClient client(String url, String key) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(url);
        client.setRequestInterceptor(request -> request.header("Authorization", "ApiKey " + key));
        return client;
    }
}
