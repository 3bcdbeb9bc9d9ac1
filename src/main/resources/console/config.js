// Configurations: what is stored, what a service sees, one with its history, and a layer as text.

import { all, follow, get, may, NONE, Problem, session } from "./api.js";
import { difference, read, same, text, typeOf } from "./diff.js";
import { formats, prepare, readDocument, unfit, writeDocument } from "./document.js";
import { parse } from "./json.js";
import { change, link } from "./route.js";
import { actor, chip, copyButton, curl, dialog, empty, field, highlighted, html, later, nothing, rows, scroller, time, toast, toHistory, typed, valueCell } from "./ui.js";
import { operation, reviewDeletion, reviewOne, reviewRollback, reviewSet } from "./write.js";

export function configPage(app, route) {
  return route.parts.length ? detail(app, route) : list(app, route);
}

// the list

function list(app, route) {
  const page = { items: [], isMore: false, selected: new Set(), revealed: new Map() };
  const scroll = scroller(app.refresh);
  let abort = null;
  const again = later(() => { if (!document.querySelector("dialog[open]")) app.reload(); }, 400);
  page.close = follow((c) => { if (c.resync || (c.resource_type === "configuration" && (!route.params.env || c.environment === route.params.env))) again(); });
  page.onRoute = (r) => { route = r; };

  page.load = async () => {
    if (page.who !== session.self) page.revealed.clear();
    page.who = session.self;
    if (abort) abort.abort();
    abort = new AbortController();
    const { env, service, q, prefix, view } = route.params;
    const signal = abort.signal;
    if (view === "seen" && env && service) {
      page.items = (await get("/config/service/" + encodeURIComponent(service), { environment: env, explain: true, secrets: "omit" }, { signal })).map((c) => c);
      return;
    }
    const query = { environment: env, service_name: service, q, prefix, deleted: view === "deleted" ? true : undefined, secrets: "omit" };
    let isFirst = true;
    const reading = all("/config", query, {
      signal,
      onPage: (items, more) => {
        page.items = items.slice();
        page.isMore = more;
        if (isFirst) { page.isLoaded = true; isFirst = false; }
        app.refresh();
      },
    });
    page.items = await reading;
    page.isMore = false;
  };

  const shown = () => {
    const { q, prefix, view } = route.params;
    return view === "seen" ? page.items.filter((c) => (!q || (c.key + " " + (c.description || "")).toLowerCase().includes(q.toLowerCase())) && (!prefix || c.key.startsWith(prefix))) : page.items;
  };

  const segments = (items) => {
    const counts = new Map();
    const prefix = route.params.prefix || "";
    for (const c of items) {
      const rest = c.key.slice(prefix.length);
      const dot = rest.indexOf(".");
      if (dot > 0) counts.set(rest.slice(0, dot + 1), (counts.get(rest.slice(0, dot + 1)) || 0) + 1);
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, 200);
  };

  const tree = (items) => {
    const prefix = route.params.prefix || "";
    const up = prefix.replace(/[^.]*\.$/, "");
    const found = segments(items);
    if (!found.length && !prefix) return "";
    return html`<aside class="tree" aria-label="Groups of keys">
      ${prefix ? html`<a href=${link("config", [], { ...route.params, prefix: up })}>↑ ${up || "all keys"}</a><b>${prefix}</b>` : html`<b>Groups</b>`}
      ${found.map(([name, count]) => html`<a href=${link("config", [], { ...route.params, prefix: prefix + name })}>${name} <span class="quiet">${count}</span></a>`)}
    </aside>`;
  };

  const key = (c) => c.environment + "/" + (c.service_name || "") + "/" + c.key;
  const chosen = () => page.items.filter((c) => page.selected.has(key(c)));

  page.view = () => {
    const { env, service, q, view = "stored" } = route.params;
    const items = shown();
    const canWrite = may("config:write", env, service);
    const marked = chosen();
    return html`<div class="head"><h1 tabindex="-1">Configuration</h1><span class="quiet">${items.length}${page.isMore ? "+" : ""} ${items.length === 1 ? "key" : "keys"}</span><span class="grow"></span>
      <button ?disabled=${!canWrite} title=${canWrite ? "" : "Needs the right config:write here"} class="primary" @click=${() => create(app, route)}>New value</button>
      <button ?disabled=${!env} title=${env ? "The layer as a text, to change as a whole" : "Choose an environment first"} @click=${() => asText(app, route)}>As text</button></div>
    <div class="tools" role="search">
      <input type="search" aria-label="Filter by a part of the key or description" placeholder="Part of the key or description" .value=${typed("Filter by a part of the key or description", q)} @input=${later((e) => change(route, { q: e.target.value }))}>
      <fieldset class="tabs"><legend class="sr">View</legend>
        ${[["stored", "Stored"], ["seen", "As a service sees it"], ["deleted", "Deleted"]].map(([v, label]) => html`<label><input type="radio" name="view" .checked=${view === v} ?disabled=${v === "seen" && !(env && service)} @change=${() => change(route, { view: v === "stored" ? "" : v })}> <span title=${v === "seen" && !(env && service) ? "Choose an environment and a service" : ""}>${label}</span></label>`)}</fieldset>
      ${marked.length ? html`<span class="grow"></span><b>${marked.length} chosen</b>
        <button @click=${() => copyTo(app, marked)}>Copy to…</button>
        <button class="danger" ?disabled=${!canWrite} @click=${() => reviewDeletion("configuration", marked, () => { page.selected.clear(); app.reload(); })}>Delete</button>` : ""}
    </div>
    ${!items.length ? emptyList(app, route) : html`<div class="split">${tree(page.items)}
    <div class="scroll" @scroll=${scroll.listen} tabindex="0" role="region" aria-label="Configurations"><table>
      <thead><tr>
        ${view === "stored" ? html`<th class="narrow"><input type="checkbox" aria-label="Choose all" .checked=${marked.length > 0 && marked.length === items.length} @change=${(e) => { page.selected = new Set(e.target.checked ? items.map(key) : []); app.refresh(); }}></th>` : ""}
        <th>Key</th><th>Value</th>${env ? "" : html`<th>Environment</th>`}<th>${view === "seen" ? "From" : "Service"}</th><th class="narrow">Version</th><th>Changed</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
      <tbody>${rows(items, scroll, 8, (c) => row(c, view, env))}</tbody></table></div></div>`}`;
  };

  const row = (c, view, env) => html`<tr>
    ${view === "stored" ? html`<td class="narrow"><input type="checkbox" aria-label="Choose ${c.key}" .checked=${page.selected.has(key(c))} @change=${(e) => { if (e.target.checked) page.selected.add(key(c)); else page.selected.delete(key(c)); app.refresh(); }}></td>` : ""}
    <td class="key"><a href=${link("config", [c.id], { env: c.environment, service: route.params.service })} title=${c.description || c.key}>${c.key}</a></td>
    <td class="value">${page.revealed.has(c.id) ? html`<code class="value">${page.revealed.get(c.id)}</code>` : valueCell(c)} ${c.is_encrypted && c.value === null && view !== "deleted" ? reveal(c) : ""}
      ${c.origin && c.origin.overrides ? html`<s class="quiet" title="The shared value, which this one takes the place of">${text(c.origin.overrides.value) || "secret"}</s>` : ""}</td>
    ${env ? "" : html`<td>${c.environment}</td>`}
    <td>${c.origin ? (c.origin.layer === "own" ? chip(c.origin.overrides ? "own, overrides shared" : "own") : chip("shared", "quiet")) : c.service_name || html`<span class="quiet">shared</span>`}</td>
    <td class="narrow number">${c.version}</td><td title=${c.updated_by ? "by " + c.updated_by.name : nothing}>${time(c.updated_at)}</td>
    <td class="narrow actions">${view === "deleted" ? "" : html`<a class="button small ghost" data-edit href=${tab(c, "edit")}>Edit</a>`}<a class="button small ghost" data-history href=${tab(c, "history")}>History</a>${view === "deleted" ? "" : html`<button class="small ghost" aria-haspopup="dialog" aria-label="More for ${c.key}" @click=${() => more(c)}>⋯</button>`}</td></tr>`;

  const tab = (c, name) => link("config", [c.id], { env: c.environment, service: route.params.service, tab: name });

  const more = (c) => dialog((close) => {
    const canWrite = may("config:write", c.environment, c.service_name);
    const to = (label, href) => html`<a class="button" href=${href} @click=${() => close()}>${label}</a>`;
    return html`<h2>${c.key}</h2><div class="menu-items">
      ${to("Open", link("config", [c.id], { env: c.environment, service: route.params.service }))}${to("History", tab(c, "history"))}
      <button @click=${() => { close(); snippets(c); }}>Use it: curl, Java, Python, a shell</button>
      ${to("Compare", compareLink(app, c))}
      <button ?disabled=${!canWrite} title=${canWrite ? "" : "Needs the right config:write here"} @click=${() => { close(); copyTo(app, [c]); }}>Copy to another environment</button>
      <button class="danger" ?disabled=${!canWrite} title=${canWrite ? "" : "Needs the right config:write here"} @click=${() => { close(); reviewDeletion("configuration", [c], () => app.reload()); }}>Delete</button></div>
      <div class="buttons"><button @click=${() => close()}>Close</button></div>`;
  });

  const reveal = (c) => may("secrets:read", c.environment, c.service_name)
    ? html`<button class="small ghost" title="Showing it is written to the audit" aria-label="Show the secret ${c.key}; this is written to the audit" @click=${async () => {
        try {
          const read = await get("/config/" + c.id);
          page.revealed.set(c.id, text(read.value));
          app.refresh();
        } catch (e) { toast(e.message, "bad"); }
      }}>Show</button>`
    : "";
  return page;
}

