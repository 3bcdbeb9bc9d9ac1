package dev.configservice.error;

/** A field of a request that breaks a rule, and the rule. The message never contains the value. */
public record FieldError(String field, String message) {}
