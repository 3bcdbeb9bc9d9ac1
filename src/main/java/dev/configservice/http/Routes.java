package dev.configservice.http;

import java.util.List;

/** The routes of a feature. */
@FunctionalInterface
public interface Routes {
    /** Returns the routes. Their order does not matter: a fixed segment always takes precedence over a parameter. */
    List<Route> routes();
}