function emptyList(app, route) {
  const { env, q, view } = route.params;
  if (q || view === "deleted") return empty("Nothing here", q ? `No key or description contains “${q}”.` : "Nothing was deleted, as far as the log is kept.");
  const body = { value: "postgresql://db:5432/app" };
  return empty("No configurations" + (env ? " in " + env : ""), "This call creates the first one:", html`<pre><code>${curl("PUT", "/config/database.url", { environment: env || "staging", service_name: route.params.service || "user-service" }, body)}</code></pre>`);
}

/** Asks for a new value. */
function create(app, route, given = {}) {
  const state = { environment: route.params.env || app.environments[0] || "", service: route.params.service || "", key: "", type: "string", typed: "", description: "", isSecret: false, problem: "", wrong: {}, ...given };
  const kept = sessionStorage.getItem("draft/new");
  if (kept && !given.key) {
    // for the place that is chosen now
    const { environment, service, ...rest } = parse(kept);
    Object.assign(state, rest);
  }
  dialog((close, update) => {
    const set = (name) => (e) => { state[name] = e.target.type === "checkbox" ? e.target.checked : e.target.value; sessionStorage.setItem("draft/new", JSON.stringify(state.isSecret ? { ...state, typed: "" } : state)); };
    return html`<form @submit=${async (e) => {
      e.preventDefault();
      let value;
      try { value = read(state.typed, state.type); } catch (x) { state.problem = "not JSON: " + x.message; update(); return; }
      const base = { environment: state.environment, service_name: state.service || null, key: state.key };
      close();
      state.wrong = {};
      const onRefused = (problem) => { state.wrong = problem.byField(["environment", "service_name", "key", "value", "description"]); return Object.keys(state.wrong).length > 0; };
      const done = await reviewOne("configuration", base, { value, description: state.description || null, is_encrypted: state.isSecret }, { isNew: true, onRefused, onDone: () => { app.reload(); app.places(); } });
      if (done) sessionStorage.removeItem("draft/new"); else create(app, route, state);
    }}>
      <h2>New value</h2>
      <div class="pair">${field("Environment", html`<input required list="environments" .value=${state.environment} @input=${set("environment")}>`, state.wrong.environment)}
      ${field("Service", html`<input list="services" placeholder="shared by all" .value=${state.service} @input=${set("service")}>`, state.wrong.service_name)}</div>
      <datalist id="environments">${app.environments.map((x) => html`<option value=${x}></option>`)}</datalist><datalist id="services">${app.services.map((x) => html`<option value=${x}></option>`)}</datalist>
      ${field("Key", html`<input required autofocus spellcheck="false" pattern="[A-Za-z0-9_][A-Za-z0-9._:\\-]*" title="Letters, digits, . _ : -" .value=${state.key} @input=${set("key")}>`, state.wrong.key)}
      ${valueInput(state, update, set)}
      ${field("Description", html`<input maxlength="2000" .value=${state.description} @input=${set("description")}>`, state.wrong.description)}
      <label class="check"><input type="checkbox" .checked=${state.isSecret} @change=${set("isSecret")}> Encrypted</label>
      <div class="buttons"><button type="button" @click=${() => { sessionStorage.removeItem("draft/new"); close(); }}>Cancel</button><button class="primary" data-review>Review</button></div></form>`;
  });
}

