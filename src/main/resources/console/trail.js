// What changed: the tape of all changes, live, and everything as of a revision.

import { all, follow, get, session } from "./api.js";
import { difference, fieldDifferences } from "./diff.js";
import { change, link } from "./route.js";
import { actor, chip, dialog, empty, failure, highlighted, html, later, plain, render, rows, scroller, time, toast, typed } from "./ui.js";
import { operation, reviewSet, undoSet } from "./write.js";

const MOST = 1000;

/** Returns the name of what changed. */
export function nameOf(c) {
  const d = c.data || {};
  return c.resource_type === "service" ? c.resource_id : d.key || d.name || c.resource_id;
}

/** Returns the page of what changed. */
export function hrefOf(c) {
  if (c.resource_type === "configuration") return link("config", [c.resource_id], { env: c.environment });
  if (c.resource_type === "feature_flag") return link("flags", [c.resource_id], { env: c.environment });
  if (c.resource_type === "service") return link("registry", [c.resource_id.slice(0, c.resource_id.indexOf("/")), c.resource_id.slice(c.resource_id.indexOf("/") + 1)]);
  return link(c.resource_type + "s", [nameOf(c)]);
}

const WINDOW = 5000;
const WINDOWS = 20;

/** Reads all changes after a revision up to another one, which a filter may match seldom. */
async function between(query, after, upTo) {
  const found = [];
  for (let from = after; from < upTo; ) {
    const page = await get("/changes", { ...query, after: from, limit: 500 });
    found.push(...page.items.filter((c) => c.revision <= upTo));
    const last = page.items.length ? page.items.at(-1).revision : 0;
    const next = Math.max(last, page.last_revision || 0);
    if (next <= from) break;
    from = next;
  }
  return found;
}

/** Returns the newest changes that a query matches, the last first: as many as wanted, or those of the last 100,000 revisions. */
export async function newest(query, wanted) {
  let found = [];
  let upTo = session.revision;
  for (let i = 0; i < WINDOWS && upTo > 0 && found.length < wanted; i++) {
    const after = Math.max(0, upTo - WINDOW);
    try {
      found = [...(await between(query, after, upTo)), ...found];
    } catch (e) {
      // the log does not reach back so far
      if (e.status === 410) break;
      throw e;
    }
    upTo = after;
  }
  return found.reverse().slice(0, MOST);
}

/** The kinds by shorter names, as they stand in links. */
const KINDS = { flag: "feature_flag", config: "configuration" };
const kindOf = (route) => KINDS[route.params.kind] || route.params.kind;

