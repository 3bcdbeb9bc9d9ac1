// The overview, the audit, the keys and the cluster.

import { all, atRoot, download, follow, get, may, session, write } from "./api.js";
import { fieldDifferences } from "./diff.js";
import { signIn } from "./login.js";
import { change, link } from "./route.js";
import { actor, ask, chip, copyButton, curl, dialog, empty, failure, field, html, later, time, toast } from "./ui.js";
import { hrefOf, nameOf } from "./trail.js";

// overview

/** Returns the nodes in one line: how many of each role, how far they are, and those that are not up. */
function clusterLine(nodes) {
  const count = (role) => nodes.filter((n) => n.role === role).length;
  const applied = nodes.map((n) => n.revision).filter((r) => r !== null);
  const newest = Math.max(0, ...applied);
  const behind = nodes.filter((n) => n.revision !== null && n.revision < newest).length;
  const away = nodes.filter((n) => n.revision === null).length;
  const stale = nodes.filter((n) => n.stale_seconds > 0).length;
  return html`<p class="quiet">${count("core")} core ${count("core") === 1 ? "node" : "nodes"}, ${count("edge")} ${count("edge") === 1 ? "edge" : "edges"}, at revision ${newest}
    ${behind ? chip(behind + " behind", "warn") : ""} ${stale ? chip(stale + " cut off from the log", "bad") : ""} ${away ? chip(away + " not answering", "bad") : ""}</p>`;
}

export function overviewPage(app) {
  const page = { nodes: null, recent: [], rolling: [], stale: [], unhealthy: [], registry: { services: [] }, health: null, isEmpty: { config: false, flags: false, registry: false }, arrived: new Set() };
  const again = later(() => app.reload(), 600);
  page.close = follow((c) => {
    if (!c.resync) page.arrived.add(c.resource_type);
    again();
  });
  page.load = async () => {
    const [nodes, health, registry, flags, stale, configs] = await Promise.all([
      get("/cluster").then((r) => r.nodes, () => null),
      atRoot("health").then((r) => r.json()).catch(() => null),
      get("/registry").catch(() => ({ services: [] })),
      all("/feature-flags", {}, { most: 5000 }),
      get("/feature-flags", { stale: true, limit: 20 }).catch(() => ({ items: [] })),
      get("/config", { limit: 1 }),
    ]);
    page.nodes = nodes;
    page.health = health;
    page.registry = registry;
    page.rolling = flags.filter((f) => f.is_enabled && f.rollout_percentage > 0 && f.rollout_percentage < 100).slice(0, 12);
    page.stale = stale.items;
    page.unhealthy = registry.services.filter((s) => s.healthy < s.instances);
    page.isEmpty = { config: !configs.items.length, flags: !flags.length, registry: !registry.services.length };
    const found = await get("/changes", { after: Math.max(0, session.revision - 200), limit: 500 }).catch(() => ({ items: [] }));
    const hour = Date.now() - 3600e3;
    page.recent = found.items.filter((c) => Date.parse(c.occurred_at) > hour).reverse().slice(0, 10);
  };
  const card = (title, done, call) => html`<section class="card"><h3>${title} ${done ? chip("✓ arrived", "good") : chip("watching…", "quiet")}</h3><pre><code>${call}</code></pre>${copyButton(call)}</section>`;
  page.view = () => {
    const down = page.health ? page.health.parts.filter((p) => p.status !== "UP") : [];
    const fresh = page.isEmpty.config && page.isEmpty.flags && page.isEmpty.registry;
    return html`<div class="head"><h1 tabindex="-1">Overview</h1>${page.health ? chip(page.health.status === "UP" ? "all parts up" : "not healthy", page.health.status === "UP" ? "good" : "bad") : ""}<span class="grow"></span><a href=${link("cluster")}>cluster</a></div>
      ${page.nodes ? clusterLine(page.nodes) : ""}
      ${down.map((p) => html`<div class="banner">${p.part} is down ${(p.data || {}).warning || ""}</div>`)}
      ${page.registry.protected ? html`<div class="banner">Expiry of instances is held back: ${page.registry.protected_reason || ""}</div>` : ""}
      ${fresh ? html`<p>Nothing is here yet. Each of these calls adds the first of its kind; this page sees it arrive.</p><div class="cards">
        ${card("Create a configuration", page.arrived.has("configuration"), curl("PUT", "/config/database.url", { environment: "staging", service_name: "user-service" }, { value: "postgresql://db:5432/app" }))}
        ${card("Create a flag", page.arrived.has("feature_flag"), curl("PUT", "/feature-flags/new-ui", { environment: "staging" }, { is_enabled: true, rollout_percentage: 50 }))}
        ${card("Register an instance", page.arrived.has("service"), curl("POST", "/registry/register", {}, { service_name: "user-service", service_url: "http://10.0.0.7:8080" }))}</div>` : html`
      <div class="cards">
      <section class="card wide"><h2>Changed in the last hour</h2>${page.recent.length ? html`<table><tbody>${page.recent.map((c) => html`<tr><td>${time(c.occurred_at)}</td><td>${chip(c.action.replace("_", " "), c.action)}</td><td class="key"><a href=${hrefOf(c)}>${nameOf(c)}</a></td><td class="quiet">${[c.environment, c.service_name].filter(Boolean).join(" / ")}</td><td>${actor(c.actor)}</td></tr>`)}</tbody></table>` : html`<p class="quiet">Nothing.</p>`}</section>
      <section class="card"><h2>Being rolled out</h2>${page.rolling.length ? html`<ul class="plain">${page.rolling.map((f) => html`<li><a href=${link("flags", [f.id], { env: f.environment })}>${f.name}</a> <span class="quiet">${f.environment}</span> <meter min="0" max="100" value=${f.rollout_percentage}></meter> ${f.rollout_percentage} %</li>`)}</ul>` : html`<p class="quiet">No flag is on for a part of the users.</p>`}</section>
      <section class="card"><h2>Flags that look forgotten</h2>${page.stale.length ? html`<ul class="plain">${page.stale.map((f) => html`<li><a href=${link("flags", [f.id], { env: f.environment })}>${f.name}</a> <span class="quiet">${f.environment}, ${(f.stale_reasons || []).join(", ")}</span></li>`)}</ul>` : html`<p class="quiet">None.</p>`}</section>
      <section class="card"><h2>Services that are not all healthy</h2>${page.unhealthy.length ? html`<ul class="plain">${page.unhealthy.map((s) => html`<li><a href=${link("registry", [s.service_name])}>${s.service_name}</a> ${chip(s.healthy + " of " + s.instances, s.healthy ? "warn" : "bad")}</li>`)}</ul>` : html`<p class="quiet">All ${page.registry.services.length} services are.</p>`}</section></div>`}`;
  };
  return page;
}