function valueInput(state, update, set) {
  return html`<div class="field"><span>Value</span>
    <div class="tabs" role="radiogroup" aria-label="Type">${["string", "number", "boolean", "object", "array"].map((t) => html`<label><input type="radio" name="type" .checked=${state.type === t} @change=${() => { state.type = t; if (t === "boolean" && !/^(true|false)$/.test(state.typed)) state.typed = "true"; update(); }}> ${t}</label>`)}</div>
    ${state.type === "boolean" ? html`<select .value=${state.typed} @change=${set("typed")}><option .selected=${state.typed === "true"}>true</option><option .selected=${state.typed === "false"}>false</option></select>`
      : html`<textarea aria-label="Value" spellcheck="false" rows=${state.type === "object" || state.type === "array" ? 8 : 2} .value=${state.typed} @input=${set("typed")}></textarea>`}
    ${[state.problem, (state.wrong || {}).value].filter(Boolean).map((p) => html`<small class="wrong" role="alert">${p}</small>`)}</div>`;
}

/** Copies values to another environment, by a dry run first. */
function copyTo(app, items) {
  const state = { to: "" };
  const secrets = items.filter((c) => c.is_encrypted).length;
  dialog((close) => html`<form @submit=${(e) => {
    e.preventDefault();
    close();
    reviewSet(`Copy to ${state.to}`, items.filter((c) => !c.is_encrypted).map((c) => operation("configuration", "put", { ...c, environment: state.to }, { value: c.value, description: c.description })), { notes: secrets ? [`${secrets} encrypted values are left out: nobody copies a secret without seeing it.`] : [], onDone: () => app.reload() });
  }}><h2>Copy ${items.length} values</h2>${field("To the environment", html`<input required autofocus list="targets" @input=${(e) => { state.to = e.target.value; }}>`)}<datalist id="targets">${app.environments.map((x) => html`<option value=${x}></option>`)}</datalist>
    <div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary">Review</button></div></form>`);
}

