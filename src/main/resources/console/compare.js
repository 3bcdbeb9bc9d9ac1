// Comparing up to four environments or services, or one with an earlier moment, and bringing values from one to another.

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
    const environments = (others.length ? others : next ? [next] : []).slice(0, isServices ? 1 : MOST - 1);
    // each column on the right: an environment and, if services are compared, one of them
    const rights = isServices
      ? route.params.with.split(",").filter(Boolean).slice(0, MOST - 1).map((s) => ({ environment: environments[0], service: s === SHARED ? "" : s }))
      : environments.map((environment) => ({ environment, service: null }));
    return { a, others: environments, rights, isServices };
  };
  const key = (d) => (d.service_name || "") + "/" + d.key;

  page.load = async () => {
    if (!app.environments.length) await app.places();
    const turn = ++page.turn;
    const { a, others, rights } = sides();
    const at = route.params.at;
    page.selected = new Set();
    if (!a || (!others.length && !at)) { page.items = []; return; }
    const isPair = at || rights.length === 1;
    // of several, a key that differs in one is shown with its values in all
    const only = route.params.all || !isPair ? undefined : "differences";
    const read = ({ environment, service }) => all("/diff", { environment: a, other: environment, at, service_name: route.params.service || undefined, other_service_name: service === null ? undefined : service || NONE, only });
    const found = await Promise.all(at ? [read({ service: null })] : rights.map(read));
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
    const { a, rights } = sides();
    const columns = [{ environment: a, service: null }, ...rights];
    const operations = [];
    let secrets = 0;
    for (const d of page.items.filter((x) => page.selected.has(key(x)))) {
      const cells = [d.left, ...d.rights];
      const source = cells[from];
      const there = cells[to];
      if (!source && !there) continue;
      if ((source || there).is_encrypted) { secrets++; continue; }
      const { environment, service } = columns[to];
      const at = { environment, service_name: service === null ? d.service_name || (rights[0].service === null ? null : route.params.service) : service, key: d.key };
      if (source) operations.push(operation("configuration", "put", at, { value: source.value, description: source.description, if_revision: there ? there.revision : 0 }));
      else operations.push(operation("configuration", "delete", at, { if_revision: there.revision }));
    }
    const isOfServices = rights[0].service !== null;
    reviewSet(`Bring ${operations.length} values to ${isOfServices ? (to ? columns[to].service || "shared" : route.params.service) + " in " : ""}${columns[to].environment}`, operations, { notes: secrets ? [`${secrets} encrypted values are left out.`] : [], onDone: () => app.reload() });
  };

  const cell = (c) => (c ? (c.is_encrypted ? chip("secret") : html`<code class="value">${(typeof c.value === "string" ? c.value : JSON.stringify(c.value)).slice(0, 120)}</code>`) : html`<span class="quiet">–</span>`);
  const state = (d) => (d.states.length === 1 ? chip(WORDS[d.states[0]], d.states[0] === "same" ? "quiet" : d.states[0] === "changed" ? "warn" : "")
    : d.states.every((s) => s === "same") ? chip("same", "quiet") : d.states.includes("unknown") && d.states.every((s) => s === "same" || s === "unknown") ? chip("not compared") : chip("differs", "warn"));

  page.view = () => {
    const { a, others, rights, isServices } = sides();
    const { at, service } = route.params;
    const names = at ? [a + " at " + at, a + " now"] : isServices ? [`${service} in ${a}`, ...rights.map((r) => `${r.service || "shared"} in ${r.environment}`)] : [a, ...others];
    const q = (route.params.q || "").toLowerCase();
    const items = page.items.filter((d) => !q || d.key.toLowerCase().includes(q));
    const chosen = page.selected.size;
    const pick = (label, value, set) => html`<select aria-label=${label} @change=${(e) => set(e.target.value)}>${(app.environments.includes(value) || !value ? app.environments : [value, ...app.environments]).map((e) => html`<option .selected=${e === value}>${e}</option>`)}</select>`;
    const other = (i, name) => change(route, { b: others.map((o, n) => (n === i ? name : o)).filter(Boolean).join(","), at: "" });
    const spare = app.environments.filter((e) => e !== a && !others.includes(e));
    const place = (to) => [to ? rights[to - 1].environment : a, isServices ? (to ? rights[to - 1].service : service) : undefined];
    const withService = (i, name) => change(route, { with: rights.map((r, n) => (n === i ? name : r.service || SHARED)).concat(i === rights.length ? [name] : []).filter(Boolean).join(","), b: others[0] });
    const services = [...new Set([...app.services, ...rights.map((r) => r.service)].filter((s) => s && s !== service))].sort();
    const bring = (from, to, label) => html`<button ?disabled=${!may("config:write", ...place(to))} title=${may("config:write", ...place(to)) ? "" : "Needs the right config:write there"} @click=${() => copy(from, to)}>${label}</button>`;
    return html`<div class="head"><h1 tabindex="-1">Compare</h1><span class="quiet">${items.length} ${route.params.all ? "key" : "difference"}${items.length === 1 ? "" : "s"}</span></div>
      <div class="tools">${pick("Left", a, (name) => change(route, { a: name, at: "" }))} <span>with</span>
        ${at ? html`<b>itself now</b>` : others.map((o, i) => html`${pick(i ? "Right " + (i + 1) : "Right", o, (name) => other(i, name))}${others.length > 1 ? html`<button class="small ghost" aria-label="Leave out ${o}" @click=${() => other(i, "")}>✕</button>` : ""}`)}
        ${!at && !isServices && others.length < MOST - 1 && spare.length ? html`<button class="small" @click=${() => change(route, { b: [...others, spare[0]].join(",") })}>Add an environment</button>` : ""}
        ${(isServices ? rights : [{ service: null }]).map((r, i) => html`<label title=${service ? "" : "Choose the service on the left in the bar first"}>service on the right ${i ? i + 1 : ""} <select ?disabled=${!service || !!at} @change=${(e) => withService(i, e.target.value)}>
          <option value="" .selected=${r.service === null}>${i ? "leave out" : "the same"}</option><option value=${SHARED} .selected=${r.service === ""}>shared values</option>
          ${services.map((s) => html`<option value=${s} .selected=${s === r.service}>${s}</option>`)}</select></label>`)}
        ${isServices && rights.length < MOST - 1 && services.some((s) => !rights.some((r) => r.service === s)) ? html`<button class="small" @click=${() => withService(rights.length, services.find((s) => !rights.some((r) => r.service === s)))}>Add a service</button>` : ""}
        <label>as of <input placeholder="revision or time" .value=${at || ""} @change=${(e) => change(route, { at: e.target.value })}></label>
        <input type="search" aria-label="Part of the key" placeholder="Part of the key" .value=${typed("Part of the key", route.params.q)} @input=${later((e) => change(route, { q: e.target.value }))}>
        <label class="check"><input type="checkbox" .checked=${!route.params.all} @change=${(e) => change(route, { all: !e.target.checked })}> Differences only</label>
        ${chosen && !at ? html`<span class="grow"></span><b>${chosen} chosen</b>${rights.map((r, i) => bring(0, i + 1, `Bring to ${names[i + 1]} →`))}${rights.length === 1 ? bring(1, 0, `← Bring to ${names[0]}`) : rights.map((r, i) => bring(i + 1, 0, `← Bring to ${names[0]} from ${names[i + 1]}`))}` : ""}</div>
      ${!items.length ? empty("No differences", `${names.filter(Boolean).join(", ") || "?"} hold the same.`) : html`<div class="scroll"><table class="compare"><thead><tr><th class="narrow"><input type="checkbox" aria-label="Choose all" .checked=${chosen > 0 && chosen === items.length} @change=${(e) => { page.selected = new Set(e.target.checked ? items.map(key) : []); app.refresh(); }}></th>${isServices ? "" : html`<th>Service</th>`}<th>Key</th><th>State</th>${names.map((n) => html`<th>${n}</th>`)}</tr></thead><tbody>
        ${items.slice(0, 2000).map((d) => html`<tr><td class="narrow"><input type="checkbox" aria-label="Choose ${d.key}" .checked=${page.selected.has(key(d))} @change=${(e) => { if (e.target.checked) page.selected.add(key(d)); else page.selected.delete(key(d)); app.refresh(); }}></td>${isServices ? "" : html`<td>${d.service_name || html`<span class="quiet">shared</span>`}</td>`}<td class="key">${d.key}</td><td>${state(d)}</td>
          ${d.states.length === 1 && d.states[0] === "changed" && !d.left.is_encrypted && !d.rights[0].is_encrypted ? html`<td colspan="2">${difference(d.left.value, d.rights[0].value)}</td>` : html`<td>${cell(d.left)}</td>${d.rights.map((r, i) => html`<td class=${d.states[i] === "same" || d.states[i] === "unknown" ? "" : "differs"}>${cell(r)}</td>`)}`}</tr>`)}</tbody></table></div>${items.length > 2000 ? html`<p class="quiet">The first 2,000 of ${items.length}: narrow them by a service or a part of the key.</p>` : ""}`}`;
  };
  return page;
}