// audit

export function auditPage(app, route) {
  const page = { items: [], token: null, verify: null };
  const query = () => {
    const { actor: name, type, key, env, service, since, until } = route.params;
    return { actor: name, resource_type: type, key, environment: env, service_name: service, since, until };
  };
  page.onRoute = (r) => { route = r; };
  page.load = async () => {
    if (!may("audit:read")) { page.items = null; return; }
    const found = await get("/audit", { ...query(), limit: 100 });
    page.items = found.items;
    page.token = found.next_page_token;
  };
  const more = async () => {
    try {
      const found = await get("/audit", { ...query(), limit: 100, page_token: page.token });
      page.items.push(...found.items);
      page.token = found.next_page_token;
      app.refresh();
    } catch (e) { toast(e.message, "bad"); }
  };
  const verify = async () => {
    page.verify = { at: 0, last: 1, state: "running" };
    app.refresh();
    try {
      const last = (await get("/audit/anchor")).revision;
      page.verify.last = last;
      for (let from = 1; from <= last; from += 20000) {
        const to = Math.min(last, from + 19999);
        const done = await get("/audit/verify", { from, to });
        page.verify.at = to;
        if (!done.verified) { page.verify.state = "broken"; page.verify.broken = done.first_break; break; }
        app.refresh();
      }
      if (page.verify.state === "running") page.verify.state = "whole";
    } catch (e) { page.verify = { state: "failed", error: e }; }
    app.refresh();
  };
  const seal = () => {
    const v = page.verify;
    if (!v) return "";
    if (v.state === "failed") return failure(v.error);
    return html`<div class="note ${v.state === "whole" ? "good" : v.state === "broken" ? "bad" : ""}" role="status">${v.state === "running" ? html`<progress max=${v.last} value=${v.at}></progress> ${v.at} of ${v.last} revisions` : v.state === "whole" ? html`<b>Unaltered.</b> The chain of hashes holds for revisions 1 to ${v.last}, and what is stored is what the log says.` : html`<b>Altered, or not sealed</b>, from revision ${v.broken} on.`}</div>`;
  };
  page.view = () => {
    const p = route.params;
    const set = (name) => (e) => change(route, { [name]: e.target.value });
    if (page.items === null) return html`<div class="head"><h1 tabindex="-1">Audit</h1></div><div class="note">Who changed what is shown to keys with the right <code>audit:read</code>. ${session.self ? "" : html`<button @click=${signIn}>Sign in</button>`}</div>`;
    return html`<div class="head"><h1 tabindex="-1">Audit</h1><span class="grow"></span><button @click=${verify}>Verify</button><button @click=${() => download("/audit", { ...query(), format: "csv" }, "audit.csv").catch((e) => toast(e.message, "bad"))}>CSV</button><button @click=${() => download("/audit", { ...query(), format: "jsonl" }, "audit.jsonl").catch((e) => toast(e.message, "bad"))}>JSON lines</button></div>
      ${seal()}
      <div class="tools"><label>Actor <input .value=${p.actor || ""} @change=${set("actor")}></label><label>Kind <select @change=${set("type")}>${["", "configuration", "feature_flag", "service", "template", "schema", "access_key", "secret_read", "access_denied"].map((t) => html`<option value=${t} .selected=${(p.type || "") === t}>${t ? t.replaceAll("_", " ") : "all changes"}</option>`)}</select></label><label>Key <input .value=${p.key || ""} @change=${set("key")}></label><label>Since <input placeholder="2026-11-01T00:00:00Z" .value=${p.since || ""} @change=${set("since")}></label><label>Until <input .value=${p.until || ""} @change=${set("until")}></label></div>
      ${!page.items.length ? empty("No entries", "Nothing matches these filters.") : html`<div class="scroll" tabindex="0" role="region" aria-label="Audit"><table><thead><tr><th>When</th><th class="narrow">Revision</th><th>Who</th><th>What</th><th>Where</th><th>Name</th><th>Why</th><th class="narrow"></th></tr></thead><tbody>${page.items.map((e) => {
        const s = e.after || e.before || {};
        return html`<tr><td>${time(e.occurred_at)}</td><td class="number">${e.revision ?? ""}</td><td><a href=${link("audit", [], { ...p, actor: e.actor ? e.actor.name : "" })}>${actor(e.actor)}</a></td><td>${chip(e.resource_type.replaceAll("_", " "))} ${chip(e.action.replaceAll("_", " "), e.action)}</td><td>${[e.environment, e.service_name].filter(Boolean).join(" / ")}</td><td class="key">${s.key || s.name || e.resource_id}</td><td>${e.comment || ""}</td><td class="narrow">${e.before || e.after ? html`<button class="small" @click=${() => dialog((close) => html`<h2>${s.key || s.name || e.resource_id}</h2><p class="quiet">request <code>${e.request_id || "none"}</code></p>${fieldDifferences(e.before || undefined, e.after || undefined)}<div class="buttons"><button @click=${() => close()}>Close</button></div>`, { kind: "wide" })}>Difference</button>` : ""}</td></tr>`;
      })}</tbody></table></div>${page.token ? html`<p><button @click=${more}>More</button></p>` : ""}`}`;
  };
  return page;
}