/** Shows a layer as a flat text, whose changes become one change set. */
async function asText(app, route) {
  const { env, service } = route.params;
  let items;
  try {
    items = (await all("/config", { environment: env, service_name: service || NONE, secrets: "omit" })).filter((c) => (c.service_name || "") === (service || ""));
  } catch (e) { toast(e.message, "bad"); return; }
  const plain = items.filter((c) => !c.is_encrypted);
  const hidden = items.length - plain.length;
  const entries = plain.map((c) => [c.key, c.value]);
  // what was shown last: a format that has only strings takes the types from it
  let known = new Map(entries);
  const state = { format: "lines", typed: writeDocument("lines", entries), problems: [] };
  const canWrite = may("config:write", env, service);

  /** Shows what was typed in another format. */
  const choose = async (format, update) => {
    const { values, problems } = readDocument(state.format, state.typed, known);
    const problem = problems.length ? problems : [unfit(format, [...values])].filter(Boolean);
    state.problems = problem;
    if (!problem.length) {
      try {
        await prepare(format);
        state.typed = writeDocument(format, [...values]);
        state.format = format;
        known = values;
      } catch (e) { state.problems = [e.message]; }
    }
    update();
  };

  const done = async (close, update) => {
    const { values, problems } = readDocument(state.format, state.typed, known);
    state.problems = problems;
    if (problems.length) { update(); return; }
    const operations = [];
    for (const [key, value] of values) {
      const was = plain.find((c) => c.key === key);
      if (!was || !same(was.value, value)) operations.push(operation("configuration", "put", { environment: env, service_name: service, key }, { value, if_revision: was ? was.revision : 0 }));
    }
    for (const c of plain) if (!values.has(c.key)) operations.push(operation("configuration", "delete", c, { if_revision: c.revision }));
    if (!operations.length) { toast("Nothing differs"); return; }
    // the text stays until it is written
    if (await reviewSet(`Change ${service || "shared values"} in ${env}`, operations, { onDone: () => app.reload() })) close();
  };

  dialog((close, update) => html`<h2>${service || "Shared"} in ${env}</h2>
    <div class="tools"><fieldset class="tabs"><legend class="sr">Format</legend>${formats().map((f) => html`<label><input type="radio" name="format" value=${f.id} .checked=${state.format === f.id} @change=${() => choose(f.id, update)}> <span>${f.name}</span></label>`)}</fieldset></div>
    <p class="quiet">${formats().find((f) => f.id === state.format).hint}. ${hidden ? `${hidden} encrypted ${hidden === 1 ? "value is not shown and stays as it is" : "values are not shown and stay as they are"}. ` : ""}What you remove is deleted.</p>
    <textarea class="document" aria-label="The layer as text" spellcheck="false" rows="18" ?readonly=${!canWrite} .value=${state.typed} @input=${(e) => { state.typed = e.target.value; }}></textarea>
    ${state.problems.map((p) => html`<p class="wrong" role="alert">${p}</p>`)}
    <div class="buttons"><button @click=${() => close()}>Close</button><button class="primary" data-review ?disabled=${!canWrite} title=${canWrite ? "" : "Needs the right config:write here"} @click=${() => done(close, update)}>Review</button></div>`, { kind: "wide" });
}

