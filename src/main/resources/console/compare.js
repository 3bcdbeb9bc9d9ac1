// Comparing up to four environments, two services, or one with an earlier moment, and bringing values from one to another.

import { all, may, NONE } from "./api.js";
import { difference } from "./diff.js";
import { change } from "./route.js";
import { chip, empty, html, later, typed } from "./ui.js";
import { operation, reviewSet } from "./write.js";

const WORDS = { same: "same", changed: "differs", only_left: "only left", only_right: "only right", unknown: "not compared" };
const MOST = 4;
/** What stands in the URL for the values that all services share; no service is called so. */
const SHARED = "(shared)";

export function comparePage(app, route) {
  const page = { items: [], selected: new Set(), turn: 0 };
  page.onRoute = (r) => { route = r; };
  const sides = () => {
    const a = route.params.a || route.params.env || app.environments[0];
    const others = (route.params.b || "").split(",").filter(Boolean);
    const isServices = route.params.service && route.params.with && !route.params.at;
    const next = isServices ? a : app.environments.find((e) => e !== a);
    return {
      a,
      others: (others.length ? others : next ? [next] : []).slice(0, isServices ? 1 : MOST - 1),
      // the service of the right side, if two are compared
      other: isServices ? (route.params.with === SHARED ? "" : route.params.with) : null,
    };
  };
  const key = (d) => (d.service_name || "") + "/" + d.key;

  page.load = async () => {
    if (!app.environments.length) await app.places();
    const turn = ++page.turn;
    const { a, others, other: otherService } = sides();
    const at = route.params.at;
    page.selected = new Set();
    if (!a || (!others.length && !at)) { page.items = []; return; }
    const isPair = at || others.length === 1;
    // of several, a key that differs in one is shown with its values in all
    const only = route.params.all || !isPair ? undefined : "differences";
    const read = (other) => all("/diff", { environment: a, other, at, service_name: route.params.service || undefined, other_service_name: otherService === null ? undefined : otherService || NONE, only });
    const found = await Promise.all(at ? [read(undefined)] : others.map(read));
    if (turn !== page.turn) return;
    const rows = new Map();
    found.forEach((items, i) => items.forEach((d) => {
      if (!rows.has(key(d))) rows.set(key(d), { key: d.key, service_name: d.service_name, left: d.left, rights: [], states: [] });
      const row = rows.get(key(d));
      row.left = row.left || d.left;
      row.rights[i] = d.right;
      row.states[i] = d.status;
    }));
    page.items = [...rows.values()]
      .map((d) => ({ ...d, rights: found.map((_, i) => d.rights[i] || null), states: found.map((_, i) => d.states[i] || (d.left ? "only_left" : "same")) }))
      .filter((d) => route.params.all || d.states.some((s) => s !== "same"))
      .sort((x, y) => (key(x) < key(y) ? -1 : 1));
  };

  /** Brings the chosen values from one column to another; what the first does not have is deleted in the second. */
  const copy = (from, to) => {
    const { a, others, other: otherService } = sides();
    const names = [a, ...others];
    const operations = [];
    let secrets = 0;
    for (const d of page.items.filter((x) => page.selected.has(key(x)))) {
      const cells = [d.left, ...d.rights];
      const source = cells[from];
      const there = cells[to];
      if (!source && !there) continue;
      if ((source || there).is_encrypted) { secrets++; continue; }
      const at = { environment: names[to], service_name: to > 0 && otherService !== null ? otherService : d.service_name, key: d.key };
      if (source) operations.push(operation("configuration", "put", at, { value: source.value, description: source.description, if_revision: there ? there.revision : 0 }));
      else operations.push(operation("configuration", "delete", at, { if_revision: there.revision }));
    }
    reviewSet(`Bring ${operations.length} values to ${otherService !== null ? (to ? otherService || "shared" : route.params.service) + " in " : ""}${names[to]}`, operations, { notes: secrets ? [`${secrets} encrypted values are left out.`] : [], onDone: () => app.reload() });
  };

  const cell = (c) => (c ? (c.is_encrypted ? chip("secret") : html`<code class="value">${(typeof c.value === "string" ? c.value : JSON.stringify(c.value)).slice(0, 120)}</code>`) : html`<span class="quiet">–</span>`);
  const state = (d) => (d.states.length === 1 ? chip(WORDS[d.states[0]], d.states[0] === "same" ? "quiet" : d.states[0] === "changed" ? "warn" : "")
    : d.states.every((s) => s === "same") ? chip("same", "quiet") : d.states.includes("unknown") && d.states.every((s) => s === "same" || s === "unknown") ? chip("not compared") : chip("differs", "warn"));

  page.view = () => {
    const { a, others, other: otherService } = sides();
    const { at, service } = route.params;
    const right = otherService === null ? "" : otherService || "shared";
    const names = at ? [a + " at " + at, a + " now"] : right ? [`${service} in ${a}`, `${right} in ${others[0]}`] : [a, ...others];
    const q = (route.params.q || "").toLowerCase();
    const items = page.items.filter((d) => !q || d.key.toLowerCase().includes(q));
    const chosen = page.selected.size;
    const pick = (label, value, set) => html`<select aria-label=${label} @change=${(e) => set(e.target.value)}>${(app.environments.includes(value) || !value ? app.environments : [value, ...app.environments]).map((e) => html`<option .selected=${e === value}>${e}</option>`)}</select>`;
    const other = (i, name) => change(route, { b: others.map((o, n) => (n === i ? name : o)).filter(Boolean).join(","), at: "" });
    const spare = app.environments.filter((e) => e !== a && !others.includes(e));
    const place = (to) => [[a, ...others][to], right ? (to ? otherService : service) : undefined];
    const bring = (from, to, label) => html`<button ?disabled=${!may("config:write", ...place(to))} title=${may("config:write", ...place(to)) ? "" : "Needs the right config:write there"} @click=${() => copy(from, to)}>${label}</button>`;
    return html`<div class="head"><h1 tabindex="-1">Compare</h1><span class="quiet">${items.length} ${route.params.all ? "key" : "difference"}${items.length === 1 ? "" : "s"}</span></div>
      <div class="tools">${pick("Left", a, (name) => change(route, { a: name, at: "" }))} <span>with</span>
        ${at ? html`<b>itself now</b>` : others.map((o, i) => html`${pick(i ? "Right " + (i + 1) : "Right", o, (name) => other(i, name))}${others.length > 1 ? html`<button class="small ghost" aria-label="Leave out ${o}" @click=${() => other(i, "")}>✕</button>` : ""}`)}
        ${!at && !right && others.length < MOST - 1 && spare.length ? html`<button class="small" @click=${() => change(route, { b: [...others, spare[0]].join(",") })}>Add an environment</button>` : ""}
        <label title=${service ? "" : "Choose the service on the left in the bar first"}>service on the right <select ?disabled=${!service || !!at} @change=${(e) => change(route, { with: e.target.value, b: e.target.value ? others[0] : route.params.b })}>
          <option value="" .selected=${!right}>the same</option><option value=${SHARED} .selected=${right && !otherService}>shared values</option>
          ${[...new Set([...app.services, otherService].filter((s) => s && s !== service))].sort().map((s) => html`<option value=${s} .selected=${s === otherService}>${s}</option>`)}</select></label>
        <label>as of <input placeholder="revision or time" .value=${at || ""} @change=${(e) => change(route, { at: e.target.value })}></label>
        <input type="search" aria-label="Part of the key" placeholder="Part of the key" .value=${typed("Part of the key", route.params.q)} @input=${later((e) => change(route, { q: e.target.value }))}>
        <label class="check"><input type="checkbox" .checked=${!route.params.all} @change=${(e) => change(route, { all: !e.target.checked })}> Differences only</label>
        ${chosen && !at ? html`<span class="grow"></span><b>${chosen} chosen</b>${others.map((o, i) => bring(0, i + 1, `Bring to ${right ? names[1] : o} →`))}${others.length === 1 ? bring(1, 0, `← Bring to ${right ? names[0] : a}`) : others.map((o, i) => bring(i + 1, 0, `← Bring to ${a} from ${o}`))}` : ""}</div>
      ${!items.length ? empty("No differences", `${names.filter(Boolean).join(", ") || "?"} hold the same.`) : html`<div class="scroll"><table class="compare"><thead><tr><th class="narrow"><input type="checkbox" aria-label="Choose all" .checked=${chosen > 0 && chosen === items.length} @change=${(e) => { page.selected = new Set(e.target.checked ? items.map(key) : []); app.refresh(); }}></th>${right ? "" : html`<th>Service</th>`}<th>Key</th><th>State</th>${names.map((n) => html`<th>${n}</th>`)}</tr></thead><tbody>
        ${items.slice(0, 2000).map((d) => html`<tr><td class="narrow"><input type="checkbox" aria-label="Choose ${d.key}" .checked=${page.selected.has(key(d))} @change=${(e) => { if (e.target.checked) page.selected.add(key(d)); else page.selected.delete(key(d)); app.refresh(); }}></td>${right ? "" : html`<td>${d.service_name || html`<span class="quiet">shared</span>`}</td>`}<td class="key">${d.key}</td><td>${state(d)}</td>
          ${d.states.length === 1 && d.states[0] === "changed" && !d.left.is_encrypted && !d.rights[0].is_encrypted ? html`<td colspan="2">${difference(d.left.value, d.rights[0].value)}</td>` : html`<td>${cell(d.left)}</td>${d.rights.map((r, i) => html`<td class=${d.states[i] === "same" || d.states[i] === "unknown" ? "" : "differs"}>${cell(r)}</td>`)}`}</tr>`)}</tbody></table></div>${items.length > 2000 ? html`<p class="quiet">The first 2,000 of ${items.length}: narrow them by a service or a part of the key.</p>` : ""}`}`;
  };
  return page;
}