// keys

const KINDS = { "Service that reads": ["read"], Deployer: ["read", "config:write", "flags:write"], Auditor: ["read", "audit:read"], "Service that registers": ["read", "registry:write"] };
const RIGHTS = ["read", "config:write", "flags:write", "registry:write", "secrets:read", "audit:read", "keys:write", "admin"];

/** What each right permits, in the columns of the matrix. */
const DOES = [["Read", ["read"]], ["Write values", ["config:write"]], ["Write flags", ["flags:write"]], ["Register", ["registry:write"]], ["See secrets", ["secrets:read"]], ["See audit", ["audit:read"]], ["Make keys", ["keys:write"]]];

/** Returns what a key may do in which environment, and for which services. */
function matrix(app, key) {
  const covers = (names, name) => !names || !names.length || names.some((n) => (n.endsWith("*") ? name.startsWith(n.slice(0, -1)) : n === name));
  const rights = key.rights || [];
  // of an environment that does not exist yet, the key tells what it will be
  const named = (key.environments || []).filter((n) => !app.environments.includes(n));
  const rows = [...app.environments, ...named];
  const services = (key.service_names || []).length ? "Only for " + key.service_names.join(", ") + ", and shared values are read." : "For all services.";
  return html`<div class="scroll short" tabindex="0" role="region" aria-label="What it may do"><table class="matrix"><thead><tr><th>Environment</th>${DOES.map(([title]) => html`<th>${title}</th>`)}</tr></thead><tbody>
    ${rows.map((name) => html`<tr><td class="key">${name}</td>${DOES.map(([title, needed]) => {
      const has = covers(key.environments, name) && (rights.includes("admin") || needed.some((r) => rights.includes(r)));
      return html`<td>${has ? html`<span class="yes" aria-label="yes: ${title}">✓</span>` : html`<span class="quiet" aria-label="no">–</span>`}</td>`;
    })}</tr>`)}</tbody></table></div><p class="quiet">${services}${rights.includes("admin") ? " An admin key may do everything." : ""}</p>`;
}