/** Returns the page that compares a configuration with that of another environment. */
function compareLink(app, c) {
  return link("compare", [], { a: c.environment, b: app.environments.find((x) => x !== c.environment), service: c.service_name || "", q: c.key });
}

// one configuration

function detail(app, route) {
  const id = route.parts[0];
  const page = { c: null, gone: null, history: [], left: null, right: null, services: null, draft: null, tab: route.params.tab };
  const again = later(() => { if (!page.draft) app.reload(); }, 300);
  page.close = follow((e) => { if (e.resource_id === id) again(); });
  page.onRoute = (r) => { route = r; };

  page.load = async () => {
    page.history = (await get(`/config/${id}/history`, { limit: 100 })).items;
    try {
      const before = page.c;
      page.c = await get("/config/" + id, { secrets: "omit" });
      if (page.who !== session.self || (before && before.revision !== page.c.revision)) page.revealed = undefined;
      page.who = session.self;
      page.gone = null;
    } catch (e) {
      if (!(e instanceof Problem) || e.status !== 404) throw e;
      page.gone = e;
      page.c = null;
    }
    const range = /^(\d+)\.\.(\d+)$/.exec(route.parts[2] || "");
    page.left = range ? Number(range[1]) : (page.history[1] || page.history[0] || {}).version;
    page.right = range ? Number(range[2]) : (page.history[0] || {}).version;
    if (page.c && !page.c.service_name) {
      const services = (await get("/services", { environment: page.c.environment, limit: 500 })).items.map((s) => s.name);
      const same = await all("/config", { environment: page.c.environment, prefix: page.c.key, secrets: "omit" }, { most: 2000 });
      const own = new Set(same.filter((c) => c.key === page.c.key && c.service_name).map((c) => c.service_name));
      page.services = services.filter((s) => !own.has(s));
      page.own = [...own];
    }
    // once: later loads must not open again what was closed
    const wanted = page.tab;
    page.tab = null;
    if (wanted === "edit" && page.c && may("config:write", page.c.environment, page.c.service_name)) begin();
    if (wanted === "history") setTimeout(toHistory);
  };

  const reveal = async (c) => {
    try {
      page.revealed = text((await get("/config/" + c.id)).value);
      app.refresh();
    } catch (e) { toast(e.message, "bad"); }
  };

  const begin = () => {
    const c = page.c;
    const kept = sessionStorage.getItem("draft/" + id);
    page.draft = kept ? parse(kept) : { base: c, typed: c.is_encrypted && c.value === null ? "" : text(c.value), type: c.value === null ? "string" : typeOf(c.value), description: c.description || "", isSecret: c.is_encrypted, problem: "" };
    app.redraw();
    const input = document.querySelector("main form.panel textarea, main form.panel select");
    if (input) input.focus();
  };
  const stop = () => { page.draft = null; sessionStorage.removeItem("draft/" + id); app.redraw(); const button = document.querySelector("main [data-edit]"); if (button) button.focus(); };

  const submit = async (e) => {
    e.preventDefault();
    const d = page.draft;
    // over what the draft began with, not over what others wrote since
    const c = d.base || page.c;
    const isUnseen = c.is_encrypted && c.value === null;
    const fields = {};
    if (!(isUnseen && d.typed === "")) {
      let value;
      try { value = read(d.typed, d.type); } catch (x) { d.problem = "not JSON: " + x.message; app.refresh(); return; }
      if (isUnseen || !same(value, c.value)) fields.value = value;
      if (!isUnseen && typeOf(value) !== typeOf(c.value) && !d.typeConfirmed) {
        d.problem = `This changes the type from ${typeOf(c.value)} to ${typeOf(value)}: services may not expect that. Press Review again to do it.`;
        d.typeConfirmed = true;
        app.refresh();
        return;
      }
    }
    if ((d.description || null) !== (c.description || null)) fields.description = d.description || null;
    if (d.isSecret !== c.is_encrypted) fields.is_encrypted = d.isSecret;
    if (!Object.keys(fields).length) { toast("Nothing differs"); return; }
    d.wrong = {};
    const onRefused = (problem) => { d.wrong = problem.byField(["value", "description", "is_encrypted"]); return Object.keys(d.wrong).length > 0; };
    const done = await reviewOne("configuration", c, fields, { onRefused, onDone: () => { stop(); app.reload(); } });
    if (!done) app.refresh();
  };

  page.view = () => {
    const c = page.c;
    const canWrite = c && may("config:write", c.environment, c.service_name);
    const last = page.history[0];
    return html`<div class="head"><h1 tabindex="-1">${c ? c.key : "Deleted configuration"}</h1>
      ${c ? html`${chip(c.environment)} ${c.service_name ? chip(c.service_name) : chip("shared", "quiet")} ${c.is_encrypted ? chip("secret") : ""}` : ""}<span class="grow"></span>
      ${c && !page.draft ? html`<button data-edit class="primary" ?disabled=${!canWrite} title=${canWrite ? "Edit (e)" : "Needs the right config:write here"} @click=${begin}>Edit</button>
        <button data-history title="History (h)" @click=${toHistory}>History</button>
        <button @click=${() => snippets(c)}>Use it</button>
        <a class="button" href=${compareLink(app, c)}>Compare</a>
        <button class="danger" ?disabled=${!canWrite} @click=${() => reviewDeletion("configuration", [c], () => app.reload())}>Delete</button>` : ""}</div>
    ${page.gone && !c ? html`<div class="note">${page.gone.status === 404 ? "It was deleted. Its history stays; rolling back brings it back." : page.gone.message}</div>` : ""}
    ${c ? page.draft ? form(c) : html`<div class="panel"><p>${chip(c.is_encrypted ? "secret" : typeOf(c.value))} ${["object", "array", "none"].includes(typeOf(c.value)) ? "" : html`<code class="value">${text(c.value)}</code>`}</p>${["object", "array"].includes(typeOf(c.value)) ? highlighted(c.value) : ""}
      ${c.is_encrypted ? html`<p>${page.revealed === undefined ? may("secrets:read", c.environment, c.service_name) ? html`<button class="small" @click=${() => reveal(c)}>Show it</button> <span class="quiet">Showing it is written to the audit.</span>` : html`<span class="quiet">Shown only with the right secrets:read.</span>` : html`<code class="value">${page.revealed}</code> <button class="small" @click=${() => { page.revealed = undefined; app.refresh(); }}>Hide</button>`}</p>` : ""}
      ${c.description ? html`<p>${c.description}</p>` : html`<p class="quiet">No description.</p>`}
      <p class="quiet">version ${c.version}, revision ${c.revision}, changed ${time(c.updated_at)} by ${actor(c.updated_by)} ${copyButton(location.href, "Copy the link")}</p>
      ${page.services ? html`<p class="quiet">Seen by all services of ${c.environment} that have no value of their own${page.services.length ? ": " + page.services.slice(0, 20).join(", ") + (page.services.length > 20 ? "…" : "") : ""}.${page.own.length ? ` Not by ${page.own.slice(0, 20).join(", ")}${page.own.length > 20 ? "…" : ""}.` : ""}</p>` : ""}</div>` : ""}
    <h2 id="history" tabindex="-1">History</h2>
    <div class="scroll short"><table><thead><tr><th class="narrow">Left</th><th class="narrow">Right</th><th class="narrow">Version</th><th>What</th><th>When</th><th>By</th><th>Why</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
      <tbody>${page.history.map((v) => html`<tr>
        <td class="narrow"><input type="radio" name="left" aria-label="Compare version ${v.version} on the left" .checked=${page.left === v.version} @change=${() => { page.left = v.version; history.replaceState(null, "", link("config", [id, "v", page.left + ".." + page.right], route.params)); app.refresh(); }}></td>
        <td class="narrow"><input type="radio" name="right" aria-label="Compare version ${v.version} on the right" .checked=${page.right === v.version} @change=${() => { page.right = v.version; history.replaceState(null, "", link("config", [id, "v", page.left + ".." + page.right], route.params)); app.refresh(); }}></td>
        <td class="number">${v.version}</td><td>${chip(v.action.replace("_", " "), v.action)} ${v.action === "deleted" ? "" : html`<code class="value">${v.value === null || v.value === undefined ? "" : text(v.value).slice(0, 80)}</code>`}</td><td>${time(v.changed_at)}</td><td>${actor(v.changed_by, v.changed_at)}</td><td>${v.comment || ""}</td>
        <td class="narrow">${v.action === "deleted" || (last && v.version === last.version) ? "" : html`<button class="small" ?disabled=${!may("config:write", route.params.env, c ? c.service_name : undefined)} @click=${() => reviewRollback("configuration", { id, key: c ? c.key : "", environment: c ? c.environment : route.params.env }, page.history, v.version, () => app.reload())}>Roll back to ${v.version}</button>`}</td></tr>`)}</tbody></table></div>
    ${versionDiff()}`;
  };

  const versionDiff = () => {
    const a = page.history.find((v) => v.version === page.left);
    const b = page.history.find((v) => v.version === page.right);
    if (!a || !b || a === b) return "";
    return html`<h2>Version ${a.version} → ${b.version}</h2>${a.value === null && b.value === null ? html`<p class="quiet">Encrypted values are shown to nobody in a history.</p>` : difference(a.value ?? undefined, b.value ?? undefined)}`;
  };

  const form = (c) => {
    const d = page.draft;
    const set = (name) => (e) => { d[name] = e.target.type === "checkbox" ? e.target.checked : e.target.value; d.problem = ""; if (!d.isSecret) sessionStorage.setItem("draft/" + id, JSON.stringify(d)); };
    return html`<form class="panel" @submit=${submit}>
      ${c.is_encrypted && c.value === null ? html`<p class="note">The value is hidden. Leave it empty to keep it.</p>` : ""}
      ${valueInput(d, app.refresh, set)}
      ${field("Description", html`<input maxlength="2000" .value=${d.description} @input=${set("description")}>`, (d.wrong || {}).description)}
      <label class="check"><input type="checkbox" .checked=${d.isSecret} @change=${set("isSecret")}> Encrypted ${c.is_encrypted || !d.isSecret ? "" : html`<small>(earlier versions stay readable: give a new value, too)</small>`}</label>${(d.wrong || {}).is_encrypted ? html`<small class="wrong" role="alert">${d.wrong.is_encrypted}</small>` : ""}
      <div class="buttons"><button type="button" @click=${stop}>Cancel</button><button class="primary" data-review>Review</button></div></form>`;
  };
  return page;
}

