// Editing the rules, prerequisites and variants of a flag without writing JSON.

import { parse } from "./json.js";
import { field, html, svg } from "./ui.js";

/** The operators, as they read after "is". */
const OPERATORS = {
  in: "one of", not_in: "none of", eq: "equal to", starts_with: "starting with", ends_with: "ending with", contains: "containing", matches: "matching the pattern", gt: "greater than", gte: "at least", lt: "less than", lte: "at most",
  semver_eq: "the version", semver_gt: "a version after", semver_lt: "a version before", before: "a time before", after: "a time after", exists: "present",
};
/** Operators whose values may be numbers and booleans: for the others, what looks like a number is a string. */
const TYPED = new Set(["in", "not_in", "eq", "gt", "gte", "lt", "lte"]);
const SCALAR = /^(true|false|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/;

/** Reads values separated by commas. What is in double quotes is a string; in an operator that takes them, 12 is a number. */
export function readValues(text, operator) {
  return (text.match(/\s*("(?:[^"\\]|\\.)*"|[^,]+)/g) || [])
    .map((v) => v.trim())
    .filter(Boolean)
    .map((v) => (v.startsWith('"') ? JSON.parse(v) : TYPED.has(operator) && SCALAR.test(v) ? parse(v) : v));
}

/** Writes values so that {@link readValues} reads the same. */
export function writeValues(values, operator) {
  return (values || []).map((v) => (typeof v !== "string" ? JSON.stringify(v) : v !== v.trim() || v === "" || /[",]/.test(v) || (TYPED.has(operator) && SCALAR.test(v)) ? JSON.stringify(v) : v)).join(", ");
}

/** Returns a condition as it reads. */
export function condition(c) {
  return html`<code>${c.attribute}</code> is ${c.negate ? "not " : ""}${OPERATORS[c.operator] || c.operator} ${(c.values || []).map((x) => html`<code>${JSON.stringify(x)}</code> `)}`;
}

const without = (all, i) => all.filter((_, n) => n !== i);
const replaced = (all, i, value) => all.map((x, n) => (n === i ? value : x));
const moved = (all, i, by) => {
  const next = all.slice();
  next.splice(i + by, 0, ...next.splice(i, 1));
  return next;
};

/** The rule that is being dragged, among those that it may be dropped on. */
let drag = { rules: null, from: 0 };

/**
 * Returns the editor of rules.
 * @param {object[]} rules as they are stored
 * @param {object[]} variants those that a rule may give
 * @param {(rules: object[]) => void} set takes the changed rules
 */
export function ruleEditor(rules, variants, set, isLocked) {
  const change = (i, fields) => set(replaced(rules, i, { ...rules[i], ...fields }));
  const constraint = (i, n, fields) => change(i, { constraints: replaced(rules[i].constraints, n, { ...rules[i].constraints[n], ...fields }) });
  const row = (c, i, n) => html`<div class="constraint">
    <input aria-label="Attribute" placeholder="attribute, e.g. country" spellcheck="false" ?disabled=${isLocked} .value=${c.attribute || ""} @change=${(e) => constraint(i, n, { attribute: e.target.value.trim() })}>
    <select aria-label="Negated" ?disabled=${isLocked} @change=${(e) => constraint(i, n, { negate: e.target.value === "not" })}><option .selected=${!c.negate} value="">is</option><option .selected=${!!c.negate} value="not">is not</option></select>
    <select aria-label="Operator" ?disabled=${isLocked} @change=${(e) => constraint(i, n, { operator: e.target.value, values: e.target.value === "exists" ? undefined : readValues(writeValues(c.values, c.operator), e.target.value) })}>${Object.entries(OPERATORS).map(([o, label]) => html`<option value=${o} .selected=${o === c.operator}>${label}</option>`)}</select>
    ${c.operator === "exists" ? "" : html`<input aria-label="Values" class="wide" placeholder="values, separated by commas" spellcheck="false" ?disabled=${isLocked} .value=${writeValues(c.values, c.operator)} @change=${(e) => {
      try {
        constraint(i, n, { values: readValues(e.target.value, c.operator) });
        e.target.setCustomValidity("");
      } catch (x) {
        e.target.setCustomValidity("not a string in quotes: " + x.message);
        e.target.reportValidity();
      }
    }}>`}
    <button class="small ghost" aria-label="Remove the condition" ?disabled=${isLocked} @click=${() => change(i, { constraints: without(rules[i].constraints, n) })}>✕</button></div>`;
  return html`${rules.map((r, i) => html`<fieldset class="rule" @dragover=${(e) => { if (drag.rules === rules) e.preventDefault(); }} @drop=${(e) => {
      if (drag.rules !== rules) return;
      e.preventDefault();
      if (drag.from !== i) set(moved(rules, drag.from, i - drag.from));
    }}><legend>${isLocked || rules.length < 2 ? "" : html`<span class="grip" draggable="true" title="Drag to move the rule" aria-hidden="true" @dragstart=${(e) => {
      drag = { rules, from: i };
      e.dataTransfer.effectAllowed = "move";
      e.dataTransfer.setData("text/plain", "Rule " + (i + 1));
      e.dataTransfer.setDragImage(e.target.closest("fieldset"), 10, 10);
    }} @dragend=${() => { drag = { rules: null, from: 0 }; }}>⠿</span> `}Rule ${i + 1}</legend>
      ${(r.constraints || []).map((c, n) => row(c, i, n))}
      ${(r.constraints || []).length ? "" : html`<p class="quiet">No conditions: it holds for everybody.</p>`}
      <div class="constraint"><button class="small" ?disabled=${isLocked} @click=${() => change(i, { constraints: [...(r.constraints || []), { attribute: "", operator: "in", values: [] }] })}>Add a condition</button>
        <label>then <input type="number" min="0" max="100" step="0.01" placeholder="100" aria-label="Percentage of those who match" ?disabled=${isLocked} .value=${r.rollout_percentage === null || r.rollout_percentage === undefined ? "" : String(r.rollout_percentage)} @change=${(e) => change(i, { rollout_percentage: e.target.value === "" ? null : Number(e.target.value) })}> %</label>
        ${variants.length ? html`<select aria-label="Variant" ?disabled=${isLocked} @change=${(e) => change(i, { variant: e.target.value || null })}><option value="" .selected=${!r.variant}>by weight</option>${variants.map((v) => html`<option value=${v.name} .selected=${v.name === r.variant}>${v.name}</option>`)}</select>` : ""}
        <input class="wide" aria-label="Description of the rule" placeholder="description" ?disabled=${isLocked} .value=${r.description || ""} @change=${(e) => change(i, { description: e.target.value || null })}>
        <button class="small ghost" aria-label="Move up" ?disabled=${isLocked || i === 0} @click=${() => set(moved(rules, i, -1))}>↑</button><button class="small ghost" aria-label="Move down" ?disabled=${isLocked || i === rules.length - 1} @click=${() => set(moved(rules, i, 1))}>↓</button>
        <button class="small ghost" ?disabled=${isLocked} @click=${() => set(without(rules, i))}>Remove the rule</button></div></fieldset>`)}
    <button class="small" ?disabled=${isLocked} @click=${() => set([...rules, { constraints: [{ attribute: "", operator: "in", values: [] }] }])}>Add a rule</button>`;
}

/** Returns the editor of prerequisites: flags that must be on, or give a variant. */
export function prerequisiteEditor(all, set, isLocked) {
  const parts = (p) => (typeof p === "string" ? { flag_name: p, variant: "" } : { flag_name: p.flag_name, variant: p.variant || "" });
  const change = (i, fields) => {
    const next = { ...parts(all[i]), ...fields };
    set(replaced(all, i, next.variant ? next : next.flag_name));
  };
  return html`${all.map((p, i) => html`<div class="constraint"><input aria-label="Flag" placeholder="flag" spellcheck="false" ?disabled=${isLocked} .value=${parts(p).flag_name} @change=${(e) => change(i, { flag_name: e.target.value.trim() })}> <span>is</span>
      <input aria-label="Variant of the flag" placeholder="on" spellcheck="false" ?disabled=${isLocked} .value=${parts(p).variant} @change=${(e) => change(i, { variant: e.target.value.trim() })}>
      <button class="small ghost" aria-label="Remove the prerequisite" ?disabled=${isLocked} @click=${() => set(without(all, i))}>✕</button></div>`)}
    <button class="small" ?disabled=${isLocked} @click=${() => set([...all, ""])}>Add a prerequisite</button>`;
}

/** Returns the shares of variants as one bar with their names. */
export function variantBar(all) {
  const sum = all.reduce((n, v) => n + (v.weight || 0), 0);
  if (!all.length || !sum) return all.map((v) => html`<span class="chip">${v.name}</span>`);
  let from = 0;
  const parts = all.map((v) => ({ name: v.name, at: from, width: (100 * (v.weight || 0)) / sum, end: (from += (100 * (v.weight || 0)) / sum) }));
  const told = parts.map((p) => `${p.name} ${Math.round(p.width * 10) / 10} %`).join(", ");
  return html`<span class="variant-bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label=${told}><title>${told}</title>${parts.map((p, i) => svg`<rect class="v${i % 6}" x=${p.at} y="0" width=${p.width} height="10"></rect>`)}</svg>
    <small>${parts.slice(0, 4).map((p, i) => html`<span class="key-dot v${i % 6}" aria-hidden="true"></span>${p.name} `)}${parts.length > 4 ? `and ${parts.length - 4} more` : ""}</small></span>`;
}

/** Returns the editor of variants: names, values as JSON, and weights with the share that they come to. */
export function variantEditor(all, set, isLocked) {
  const sum = all.reduce((n, v) => n + (v.weight || 0), 0) || 1;
  const change = (i, fields) => set(replaced(all, i, { ...all[i], ...fields }));
  return html`${all.length ? html`<div class="scroll"><table class="variants"><thead><tr><th>Variant</th><th>Value, as JSON</th><th class="narrow">Weight</th><th>Share</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead><tbody>${all.map((v, i) => html`<tr>
      <td><input aria-label="Name of the variant" spellcheck="false" ?disabled=${isLocked} .value=${v.name || ""} @change=${(e) => change(i, { name: e.target.value.trim() })}></td>
      <td><input aria-label="Value of ${v.name}" spellcheck="false" ?disabled=${isLocked} .value=${JSON.stringify(v.value)} @change=${(e) => {
        try {
          change(i, { value: parse(e.target.value) });
          e.target.setCustomValidity("");
        } catch (x) {
          e.target.setCustomValidity("not JSON (a string needs quotes): " + x.message);
          e.target.reportValidity();
        }
      }}></td>
      <td class="narrow"><input type="number" min="0" step="1" aria-label="Weight of ${v.name}" ?disabled=${isLocked} .value=${String(v.weight ?? 1)} @change=${(e) => change(i, { weight: Number(e.target.value) })}></td>
      <td><meter min="0" max="100" value=${(100 * (v.weight || 0)) / sum}></meter> ${Math.round((1000 * (v.weight || 0)) / sum) / 10} %</td>
      <td class="narrow"><button class="small ghost" aria-label="Remove ${v.name}" ?disabled=${isLocked} @click=${() => set(without(all, i))}>✕</button></td></tr>`)}</tbody></table></div>` : html`<p class="quiet">true (no variants)</p>`}
    <button class="small" ?disabled=${isLocked} @click=${() => set([...all, { name: "v" + (all.length + 1), value: "v" + (all.length + 1), weight: 1 }])}>Add a variant</button>`;
}

/** Returns an area for the same as JSON, for those who paste it. */
export function asJson(label, value, set, isLocked) {
  return html`<details><summary>As JSON</summary>${field("", html`<textarea aria-label=${label + ", as JSON"} rows="6" spellcheck="false" ?disabled=${isLocked} .value=${JSON.stringify(value, null, 2)} @change=${(e) => {
    try {
      set(parse(e.target.value));
      e.target.setCustomValidity("");
    } catch (x) {
      e.target.setCustomValidity("not JSON: " + x.message);
      e.target.reportValidity();
    }
  }}></textarea>`)}</details>`;
}