export function keysPage(app) {
  const page = { items: null };
  page.load = async () => { page.items = may("keys:write") ? await all("/access/keys", {}) : null; };
  const act = async (run) => { try { const done = await run(); app.reload(); return done; } catch (e) { toast(e.message, "bad", undefined, 15); return null; } };
  const show = (key, name) => dialog((close) => html`<h2>The key of ${name}</h2><p>It is shown this once. Keep it where secrets are kept.</p><pre><code>${key}</code></pre>${copyButton(key)}<p>In a shell:</p><pre><code>export CS_API_KEY=${key}</code></pre><div class="buttons"><button class="primary" @click=${() => close()}>I have kept it</button></div>`);
  const create = () => {
    const state = { name: "", rights: new Set(["read"]), environments: "", services: "", days: "", problem: null };
    const names = (t) => { const all = t.split(",").map((x) => x.trim()).filter(Boolean); return all.length ? all : undefined; };
    dialog((close, update) => html`<form @submit=${async (e) => {
      e.preventDefault();
      try {
        const made = await write("POST", "/access/keys", { body: { name: state.name, rights: [...state.rights], environments: names(state.environments), service_names: names(state.services), expires_at: state.days ? new Date(Date.now() + Number(state.days) * 86400e3).toISOString() : undefined } });
        close();
        app.reload();
        show(made.json.key, state.name);
      } catch (x) { state.problem = x; update(); }
    }}><h2>New key</h2>
      ${field("Name", html`<input required autofocus @input=${(e) => { state.name = e.target.value; }}>`, state.problem ? state.problem.of("name") : "")}
      <div class="field"><span>For</span><div class="stops">${Object.entries(KINDS).map(([n, r]) => html`<button type="button" class="small" @click=${() => { state.rights = new Set(r); update(); }}>${n}</button>`)}</div></div>
      <fieldset class="checks"><legend>Rights</legend>${RIGHTS.map((r) => html`<label class="check"><input type="checkbox" .checked=${state.rights.has(r)} ?disabled=${!may(r)} title=${may(r) ? "" : "Beyond your own rights"} @change=${(e) => { if (e.target.checked) state.rights.add(r); else state.rights.delete(r); update(); }}> ${r}</label>`)}</fieldset>
      <div class="pair">${field("Only these environments", html`<input placeholder="all" @input=${(e) => { state.environments = e.target.value; update(); }}>`, "", "Separated by commas; a trailing * matches any rest")}${field("Only these services", html`<input placeholder="all" @input=${(e) => { state.services = e.target.value; update(); }}>`)}</div>
      ${field("Expires after, in days", html`<input type="number" min="1" placeholder="never" @input=${(e) => { state.days = e.target.value; }}>`)}
      <h3>What it may do</h3>${matrix(app, { rights: [...state.rights], environments: names(state.environments), service_names: names(state.services) })}
      ${state.problem ? failure(state.problem) : ""}<div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary">Create</button></div></form>`, { kind: "wide" });
  };
  const remove = (k) => {
    const state = { typed: "" };
    dialog((close, update) => html`<form @submit=${(e) => { e.preventDefault(); close(); act(() => write("DELETE", "/access/keys/" + k.id)).then((d) => d && toast("Deleted " + k.name, "good")); }}><h2>Delete ${k.name}</h2><p>Whoever uses it is refused from then on. It cannot be undone.</p>${field(html`Type <b>${k.name}</b>`, html`<input autofocus autocomplete="off" @input=${(e) => { state.typed = e.target.value; update(); }}>`)}<div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary danger" ?disabled=${state.typed !== k.name}>Delete</button></div></form>`, { kind: "production" });
  };
  const rotate = (k) => {
    const state = { grace: 3600 };
    dialog((close) => html`<form @submit=${async (e) => { e.preventDefault(); close(); const done = await act(() => write("POST", `/access/keys/${k.id}/rotate`, { body: { grace_seconds: Number(state.grace) } })); if (done) show(done.json.key, k.name); }}><h2>Rotate ${k.name}</h2>${field("The old secret stays valid for, in seconds", html`<input type="number" min="0" autofocus .value=${String(state.grace)} @input=${(e) => { state.grace = e.target.value; }}>`)}<div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary">Rotate</button></div></form>`);
  };
  page.view = () => html`<div class="head"><h1 tabindex="-1">Keys</h1><span class="grow"></span><button class="primary" ?disabled=${!may("keys:write")} @click=${create}>New key</button></div>
    ${page.items === null ? html`<div class="note">Keys are managed with a key that has the right <code>keys:write</code>. ${session.self ? "" : html`<button @click=${signIn}>Sign in</button>`}</div>` : !page.items.length ? empty("No keys", "Only the admin key is there.") : html`<div class="scroll"><table><thead><tr><th>Name</th><th>Rights</th><th>Environments</th><th>Services</th><th>Expires</th><th>Last used</th><th>Created by</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead><tbody>${page.items.map((k) => {
      const idle = !k.last_used_at || Date.now() - Date.parse(k.last_used_at) > 90 * 86400e3;
      return html`<tr><td class="key">${k.name} ${k.enabled === false ? chip("disabled", "warn") : ""}</td><td>${k.rights.map((r) => chip(r, r === "admin" ? "bad" : ""))}</td><td>${(k.environments || []).length ? k.environments.join(", ") : "all"}</td><td>${(k.service_names || []).length ? k.service_names.join(", ") : "all"}</td><td>${k.expires_at ? time(k.expires_at) : "never"}</td><td>${time(k.last_used_at)} ${idle ? chip(k.last_used_at ? "unused for 90 days" : "never used", "warn") : ""}</td><td>${k.created_by ? actor(k.created_by) : ""}</td><td class="narrow"><button class="small" @click=${() => dialog((close) => html`<h2>${k.name}</h2>${matrix(app, k)}<div class="buttons"><button @click=${() => close()}>Close</button></div>`, { kind: "wide" })}>May do</button> <button class="small" @click=${() => rotate(k)}>Rotate</button> <button class="small" @click=${() => act(() => write("PUT", "/access/keys/" + k.id, { body: { enabled: k.enabled === false } }))}>${k.enabled === false ? "Enable" : "Disable"}</button> <button class="small danger" @click=${() => remove(k)}>Delete</button></td></tr>`;
    })}</tbody></table></div>`}`;
  return page;
}

