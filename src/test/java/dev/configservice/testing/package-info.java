/** What the tests share: a running service on real servers, a client, a proxy that cuts. */
package dev.configservice.testing;
