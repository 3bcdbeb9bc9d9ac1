// Differences of typed values.

import { isExact, parse } from "./json.js";
import { html, plain } from "./ui.js";

/** Tells whether two JSON values are equal. */
export function same(a, b) {
  if (a === b) return true;
  if (typeof a !== typeof b || a === null || b === null || typeof a !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => k in b && same(a[k], b[k]));
}

/** Returns what the type of a value is called. */
export function typeOf(value) {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return "array";
  return typeof value === "object" ? (isExact(value) ? "number" : "object") : typeof value;
}

/** Returns the lines of a value as they are compared. */
export function text(value) {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** Returns a view of the difference: words within a line of text, lines of anything longer. */
export function difference(before, after) {
  const a = text(before);
  const b = text(after);
  const isWords = !a.includes("\n") && !b.includes("\n");
  const parts = isWords ? window.Diff.diffWordsWithSpace(a, b) : window.Diff.diffLines(a, b);
  if (isWords) {
    return html`<div class="diff">
      ${before === undefined ? "" : html`<div class="removed"><span aria-label="removed">−</span> ${parts.map((p) => (p.added ? "" : p.removed ? html`<del>${p.value}</del>` : p.value))}</div>`}
      ${after === undefined ? "" : html`<div class="added"><span aria-label="added">+</span> ${parts.map((p) => (p.removed ? "" : p.added ? html`<ins>${p.value}</ins>` : p.value))}</div>`}
    </div>`;
  }
  return html`<div class="diff">${parts.map((p) =>
    p.value.replace(/\n$/, "").split("\n").map((line) => html`<div class=${p.added ? "added" : p.removed ? "removed" : ""}><span aria-hidden="true">${p.added ? "+" : p.removed ? "−" : " "}</span> ${line}</div>`),
  )}</div>`;
}

/** Returns the fields in which two resources differ, without those that every write changes. */
export function fields(before, after) {
  const ignored = new Set(["version", "revision", "updated_at", "updated_by", "created_at", "created_by", "id", "commitment"]);
  const names = [...new Set([...Object.keys(before || {}), ...Object.keys(after || {})])];
  return names.filter((n) => !ignored.has(n) && !same((before || {})[n], (after || {})[n]));
}

/** Returns a view of the fields in which two resources differ. */
export function fieldDifferences(before, after) {
  const changed = fields(before, after);
  if (!changed.length) return html`<p class="quiet">No field differs.</p>`;
  return changed.map((name) => html`<div class="field-diff"><b>${name}</b>${difference(before ? before[name] : undefined, after ? after[name] : undefined)}</div>`);
}

/**
 * Merges a change with one that was made meanwhile: fields that only one side changed are taken from it.
 * @returns {{merged: object, conflicts: string[]}} conflicts are the fields that both changed, differently
 */
export function merge(base, mine, theirs) {
  const merged = { ...theirs };
  const conflicts = [];
  for (const name of Object.keys(mine)) {
    const iChanged = !same(base[name], mine[name]);
    const theyChanged = !same(base[name], theirs[name]);
    if (iChanged && theyChanged && !same(mine[name], theirs[name])) conflicts.push(name);
    if (iChanged) merged[name] = mine[name];
  }
  return { merged, conflicts };
}

/** Reads what was typed as a value of a type: JSON, or a string as it is. */
export function read(typed, type) {
  if (type === "string") return typed;
  return parse(typed);
}

export { plain };