// cluster

/** Reads samples of Prometheus' text format: for each name its labels and values. */
export function samples(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const m = /^([a-z_0-9]+)(?:\{(.*)\})? ([0-9.eE+-]+|NaN)$/i.exec(line);
    if (!m) continue;
    const labels = Object.fromEntries([...(m[2] || "").matchAll(/([a-z_0-9]+)="((?:[^"\\]|\\.)*)"/gi)].map(([, k, v]) => [k, v]));
    if (!found.has(m[1])) found.set(m[1], []);
    found.get(m[1]).push({ labels, value: Number(m[3]) });
  }
  return found;
}

export function clusterPage(app) {
  const page = { nodes: null, error: null, health: null, metrics: new Map() };
  const timer = setInterval(() => app.reload(), 5000);
  page.close = () => clearInterval(timer);
  page.load = async () => {
    const [settings, nodes, health, metrics] = await Promise.all([may("admin") ? get("/cluster/settings").catch(() => null) : null, get("/cluster").catch((e) => ({ error: e })), atRoot("health").then((r) => r.json()), atRoot("metrics").then((r) => (r.ok ? r.text() : "")).catch(() => "")]);
    page.settings = settings && settings.items;
    page.nodes = nodes.nodes || null;
    page.error = nodes.error || null;
    page.health = health;
    page.metrics = samples(metrics);
  };
  const sum = (name, where = () => true) => (page.metrics.get(name) || []).filter((s) => where(s.labels)).reduce((n, s) => n + s.value, 0);
  page.view = () => {
    const head = Math.max(0, ...(page.nodes || []).map((n) => n.revision || 0));
    const reads = page.metrics.get("config_service_snapshot_reads_total") || page.metrics.get("config_service_cache_reads_total") || [];
    const all = reads.reduce((n, s) => n + s.value, 0);
    return html`<div class="head"><h1 tabindex="-1">Cluster</h1>${page.health ? chip(page.health.status === "UP" ? "up" : "not healthy", page.health.status === "UP" ? "good" : "bad") : ""}<span class="grow"></span><a href="../metrics" target="_blank" rel="noopener">metrics</a></div>
      <h2>Nodes</h2>${page.error ? html`<div class="note">${page.error.status === 401 ? html`The nodes are shown to callers with a key. <button @click=${signIn}>Sign in</button>` : page.error.message}</div>` : html`<table><thead><tr><th>Node</th><th>Role</th><th>Address</th><th>Version</th><th>State</th><th class="narrow">Revision</th><th class="narrow">Behind</th><th class="narrow">Epoch</th><th class="narrow">Streams</th></tr></thead><tbody>${page.nodes.map((n) => html`<tr><td class="key">${n.id.slice(0, 8)} ${n.is_this ? chip("this one", "quiet") : ""}</td><td>${n.role}</td><td>${n.address || html`<span class="quiet">admins see it</span>`}</td><td>${n.version}</td><td>${chip(n.status.toLowerCase(), n.status === "UP" ? (n.stale_seconds ? "warn" : "good") : "bad")} ${n.stale_seconds ? `cut off for ${n.stale_seconds} s` : ""}</td><td class="number">${n.revision ?? ""}</td><td class="number">${n.revision === null ? "" : head - n.revision}</td><td class="number">${n.epoch ?? ""}</td><td class="number">${n.streams ?? ""}</td></tr>`)}</tbody></table>`}
      <h2>Parts of this node</h2><table><thead><tr><th>Part</th><th>State</th><th>More</th></tr></thead><tbody>${page.health.parts.map((p) => html`<tr><td>${p.part}</td><td>${chip(p.status.toLowerCase(), p.status === "UP" ? "good" : "bad")}</td><td class="quiet">${Object.entries(p.data || {}).map(([k, v]) => `${k.replaceAll("_", " ")} ${v}`).join(", ")}</td></tr>`)}</tbody></table>
      <h2>Numbers of this node</h2><dl class="numbers">
        ${[["Streams", sum("config_service_streams")], ["Memory for what is read, MB", Math.round(sum("config_service_cache_bytes") / 1e5) / 10], ["Log kept longer for a consumer that lags", sum("config_service_log_held") ? "yes" : "no"], ["Backlog of Kafka, changes", sum("config_service_kafka_backlog")], ["Writes", sum("config_service_writes_total")]].filter(([, v]) => !Number.isNaN(v)).map(([k, v]) => html`<dt>${k}</dt><dd>${v.toLocaleString("en")}</dd>`)}
        ${all ? reads.map((s) => html`<dt>Reads answered from ${s.labels.tier || s.labels.source || Object.values(s.labels).at(-1)}</dt><dd>${Math.round((1000 * s.value) / all) / 10} %</dd>`) : ""}</dl>
      <h2>Settings of this node</h2>${page.settings ? html`<details><summary>${page.settings.length} settings; what may hold a secret is not shown</summary><table><thead><tr><th>Setting</th><th>Value</th></tr></thead><tbody>${page.settings.map((s) => html`<tr><td class="key">${s.name}</td><td>${s.value === "" ? html`<span class="quiet">empty</span>` : html`<code class="value">${s.value}</code>`}</td></tr>`)}</tbody></table></details>` : html`<p class="quiet">Shown to callers with the right admin.</p>`}`;
  };
  return page;
}