export function changesPage(app, route) {
  const page = { items: [], waiting: [], paused: false, resync: false, selected: new Set() };
  const matches = (c) => (!route.params.kind || c.resource_type === kindOf(route)) && (!route.params.env || !c.environment || c.environment === route.params.env) && (!route.params.service || !c.service_name || c.service_name === route.params.service) && (!route.params.prefix || (c.resource_type !== "service" && nameOf(c).startsWith(route.params.prefix))) && (!route.params.id || c.resource_id === route.params.id);
  page.close = follow((c) => {
    if (c.resync) { page.items.unshift({ cut: true, revision: c.revision }); app.refresh(); return; }
    if (!matches(c)) return;
    if (page.paused || page.isUnderPointer || route.params.after) page.waiting.unshift(c);
    else page.items.unshift(c);
    page.items.length = Math.min(page.items.length, MOST);
    page.waiting.length = Math.min(page.waiting.length, MOST);
    app.refresh();
  });
  page.onRoute = (r) => { route = r; };
  page.load = async () => {
    page.waiting = [];
    const query = { environment: route.params.env, service_name: route.params.service, resource_type: kindOf(route), key_prefix: route.params.prefix, resource_id: route.params.id, limit: 200 };
    if (route.params.after) {
      page.items = (await get("/changes", { ...query, after: route.params.after })).items.reverse();
      return;
    }
    page.items = await newest(query, 100);
  };
  page.view = () => {
    const range = page.items.filter((c) => !c.cut);
    return html`<div class="head"><h1 tabindex="-1">Changes</h1><span class="quiet">newest first, live</span><span class="grow"></span>
      ${page.waiting.length ? html`<button class="primary" @click=${() => { page.items.unshift(...page.waiting.splice(0)); page.paused = false; app.refresh(); }}>${page.waiting.length} new</button>` : ""}
      ${page.selected.size ? html`<button @click=${() => undoRange(range.filter((c) => page.selected.has(c.revision)), () => { page.selected.clear(); app.reload(); })}>Undo ${page.selected.size === 1 ? "this change" : `these ${page.selected.size} changes`}</button>` : ""}
      <button aria-pressed=${page.paused} @click=${() => { page.paused = !page.paused; if (!page.paused) page.items.unshift(...page.waiting.splice(0)); app.refresh(); }}>${page.paused ? "Go on" : "Pause"}</button></div>
      <div class="tools"><label>Kind <select @change=${(e) => change(route, { kind: e.target.value })}>${["", "configuration", "feature_flag", "service", "template", "schema"].map((k) => html`<option value=${k} .selected=${(kindOf(route) || "") === k}>${k ? k.replace("_", " ") : "all"}</option>`)}</select></label>
        <input type="search" aria-label="Beginning of the key" placeholder="Beginning of the key" .value=${typed("Beginning of the key", route.params.prefix)} @input=${later((e) => change(route, { prefix: e.target.value }))}>
        ${route.params.id ? html`<button class="small" @click=${() => change(route, { id: "" })}>Only one resource ✕</button>` : ""}
        <label>After revision <input type="number" min="0" .value=${route.params.after || ""} @change=${(e) => change(route, { after: e.target.value })}></label></div>
      ${!range.length ? empty("Nothing changed yet", "Changes appear here as they happen.") : html`<div class="scroll" tabindex="0" role="region" aria-label="Changes" @focusin=${() => { page.isUnderPointer = true; }} @focusout=${(e) => { if (!e.currentTarget.contains(e.relatedTarget)) page.isUnderPointer = false; }} @pointerenter=${() => { page.isUnderPointer = true; }} @pointerleave=${() => { page.isUnderPointer = false; if (!page.paused && page.waiting.length && !route.params.after) { page.items.unshift(...page.waiting.splice(0)); app.refresh(); } }} @scroll=${(e) => { const down = e.target.scrollTop > 40; if (down !== page.paused && down) { page.paused = true; app.refresh(); } }}><table><thead><tr><th class="narrow"><span class="sr">Choose</span></th><th class="narrow">Revision</th><th>When</th><th>What</th><th>Where</th><th>Name</th><th>Value</th><th>By</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead><tbody>
        ${page.items.map((c) => c.cut ? html`<tr class="cut"><td colspan="9">Changes are missing here: the log no longer holds them.</td></tr>` : row(c, app, page))}</tbody></table></div>`}`;
  };
  return page;
}

const UNDOABLE = new Set(["configuration", "feature_flag"]);

/** The fields that undoing brings back. */
const RESTORED = {
  configuration: ["value", "description"],
  feature_flag: ["description", "is_enabled", "rollout_percentage", "target_users", "rules", "variants", "prerequisites", "salt", "tags", "owner", "expires_at"],
};

function row(c, app, page) {
  const d = c.data || {};
  const choose = (e) => {
    // with Shift, all between the last one and this one
    const shown = page.items.filter((x) => !x.cut && UNDOABLE.has(x.resource_type));
    const at = shown.indexOf(c);
    const from = e.shiftKey && page.last && shown.includes(page.last) ? shown.indexOf(page.last) : at;
    for (const x of shown.slice(Math.min(at, Math.max(0, from)), Math.max(at, from) + 1)) {
      if (e.target.checked) page.selected.add(x.revision);
      else page.selected.delete(x.revision);
    }
    page.last = c;
    app.refresh();
  };
  return html`<tr><td class="narrow">${UNDOABLE.has(c.resource_type) ? html`<input type="checkbox" aria-label="Choose revision ${c.revision}" title="With Shift: all between" .checked=${page.selected.has(c.revision)} @click=${choose}>` : ""}</td><td class="number">${c.revision}</td><td>${time(c.occurred_at)}</td><td class="what"><span class="quiet">${c.resource_type.replace("_", " ")}</span> ${chip(c.action.replace("_", " "), c.action)}</td><td>${[c.environment, c.service_name].filter(Boolean).join(" / ")}</td><td class="key"><a href=${hrefOf(c)}>${nameOf(c)}</a></td>
    <td><code class="value">${c.resource_type === "configuration" ? (d.is_encrypted ? "secret" : plain(d.value).slice(0, 40)) : c.resource_type === "service" ? d.status || "" : c.resource_type === "feature_flag" ? (d.is_enabled ? "on" : "off") : ""}</code></td><td>${actor(c.actor)}</td>
    <td class="narrow"><button class="small ghost" aria-haspopup="dialog" aria-label="What revision ${c.revision} changed" @click=${() => showChange(c)}>Diff</button>${c.change_set ? html`<button class="small ghost" title="Show the change set (${c.change_set.count} changes)" @click=${() => showSet(c.change_set.id, app)}>set of ${c.change_set.count}</button>` : ""}<a class="button small ghost" href=${link("at", [String(c.revision)])}>as of here</a></td></tr>`;
}