/** Shows how a value is read from code. */
function snippets(c) {
  const query = { environment: c.environment, service_name: c.service_name || undefined };
  const u = new URL("../api/v1/config/" + encodeURIComponent(c.key), location.href);
  for (const [n, v] of Object.entries(query)) if (v) u.searchParams.set(n, v);
  const all = {
    curl: curl("GET", "/config/" + encodeURIComponent(c.key), query),
    "command line": `config-service get ${c.key} -e ${c.environment}${c.service_name ? " -s " + c.service_name : ""}`,
    Java: `HttpResponse<String> r = HttpClient.newHttpClient().send(\n    HttpRequest.newBuilder(URI.create("${u.href}")).build(), BodyHandlers.ofString());`,
    Python: `import json, urllib.request\nvalue = json.load(urllib.request.urlopen("${u.href}"))["value"]`,
    env: `${c.key.toUpperCase().replace(/[^A-Z0-9]/g, "_")}="$(config-service get ${c.key} -e ${c.environment}${c.service_name ? " -s " + c.service_name : ""})"`,
  };
  dialog((close) => html`<h2>Use ${c.key}</h2>${Object.entries(all).map(([name, code]) => html`<section><h3>${name} ${copyButton(code)}</h3><pre><code>${code}</code></pre></section>`)}<div class="buttons"><button @click=${() => close()}>Close</button></div>`);
}

