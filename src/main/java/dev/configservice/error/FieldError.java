package dev.configservice.error;

/** One field of a request that breaks a rule, and the rule. The message never holds the value. */
public record FieldError(String field, String message) {}
