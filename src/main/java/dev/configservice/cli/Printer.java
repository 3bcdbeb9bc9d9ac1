package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** The output of a command: tables and coloured differences for people, JSON for programs. */
final class Printer {
    private static final int MAX_CELL = 60;
    private static final String RED = "\u001B[31m";
    private static final String GREEN = "\u001B[32m";
    private static final String YELLOW = "\u001B[33m";
    private static final String BOLD = "\u001B[1m";
    private static final String RESET = "\u001B[0m";

    private final PrintStream out;
    private final boolean isColored;

    Printer(PrintStream out, boolean isColored) {
        this.out = out;
        this.isColored = isColored;
    }

    void line(String text) {
        out.println(text);
    }

    void json(JsonNode node) {
        out.println(node.isTextual() ? Json.write(node) : node.toPrettyString());
    }

    /** Prints a value for a script: a string as it is, anything else as JSON. */
    void value(JsonNode value) {
        out.println(plain(value));
    }

    /** Prints rows under headings, each column as wide as it needs to be. */
    void table(List<String> headings, List<List<String>> rows) {
        List<Integer> widths = new ArrayList<>();
        for (int i = 0; i < headings.size(); i++) {
            int width = headings.get(i).length();
            for (List<String> row : rows) {
                width = Math.max(width, cell(row.get(i)).length());
            }
            widths.add(width);
        }
        out.println(colored(BOLD, row(headings, widths)));
        rows.forEach(row -> out.println(row(row, widths)));
    }

    private static String row(List<String> cells, List<Integer> widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String cell = cell(cells.get(i));
            line.append(cell);
            if (i < cells.size() - 1) {
                line.append(" ".repeat(widths.get(i) - cell.length() + 2));
            }
        }
        return line.toString();
    }

    private static String cell(String text) {
        String flat = flat(text);
        return flat.length() <= MAX_CELL ? flat : flat.substring(0, MAX_CELL - 3) + "...";
    }

    /** Returns a string without control characters, which could do things to a terminal. */
    private static String flat(String text) {
        return text.replaceAll("\\p{Cntrl}", " ");
    }

    /** Returns a value as a person reads it: strings as they are, nothing for null. */
    static String plain(JsonNode value) {
        return value.isTextual() ? value.textValue() : value.isNull() || value.isMissingNode() ? "" : Json.write(value);
    }

    void added(String text) {
        out.println(colored(GREEN, "+ " + flat(text)));
    }

    void removed(String text) {
        out.println(colored(RED, "- " + flat(text)));
    }

    void changed(String text) {
        out.println(colored(YELLOW, "~ " + flat(text)));
    }

    void indented(String sign, JsonNode value) {
        String color = sign.equals("+") ? GREEN : RED;
        out.println(colored(color, "    " + sign + " " + cell(plain(value))));
    }

    private String colored(String color, String text) {
        return isColored ? color + text + RESET : text;
    }
}
