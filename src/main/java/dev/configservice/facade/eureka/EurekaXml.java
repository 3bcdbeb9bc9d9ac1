package dev.configservice.facade.eureka;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.io.ByteArrayInputStream;
import java.util.Map;
import java.util.regex.Pattern;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Eureka's JSON as XML, and back. A member that begins with {@code @} is an attribute, {@code $} is the text of an element,
 * and an array is an element for each of its members.
 */
final class EurekaXml {
    private static final int MAX_DEPTH = 20;
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]*");
    private static final XMLInputFactory FACTORY = factory();

    private EurekaXml() {}

    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        return factory;
    }

    /** Writes an element. Members whose names XML does not allow are left out. */
    static void write(String name, JsonNode value, StringBuilder out) {
        if (value.isNull() || !NAME.matcher(name).matches()) {
            return;
        }
        if (value.isArray()) {
            value.forEach(element -> write(name, element, out));
            return;
        }
        String tag = name.equals("overriddenStatus") ? "overriddenstatus" : name;
        out.append('<').append(tag);
        if (!value.isObject()) {
            escape(value.asText(), out.append('>'));
        } else {
            // the names of metadata are data
            boolean isData = name.equals("metadata");
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                if (!isData && isAttribute(member.getKey())) {
                    out.append(' ').append(member.getKey(), 1, member.getKey().length());
                    escape(member.getValue().asText(), out.append("=\""));
                    out.append('"');
                }
            }
            out.append('>');
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                if (!isData && member.getKey().equals("$")) {
                    escape(member.getValue().asText(), out);
                } else {
                    // attributes are no names of elements, and so left out
                    write(member.getKey(), member.getValue(), out);
                }
            }
        }
        out.append("</").append(tag).append('>');
    }

    private static boolean isAttribute(String name) {
        return name.startsWith("@") && NAME.matcher(name.substring(1)).matches();
    }

    private static void escape(String text, StringBuilder out) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                case '\t', '\n', '\r' -> out.append("&#").append((int) c).append(';');
                // characters that XML cannot hold in any form
                default -> out.append(c < ' ' || c == '\uFFFE' || c == '\uFFFF' ? '\uFFFD' : c);
            }
        }
    }

    /** Tells whether a body is XML, by its first character that is no blank. */
    static boolean isXml(byte[] body) {
        int at = start(body);
        return at < body.length && body[at] == '<';
    }

    /** Returns the index after blanks, and after the mark by which some texts begin. */
    private static int start(byte[] body) {
        int at = body.length > 2 && body[0] == (byte) 0xEF && body[1] == (byte) 0xBB && body[2] == (byte) 0xBF ? 3 : 0;
        while (at < body.length && Character.isWhitespace(body[at])) {
            at++;
        }
        return at;
    }

    /** Reads a document, and returns its root element as a member of an object. Fails if it is not well-formed. */
    static ObjectNode read(byte[] document) {
        try {
            XMLStreamReader xml =
                    FACTORY.createXMLStreamReader(new ByteArrayInputStream(document, start(document), document.length));
            while (xml.next() != XMLStreamConstants.START_ELEMENT) {
                // comments and the like before the root element
            }
            ObjectNode root = Json.object();
            root.set(xml.getLocalName(), element(xml, 0));
            return root;
        } catch (XMLStreamException | RuntimeException e) {
            throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body is not well-formed XML");
        }
    }

    private static JsonNode element(XMLStreamReader xml, int depth) throws XMLStreamException {
        if (depth > MAX_DEPTH) {
            throw new XMLStreamException("too deep");
        }
        ObjectNode object = Json.object();
        for (int i = 0; i < xml.getAttributeCount(); i++) {
            object.put("@" + xml.getAttributeLocalName(i), xml.getAttributeValue(i));
        }
        StringBuilder text = new StringBuilder();
        int event;
        while ((event = xml.next()) != XMLStreamConstants.END_ELEMENT) {
            if (event == XMLStreamConstants.START_ELEMENT) {
                String name = xml.getLocalName();
                JsonNode child = element(xml, depth + 1);
                JsonNode known = object.get(name);
                if (known == null) {
                    object.set(name, child);
                } else {
                    ArrayNode several = known instanceof ArrayNode array
                            ? array
                            : object.arrayNode().add(known);
                    object.set(name, several.add(child));
                }
            } else if (event == XMLStreamConstants.CHARACTERS) {
                text.append(xml.getText());
            }
        }
        String content = text.toString().strip();
        if (object.isEmpty()) {
            return object.textNode(content);
        }
        return content.isEmpty() ? object : object.put("$", content);
    }
}
