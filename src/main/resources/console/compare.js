// Comparing two environments, or one with an earlier moment, and copying from one to the other.

import { all, may } from "./api.js";
import { difference } from "./diff.js";
import { change } from "./route.js";
import { chip, empty, html, later } from "./ui.js";
import { operation, reviewSet } from "./write.js";

const WORDS = { same: "same", changed: "differs", only_left: "only left", only_right: "only right", unknown: "not compared" };

export function comparePage(app, route) {
  const page = { items: [], selected: new Set() };
  page.onRoute = (r) => { route = r; };
  const sides = () => ({ a: route.params.a || route.params.env || app.environments[0], b: route.params.b || app.environments.find((e) => e !== (route.params.a || route.params.env || app.environments[0])) });
  page.load = async () => {
    if (!app.environments.length) await app.places();
    const { a, b } = sides();
    page.selected = new Set();
    if (!a || (!b && !route.params.at)) { page.items = []; return; }
    page.items = await all("/diff", { environment: a, other: route.params.at ? undefined : b, at: route.params.at, service_name: route.params.service || undefined, only: route.params.all ? undefined : "differences" });
  };
  const key = (d) => (d.service_name || "") + "/" + d.key;
  const copy = (to) => {
    const { a, b } = sides();
    const target = to === "b" ? b : a;
    const from = to === "b" ? "left" : "right";
    const chosen = page.items.filter((d) => page.selected.has(key(d)));
    const operations = [];
    let secrets = 0;
    for (const d of chosen) {
      const source = d[from];
      const there = d[from === "left" ? "right" : "left"];
      if (source && source.is_encrypted) { secrets++; continue; }
      const at = { environment: target, service_name: d.service_name, key: d.key };
      if (source) operations.push(operation("configuration", "put", at, { value: source.value, description: source.description, if_revision: there ? there.revision : 0 }));
      else operations.push(operation("configuration", "delete", at, { if_revision: there.revision }));
    }
    reviewSet(`Bring ${operations.length} values to ${target}`, operations, { notes: secrets ? [`${secrets} encrypted values are left out.`] : [], onDone: () => app.reload() });
  };
  const cell = (c) => (c ? (c.is_encrypted ? chip("secret") : html`<code class="value">${(typeof c.value === "string" ? c.value : JSON.stringify(c.value)).slice(0, 120)}</code>`) : html`<span class="quiet">–</span>`);
  page.view = () => {
    const { a, b } = sides();
    const q = (route.params.q || "").toLowerCase();
    const items = page.items.filter((d) => !q || d.key.toLowerCase().includes(q));
    const pick = (name, value) => html`<select aria-label=${name === "a" ? "Left" : "Right"} @change=${(e) => change(route, { [name]: e.target.value, at: "" })}>${app.environments.map((e) => html`<option ?selected=${e === value}>${e}</option>`)}</select>`;
    const chosen = page.selected.size;
    return html`<div class="head"><h1 tabindex="-1">Compare</h1><span class="quiet">${items.length} ${route.params.all ? "keys" : "differences"}</span></div>
      <div class="tools">${pick("a", a)} <span>with</span> ${route.params.at ? html`<b>itself now</b>` : pick("b", b)}
        <label>as of <input placeholder="revision or time" .value=${route.params.at || ""} @change=${(e) => change(route, { at: e.target.value })}></label>
        <input type="search" aria-label="Part of the key" placeholder="Part of the key" .value=${route.params.q || ""} @input=${later((e) => change(route, { q: e.target.value }))}>
        <label class="check"><input type="checkbox" .checked=${!route.params.all} @change=${(e) => change(route, { all: !e.target.checked })}> Differences only</label>
        ${chosen && !route.params.at ? html`<span class="grow"></span><b>${chosen} chosen</b><button ?disabled=${!may("config:write", b)} @click=${() => copy("b")}>Bring to ${b} →</button><button ?disabled=${!may("config:write", a)} @click=${() => copy("a")}>← Bring to ${a}</button>` : ""}</div>
      ${!items.length ? empty("No differences", `${a || "?"} and ${route.params.at ? "its earlier state" : b || "?"} hold the same.`) : html`<div class="scroll"><table class="compare"><thead><tr><th class="narrow"><input type="checkbox" aria-label="Choose all" .checked=${chosen > 0 && chosen === items.length} @change=${(e) => { page.selected = new Set(e.target.checked ? items.map(key) : []); app.refresh(); }}></th><th>Service</th><th>Key</th><th>State</th><th>${a}${route.params.at ? " at " + route.params.at : ""}</th><th>${route.params.at ? a + " now" : b}</th></tr></thead><tbody>
        ${items.slice(0, 2000).map((d) => html`<tr><td class="narrow"><input type="checkbox" aria-label="Choose ${d.key}" .checked=${page.selected.has(key(d))} @change=${(e) => { if (e.target.checked) page.selected.add(key(d)); else page.selected.delete(key(d)); app.refresh(); }}></td><td>${d.service_name || html`<span class="quiet">shared</span>`}</td><td class="key">${d.key}</td><td>${chip(WORDS[d.status], d.status === "same" ? "quiet" : d.status === "changed" ? "warn" : "")}</td>
          ${d.status === "changed" && d.left && d.right && !d.left.is_encrypted && !d.right.is_encrypted ? html`<td colspan="2">${difference(d.left.value, d.right.value)}</td>` : html`<td>${cell(d.left)}</td><td>${cell(d.right)}</td>`}</tr>`)}</tbody></table></div>`}`;
  };
  return page;
}
