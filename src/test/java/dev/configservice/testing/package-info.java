/** Support for the tests: a running service on real servers, a client, and a proxy that cuts connections. */
package dev.configservice.testing;