const BASES = { configuration: "/config/", feature_flag: "/feature-flags/", template: "/templates/", schema: "/schemas/" };

/** Returns the revision just before a change; for one of a set, before the set. */
const beforeOf = (c) => c.revision - (c.change_set ? c.change_set.index : 0) - 1;

/** Returns the resource of a change as it was at a revision; undefined if it did not exist. */
async function stateAt(c, revision) {
  try {
    return await get(BASES[c.resource_type] + c.resource_id, { at: revision });
  } catch (e) {
    if (e.status === 404) return undefined;
    throw e;
  }
}

/** Shows what one change changed. */
async function showChange(c) {
  const removed = ["deleted", "deregistered", "expired"].includes(c.action);
  let before;
  let after = removed ? undefined : c.data;
  let problem;
  try {
    if (UNDOABLE.has(c.resource_type)) [before, after] = await Promise.all([stateAt(c, beforeOf(c)), removed ? undefined : stateAt(c, c.revision)]);
    else if (BASES[c.resource_type]) {
      const versions = (await get(BASES[c.resource_type] + c.resource_id + "/history", { limit: 500 })).items;
      before = (versions.find((v) => v.version === (c.data || {}).version - 1) || {}).value;
    }
  } catch (e) { problem = e; }
  dialog((close) => html`<h2>${nameOf(c)}</h2>
    <p>${chip(c.resource_type.replace("_", " "))} ${chip(c.action.replace("_", " "), c.action)} ${[c.environment, c.service_name].filter(Boolean).join(" / ")} <span class="quiet">revision ${c.revision}, ${time(c.occurred_at)} by ${actor(c.actor)}</span></p>
    ${problem ? failure(problem) : c.resource_type === "service" ? highlighted(c.data) : html`${(before || after || {}).is_encrypted ? html`<p class="quiet">Encrypted values are shown to nobody in a history.</p>` : ""}<div class="review">${fieldDifferences(before, after)}</div>`}
    <div class="buttons"><a class="button" href=${link("changes", [], { id: c.resource_id })} @click=${() => close()}>All its changes</a><a class="button" href=${hrefOf(c)} @click=${() => close()}>Open</a><button class="primary" @click=${() => close()}>Close</button></div>`, { kind: "wide" });
}

/** Shows what a change set did, and offers to undo it. */
export async function showSet(id, app) {
  let set;
  try { set = await get("/change-sets/" + id); } catch (e) { toast(e.message, "bad"); return; }
  dialog((close) => html`<h2>Change set</h2><p>${set.comment || html`<span class="quiet">no comment</span>`} <span class="quiet">revisions ${set.first_revision} to ${set.last_revision}, ${time(set.changed_at)}</span></p>
    <div class="review">${set.results.map((r) => { const s = r.after || r.before || {}; return html`<section><h3>${s.key || s.name || r.id} <span class="chip ${r.action}">${r.action}</span></h3>${s.value !== undefined ? difference(r.before ? r.before.value : undefined, r.after ? r.after.value : undefined) : ""}</section>`; })}</div>
    <div class="buttons"><button @click=${() => close()}>Close</button><button class="danger" @click=${() => { close(); undoSet(id, () => app.reload(), true); }}>Undo these ${set.results.length} changes</button></div>`, { kind: "wide" });
}

/**
 * Undoes chosen changes as one change set: each resource gets the state before the first of its changes. What was changed
 * since then is named, and left as it is.
 */
async function undoRange(changes, onDone) {
  const byResource = new Map();
  for (const c of changes) {
    const known = byResource.get(c.resource_id);
    byResource.set(c.resource_id, { first: !known || c.revision < known.first.revision ? c : known.first, last: !known || c.revision > known.last.revision ? c : known.last });
  }
  const operations = [];
  const left = [];
  try {
    for (const [id, { first, last }] of byResource) {
      const isFlag = first.resource_type === "feature_flag";
      const path = (isFlag ? "/feature-flags/" : "/config/") + id;
      const history = (await get(path + "/history", { limit: 500 })).items;
      const now = history[0];
      const name = nameOf(first);
      if (!now || now.revision !== last.revision) { left.push(name + " was changed since"); continue; }
      const before = await stateAt(first, beforeOf(first));
      const at = isFlag ? { environment: first.environment, name } : { environment: first.environment, service_name: first.service_name || undefined, key: name };
      const if_revision = now.action === "deleted" ? 0 : now.revision;
      if (!before) {
        if (now.action !== "deleted") operations.push(operation(first.resource_type, "delete", at, { if_revision }));
      } else if (before.is_encrypted) {
        left.push(name + " was encrypted then: roll it back by itself");
      } else {
        operations.push(operation(first.resource_type, "put", at, { ...Object.fromEntries(RESTORED[first.resource_type].map((name) => [name, before[name]])), if_revision }));
      }
    }
  } catch (e) { toast(e.message, "bad"); return; }
  if (!operations.length) { toast("Nothing is left to undo" + (left.length ? ": " + left.join("; ") : ""), "bad", undefined, 12); return; }
  reviewSet(changes.length === 1 ? "Undo this change" : `Undo ${changes.length} changes`, operations, { notes: left.map((l) => l + ", and stays as it is."), onDone });
}

