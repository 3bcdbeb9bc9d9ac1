package dev.configservice.http;

import java.util.List;

/** A feature's routes. */
@FunctionalInterface
public interface Routes {
    /** Lists them. The order has no meaning: a fixed path segment always wins over a parameter. */
    List<Route> routes();
}
