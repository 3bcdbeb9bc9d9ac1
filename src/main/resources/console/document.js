// A layer as a text: the formats in which it is shown, changed as a whole and read back.

import { typeOf } from "./diff.js";
import { exact, isExact, parse } from "./json.js";

/** The name of a key as a variable, as the service writes it. */
export function variable(key) {
  const name = key.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  return /^\d/.test(name) ? "_" + name : name;
}

/** A value where there are only strings. */
const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** Reads a value where there are only strings: it keeps the type that it had. */
function typed(key, text, known) {
  if (!known.has(key) || typeof known.get(key) === "string") return text;
  const type = typeOf(known.get(key));
  let value;
  try {
    value = parse(text);
  } catch {
    value = text;
  }
  if (typeOf(value) !== type) throw new Error(`${key} is a ${type}; to give it another type, choose lines, YAML or JSON`);
  return value;
}

const ESCAPES = { t: "\t", n: "\n", r: "\r", f: "\f" };
const unescape = (text) => text.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, code, c) => (code ? String.fromCharCode(parseInt(code, 16)) : ESCAPES[c] || c));

function escape(text, isKey) {
  const all = text.replace(/[\\\t\n\r\f]/g, (c) => "\\" + ({ "\t": "t", "\n": "n", "\r": "r", "\f": "f" }[c] || c));
  return isKey ? all.replace(/[ =:#!]/g, "\\$&") : all.replace(/^ /, "\\ ");
}

/** Returns the logical lines of a properties file with the numbers at which they begin. */
function logical(text) {
  const lines = [];
  let open = null;
  text.split(/\r\n|\r|\n/).forEach((line, i) => {
    const stripped = line.replace(/^[ \t\f]+/, "");
    if (!open && (!stripped || /^[#!]/.test(stripped))) return;
    const now = open || { at: i + 1, text: "" };
    const goesOn = /(^|[^\\])(\\\\)*\\$/.test(stripped);
    now.text += goesOn ? stripped.slice(0, -1) : stripped;
    if (!open) lines.push(now);
    open = goesOn ? now : null;
  });
  return lines;
}

/** Returns the schema of YAML in which numbers keep their digits. */
function schema() {
  const { CORE_SCHEMA, Type, types } = window.jsyaml;
  const keeping = (tag, type) => new Type(tag, {
    kind: "scalar",
    resolve: type.resolve,
    construct: (source) => { const value = exact(source); return typeof value === "number" ? type.construct(source) : value; },
    predicate: (value) => type.predicate(value) || (type === types.float && isExact(value)),
    represent: (value, style) => (isExact(value) ? value.rawJSON : typeof type.represent === "function" ? type.represent(value, style) : type.represent[style || type.defaultStyle](value)),
    defaultStyle: type.defaultStyle,
  });
  return CORE_SCHEMA.extend({ implicit: [keeping("tag:yaml.org,2002:int", types.int), keeping("tag:yaml.org,2002:float", types.float)] });
}

/**
 * The formats. Each writes entries, pairs of a key and a value, and reads them back: it calls `add(key, value, line)`, and throws for a
 * text that it cannot read at all. `known` has the values that were shown.
 */
const FORMATS = {
  lines: {
    name: "Lines",
    hint: "Key = value, the value as JSON",
    write: (entries) => entries.map(([key, value]) => key + " = " + JSON.stringify(value)).join("\n"),
    read: (text, known, add) => text.split("\n").forEach((line, i) => {
      if (!line.trim() || line.trim().startsWith("#")) return;
      const at = line.indexOf("=");
      if (at < 0) add(line.trim(), () => { throw new Error("has no ="); }, i + 1);
      else add(line.slice(0, at).trim(), () => parse(line.slice(at + 1)), i + 1);
    }),
  },
  properties: {
    name: "Properties",
    hint: "As java.util.Properties reads it; what was a number stays one, new values are strings",
    write: (entries) => entries.map(([key, value]) => escape(key, true) + "=" + escape(plain(value), false)).join("\n"),
    read: (text, known, add) => logical(text).forEach((line) => {
      const [, key, value] = /^((?:\\[\s\S]|[^\\ \t\f=:])*)[ \t\f]*(?:[=:][ \t\f]*)?([\s\S]*)$/.exec(line.text);
      add(unescape(key), () => typed(unescape(key), unescape(value), known), line.at);
    }),
  },
  yaml: {
    name: "YAML",
    hint: "A key in a line; a dot is a part of the key, what is indented is its value",
    write: (entries) => window.jsyaml.dump(Object.fromEntries(entries), { lineWidth: -1, noRefs: true, schema: schema() }),
    read: (text, known, add) => {
      const tree = window.jsyaml.load(text, { schema: schema() });
      if (tree === null || tree === undefined) return;
      if (typeOf(tree) !== "object") throw new Error("must be keys with values");
      Object.entries(tree).forEach(([key, value]) => add(key, () => value, 0));
    },
  },
  env: {
    name: "Variables",
    hint: "NAME='value', as a shell reads it; what was a number stays one, new values are strings",
    write: (entries) => entries.map(([key, value]) => `${variable(key)}='${plain(value).replace(/'/g, "'\\''")}'`).join("\n"),
    read: (text, known, add) => {
      const keys = new Map([...known.keys()].map((key) => [variable(key), key]));
      const line = /[ \t]*(?:#[^\n]*|(?:export[ \t]+)?([A-Za-z_][\w.]*)=((?:'[^']*'|\\'|"(?:\\[\s\S]|[^"\\])*"|[^\s'"\\#])*)[ \t]*(?:#[^\n]*)?)?(?:\r?\n|$)/y;
      let at = 1;
      while (line.lastIndex < text.length) {
        const begin = line.lastIndex;
        const found = line.exec(text);
        if (!found) throw new Error(`line ${at} must be NAME='value'`);
        const key = found[1] === undefined ? undefined : keys.get(found[1]) || found[1];
        if (key !== undefined) {
          const value = found[2].replace(/'([^']*)'|\\(')|"((?:\\[\s\S]|[^"\\])*)"/g, (_, single, quote, double) => (double !== undefined ? double.replace(/\\([\s\S])/g, (all, c) => (c === "n" ? "\n" : /["\\$`]/.test(c) ? c : all)) : quote || single));
          add(key, () => typed(key, value, known), at);
        }
        at += text.slice(begin, line.lastIndex).split("\n").length - 1;
      }
    },
  },
  json: {
    name: "JSON",
    hint: "One object",
    write: (entries) => JSON.stringify(Object.fromEntries(entries), null, 2),
    read: (text, known, add) => {
      const tree = parse(text);
      if (typeOf(tree) !== "object") throw new Error("must be an object");
      Object.entries(tree).forEach(([key, value]) => add(key, () => value, 0));
    },
  },
};

/** Loads what a format needs, once. */
export function prepare(format) {
  if (format !== "yaml" || window.jsyaml) return Promise.resolve();
  return new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = new URL("yaml-lib.js", import.meta.url).href;
    script.onload = done;
    script.onerror = () => { script.remove(); fail(new Error("The reader of YAML could not be loaded; try again")); };
    document.head.append(script);
  });
}

/** Returns the names of the formats with what they are called and a hint. */
export const formats = () => Object.entries(FORMATS).map(([id, { name, hint }]) => ({ id, name, hint }));

/** Returns why entries cannot be shown in a format; empty if they can. */
export function unfit(format, entries) {
  if (format !== "env") return "";
  const broken = entries.find(([, value]) => plain(value).includes("\r"));
  if (broken) return `${broken[0]} has a carriage return, which variables lose`;
  const names = new Map();
  for (const [key] of entries) {
    const other = names.get(variable(key));
    if (other !== undefined) return `${other} and ${key} both become ${variable(key)}`;
    names.set(variable(key), key);
  }
  return "";
}

/** Writes entries as a text. @param {[string, any][]} entries */
export function writeDocument(format, entries) {
  return FORMATS[format].write(entries);
}

/**
 * Reads a text.
 * @param {Map<string, any>} known the values that were shown
 * @returns {{values: Map<string, any>, problems: string[]}} the problems, each with its line where there is one
 */
export function readDocument(format, text, known) {
  const values = new Map();
  const problems = [];
  const add = (key, value, line) => {
    const where = line ? `line ${line}: ` : key + ": ";
    try {
      if (!key) throw new Error("has no key");
      if (values.has(key)) throw new Error("gives " + key + " twice");
      const read = value();
      if (read === null) throw new Error("may not be null");
      if (typeof read === "number" && !Number.isFinite(read)) throw new Error("is not a number of JSON");
      values.set(key, read);
    } catch (e) {
      problems.push(where + e.message);
    }
  };
  try {
    FORMATS[format].read(text, known, add);
  } catch (e) {
    problems.push(e.message);
  }
  return { values, problems };
}