let sheet = null;

/** Opens or closes the tape beside the page. */
export function tapeSheet(app) {
  if (sheet) { sheet.close(); return; }
  const items = [];
  const aside = document.createElement("aside");
  aside.className = "sheet";
  aside.setAttribute("aria-label", "The tape of changes");
  document.body.append(aside);
  const draw = () => render(html`<div class="head"><h2>Tape</h2><span class="grow"></span><a href=${link("changes")}>all</a><button class="ghost" aria-label="Close the tape" @click=${() => sheet.close()}>✕</button></div>
    <p class="sr" aria-live="polite">${count ? `${count} ${count === 1 ? "change" : "changes"} since the tape was opened` : ""}</p>
    ${items.length ? html`<ol class="timeline">${items.slice(0, 100).map((c) => html`<li>${c.cut ? "… changes are missing here …" : html`${time(c.occurred_at)} ${chip(c.action.replace("_", " "), c.action)} <a href=${hrefOf(c)}>${nameOf(c)}</a> <span class="quiet">${c.environment || ""}</span>`}</li>`)}</ol>` : html`<p class="quiet">Watching…</p>`}`, aside);
  let count = 0;
  const end = follow((c) => { count++; items.unshift(c.resync ? { cut: true } : c); items.length = Math.min(items.length, 200); draw(); });
  const escape = (e) => { if (e.key === "Escape" && !document.querySelector("dialog[open]")) sheet.close(); };
  addEventListener("keydown", escape);
  sheet = { close() { end(); removeEventListener("keydown", escape); aside.remove(); sheet = null; } };
  get("/changes", { after: Math.max(0, session.revision - 30), limit: 30 }).then((found) => { items.push(...found.items.reverse()); draw(); }, () => {});
  draw();
  void app;
}

export function atPage(app, route) {
  const page = { items: [], layer: [] };
  const scroll = scroller(app.refresh);
  page.onRoute = (r) => { route = r; };
  page.load = async () => {
    const revision = Number(route.parts[0]);
    const found = await get("/changes", { after: revision - 1, limit: 1 });
    page.items = found.items.filter((c) => c.revision === revision);
    page.layer = [];
    if (route.params.env) page.layer = await all("/config", { environment: route.params.env, service_name: route.params.service, at: revision }, { onPage: (items) => { page.layer = items.slice(); app.refresh(); } });
  };
  page.view = () => html`<div class="head"><h1 tabindex="-1">As of revision ${route.parts[0]}</h1></div>
    ${page.items.map((c) => html`<div class="panel"><p>${chip(c.resource_type.replace("_", " "))} ${chip(c.action.replace("_", " "), c.action)} <a href=${hrefOf(c)}>${nameOf(c)}</a> ${c.environment || ""} ${time(c.occurred_at)} by ${actor(c.actor)}</p>${highlighted(c.data)}</div>`)}
    ${!page.items.length ? html`<p class="note">This revision is not one that you may see, or the log no longer holds it.</p>` : ""}
    ${route.params.env ? html`<h2>${route.params.env} as it was</h2><p class="quiet">${page.layer.length} ${page.layer.length === 1 ? "key" : "keys"}</p><div class="scroll" @scroll=${scroll.listen} tabindex="0" role="region" aria-label="Configurations as they were"><table><thead><tr><th>Service</th><th>Key</th><th>Value</th></tr></thead><tbody>${rows(page.layer, scroll, 3, (c) => html`<tr><td>${c.service_name || "shared"}</td><td class="key">${c.key}</td><td><code class="value">${c.is_encrypted ? "secret" : plain(c.value)}</code></td></tr>`)}</tbody></table></div>` : html`<p class="quiet">Choose an environment above to see its configurations as they were.</p>`}`;
  return page;
}
