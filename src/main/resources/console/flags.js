// Feature flags: the list by name and environment, one with its order of evaluation and its usage, and trying one.

import { all, follow, get, may, write } from "./api.js";
import { bucket, isIn } from "./bucket.js";
import { fieldDifferences, same } from "./diff.js";
import { parse } from "./json.js";
import { change, link } from "./route.js";
import { asJson, condition, prerequisiteEditor, ruleEditor, variantBar, variantEditor } from "./rules.js";
import { actor, chip, copyButton, curl, dialog, empty, failure, field, html, later, rows, scroller, time, toast, toHistory, typed } from "./ui.js";
import { reviewDeletion, reviewOne, reviewRollback } from "./write.js";

export function flagsPage(app, route) {
  return route.parts.length ? detail(app, route) : list(app, route);
}

/** Returns the share of users that get a flag, as far as its fields tell. */
function share(f) {
  if (!f.is_enabled) return 0;
  return f.rollout_percentage ?? ((f.rules || []).length || (f.target_users || []).length ? 0 : 100);
}

function list(app, route) {
  const page = { names: [], environments: [], stale: new Set(), turn: 0 };
  const scroll = scroller(app.refresh);
  const again = later(() => { if (!document.querySelector("dialog[open]")) app.reload(); }, 400);
  page.close = follow((c) => { if (c.resync || c.resource_type === "feature_flag") again(); });
  page.onRoute = (r) => { route = r; };

  page.load = async () => {
    const turn = ++page.turn;
    const { env, q, tag } = route.params;
    const [flags, stale] = await Promise.all([all("/feature-flags", { environment: env, tag, usage: true }), all("/feature-flags", { environment: env, stale: true })]);
    if (turn !== page.turn) return;
    page.stale = new Map(stale.map((f) => [f.id, f.stale_reasons]));
    const names = new Map();
    const environments = new Set();
    for (const f of flags) {
      if (q && !(f.name + " " + (f.description || "") + " " + (f.owner || "")).toLowerCase().includes(q.toLowerCase())) continue;
      environments.add(f.environment);
      if (!names.has(f.name)) names.set(f.name, new Map());
      names.get(f.name).set(f.environment, f);
    }
    page.environments = [...environments].sort();
    page.names = [...names].sort(([a], [b]) => (a < b ? -1 : 1));
  };

  const cell = (f) => {
    if (!f) return html`<td class="quiet">–</td>`;
    const canWrite = may("flags:write", f.environment);
    const s = share(f);
    const targeted = f.is_enabled && ((f.rules || []).length || (f.target_users || []).length);
    return html`<td><span class="flag-cell"><button role="switch" class="toggle" aria-checked=${f.is_enabled} aria-label="${f.name} in ${f.environment}" ?disabled=${!canWrite} title=${canWrite ? "" : "Needs the right flags:write here"} @click=${() => reviewOne("feature_flag", f, { is_enabled: !f.is_enabled }, { onDone: () => app.reload(), title: (f.is_enabled ? "Switch off " : "Switch on ") + f.name })}></button>
      <a href=${link("flags", [f.id], { env: f.environment })}>${f.is_enabled ? html`<meter min="0" max="100" value=${s} aria-label="rollout"></meter> ${s} %${targeted ? "+" : ""}` : "off"}</a></span></td>`;
  };

  page.view = () => {
    const { q, env } = route.params;
    return html`<div class="head"><h1 tabindex="-1">Flags</h1><span class="quiet">${page.names.length} ${page.names.length === 1 ? "name" : "names"}</span><span class="grow"></span>
      <button class="primary" ?disabled=${!may("flags:write", env)} title=${may("flags:write", env) ? "" : "Needs the right flags:write here"} @click=${() => create(app, route)}>New flag</button></div>
      <div class="tools" role="search"><input type="search" aria-label="Filter flags" placeholder="Part of the name, description or owner" .value=${typed("Filter flags", q)} @input=${later((e) => change(route, { q: e.target.value }))}></div>
      ${!page.names.length ? empty("No flags" + (q ? " match" : ""), q ? "" : "This call creates the first one:", q ? "" : html`<pre><code>${curl("PUT", "/feature-flags/new-ui", { environment: env || "staging" }, { is_enabled: true, rollout_percentage: 10 })}</code></pre>`) : html`
      <div class="scroll" @scroll=${scroll.listen} tabindex="0" role="region" aria-label="Flags"><table><thead><tr><th>Name</th>${page.environments.map((e) => html`<th>${e}</th>`)}<th>Variants</th><th>Tags</th><th>Owner</th><th>Evaluated</th><th>Changed</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
      <tbody>${rows(page.names, scroll, page.environments.length + 7, ([name, by]) => {
        const first = [...by.values()][0];
        const latest = [...by.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))[0];
        const evaluated = [...by.values()].map((f) => f.last_evaluated_at).filter(Boolean).sort().at(-1);
        const stale = [...by.values()].map((f) => page.stale.get(f.id)).find(Boolean);
        return html`<tr><td class="key"><a href=${link("flags", [first.id], { env: first.environment })} title=${first.description || name}>${name}</a> ${stale ? html`<span class="chip warn" title=${stale.join(", ")}>stale</span>` : ""}</td>
          ${page.environments.map((e) => cell(by.get(e)))}
          <td>${variantBar(first.variants || [])}</td><td>${(first.tags || []).map((t) => chip(t, "quiet"))}</td><td>${first.owner || ""}</td><td title="The last evaluation in any of these environments, within 30 days">${time(evaluated)}</td><td>${time(latest.updated_at)}</td>
          <td class="narrow"><a class="button small ghost" href=${link("try", [], { flag: name, env: first.environment })}>Why for user…</a></td></tr>`;
      })}</tbody></table></div>`}`;
  };
  return page;
}

function create(app, route) {
  const state = { environment: route.params.env || app.environments[0] || "", name: "", description: "" };
  dialog((close) => {
    const set = (name) => (e) => { state[name] = e.target.value; };
    return html`<form @submit=${(e) => { e.preventDefault(); close(); reviewOne("feature_flag", { environment: state.environment, name: state.name }, { description: state.description || null, is_enabled: false }, { isNew: true, onDone: (f) => { app.reload(); app.places(); if (f) location.hash = link("flags", [f.id], { env: f.environment }); } }); }}>
      <h2>New flag</h2>
      ${field("Environment", html`<input required list="environments-f" .value=${state.environment} @input=${set("environment")}>`)}<datalist id="environments-f">${app.environments.map((x) => html`<option value=${x}></option>`)}</datalist>
      ${field("Name", html`<input required autofocus spellcheck="false" pattern="[A-Za-z0-9_][A-Za-z0-9._:\\-]*" .value=${state.name} @input=${set("name")}>`)}
      ${field("Description", html`<input maxlength="2000" .value=${state.description} @input=${set("description")}>`)}
      <p class="quiet">It begins switched off.</p>
      <div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary" data-review>Review</button></div></form>`;
  });
}

// one flag

/** What was begun and not written yet, by the id of the flag, while the tab is open. */
const drafts = new Map();

function detail(app, route) {
  const id = route.parts[0];
  const page = { f: null, gone: null, history: [], usage: null, draft: null, users: "", chart: null, open: new Set(), wrong: {} };
  Object.assign(page, drafts.get(id));
  const forget = () => {
    drafts.delete(id);
    page.draft = null;
    page.wrong = {};
  };
  const wrong = (name) => (page.wrong[name] ? html`<small class="wrong" role="alert">${page.wrong[name]}</small>` : "");
  const again = later(() => { if (!page.draft) app.reload(); }, 300);
  const unfollow = follow((c) => { if (c.resource_id === id) again(); });
  // counts come in by the minute: the chart follows them
  const watching = setInterval(async () => {
    if (document.visibilityState === "hidden" || !page.f) return;
    page.usage = await get(`/feature-flags/${id}/usage`).catch(() => page.usage);
    app.refresh();
    setTimeout(drawChart, 50);
  }, 10000);
  page.close = () => { unfollow(); clearInterval(watching); if (page.chart) page.chart.destroy(); };
  page.onRoute = (r) => { route = r; };
  const fieldsOf = (f) => ({ is_enabled: f.is_enabled, prerequisites: f.prerequisites || [], target_users: f.target_users || [], rules: f.rules || [], rollout_percentage: f.rollout_percentage, variants: f.variants || [], salt: f.salt, description: f.description, owner: f.owner, tags: f.tags || [], expires_at: f.expires_at });

  page.load = async () => {
    page.history = (await get(`/feature-flags/${id}/history`, { limit: 100 })).items;
    try {
      page.f = await get("/feature-flags/" + id);
      page.gone = null;
    } catch (e) {
      if (e.status !== 404) throw e;
      page.gone = e;
      page.f = null;
    }
    if (route.params.tab === "usage" && !page.isAtUsage) {
      page.isAtUsage = true;
      setTimeout(() => { const chart = document.getElementById("usage-chart"); if (chart) chart.scrollIntoView(); }, 100);
    }
    page.usage = page.f ? await get(`/feature-flags/${id}/usage`).catch(() => null) : null;
    setTimeout(drawChart, 50);
  };

  const edit = (name, value) => {
    if (!page.draft) page.base = page.f;
    page.draft = page.draft || parse(JSON.stringify(fieldsOf(page.f)), false);
    page.draft[name] = value;
    drafts.set(id, { draft: page.draft, base: page.base });
    // at once: the next input must begin with this one
    app.redraw();
  };
  const submit = async () => {
    // over what the draft began with, not over what others wrote since
    const f = page.base;
    const before = fieldsOf(f);
    const changed = Object.fromEntries(Object.entries(page.draft).filter(([n, v]) => !same(v, before[n])));
    if (!Object.keys(changed).length) { forget(); app.refresh(); toast("Nothing differs"); return; }
    page.wrong = {};
    const onRefused = (problem) => { page.wrong = problem.byField(Object.keys(page.draft)); return Object.keys(page.wrong).length > 0; };
    const done = await reviewOne("feature_flag", f, changed, { onRefused, onDone: () => { forget(); app.reload(); } });
    if (!done) app.refresh();
  };

  const opened = (name) => (e) => { if (e.target.open) page.open.add(name); else page.open.delete(name); };
  const rung = (n, title, state, body) => html`<li class="rung ${state}"><span class="number" aria-hidden="true">${n}</span><div><h3>${title}</h3>${body}</div></li>`;

  page.view = () => {
    const f = page.f;
    if (!f) return html`<div class="head"><h1 tabindex="-1">Deleted flag</h1></div><div class="note">It was deleted. Rolling back to a version brings it back.</div>${historyTable()}`;
    const v = page.draft || fieldsOf(f);
    const canWrite = may("flags:write", f.environment);
    const locked = canWrite ? "" : "Needs the right flags:write here";
    const before = page.history.find((h) => h.value && h.value.rollout_percentage !== f.rollout_percentage);
    const earlier = before && before.value.rollout_percentage;
    const percentage = v.rollout_percentage ?? ((v.rules.length || v.target_users.length) ? 0 : 100);
    return html`<div class="head ${page.draft ? "editing" : ""}"><h1 tabindex="-1">${f.name}</h1>${chip(f.environment)} ${v.is_enabled ? chip("on", "good") : chip("off", "quiet")}<span class="grow"></span>
        ${page.draft ? html`<button @click=${() => { forget(); app.refresh(); }}>Discard</button><button class="primary" data-review @click=${submit}>Review</button>` : html`
        <button data-history title="History (h)" @click=${toHistory}>History</button>
        <a class="button" href=${link("try", [], { flag: f.name, env: f.environment })}>Why for user…</a>
        <button class="danger" ?disabled=${!canWrite} title=${locked} @click=${() => reviewDeletion("feature_flag", [f], () => app.reload())}>Delete</button>`}</div>
      <p>${f.description || html`<span class="quiet">No description.</span>`} <span class="quiet">version ${f.version}, revision ${f.revision}, changed ${time(f.updated_at)} by ${actor(f.updated_by)}${f.owner ? ", owned by " + f.owner : ""} ${copyButton(location.href, "Copy the link")}</span></p>
      <div class="columns"><section aria-label="Order of evaluation"><h2>Who gets it: the first that decides</h2>
      <ol class="ladder">
        ${rung(1, "Switch", v.is_enabled ? "" : "decides", html`<button role="switch" class="toggle" aria-checked=${v.is_enabled} aria-label="Switched on" ?disabled=${!canWrite} title=${locked} @click=${() => edit("is_enabled", !v.is_enabled)}></button> ${v.is_enabled ? "on: go on" : "off for everybody"}`)}
        ${rung(2, "Prerequisites", "", html`${v.prerequisites.length ? v.prerequisites.map((p) => chip(typeof p === "string" ? p + " is on" : p.flag_name + " is " + p.variant)) : html`<span class="quiet">none</span>`}
          <details ?open=${page.open.has("prerequisites")} @toggle=${opened("prerequisites")}><summary>Change</summary>${prerequisiteEditor(v.prerequisites, (x) => edit("prerequisites", x), !canWrite)}</details>${wrong("prerequisites")}`)}
        ${rung(3, "Users", "", html`${v.target_users.length ? html`${v.target_users.slice(0, 12).map((u) => chip(u))}${v.target_users.length > 12 ? ` and ${v.target_users.length - 12} more` : ""}` : html`<span class="quiet">none by name</span>`}
          <details><summary>Change</summary><textarea aria-label="Users, one in a line" rows="5" spellcheck="false" ?disabled=${!canWrite} .value=${v.target_users.join("\n")} @change=${(e) => edit("target_users", e.target.value.split("\n").map((u) => u.trim()).filter(Boolean))}></textarea><small class="quiet">One in a line.</small></details>${wrong("target_users")}`)}
        ${rung(4, "Rules, from the top", "", html`${v.rules.length ? html`<ol>${v.rules.map((r) => html`<li>${(r.constraints || []).length ? r.constraints.map((c, i) => html`${i ? " and " : ""}${condition(c)}`) : "everybody"} → ${r.variant ? chip(r.variant) : ""}${r.rollout_percentage !== undefined && r.rollout_percentage !== null ? r.rollout_percentage + " %" : r.variant ? "" : "on"} ${r.description ? html`<small class="quiet">${r.description}</small>` : ""}</li>`)}</ol>` : html`<span class="quiet">none</span>`}
          <details ?open=${page.open.has("rules")} @toggle=${opened("rules")}><summary>Change</summary>${ruleEditor(v.rules, v.variants, (x) => edit("rules", x), !canWrite)}${asJson("Rules", v.rules, (x) => edit("rules", x), !canWrite)}</details>${wrong("rules")}`)}
        ${rung(5, "Everybody else", "", html`<div class="stops"><input type="range" min="0" max="100" step="1" aria-label="Percentage of users" ?disabled=${!canWrite} .value=${String(percentage)} @input=${(e) => edit("rollout_percentage", Number(e.target.value))}>
          <input type="number" min="0" max="100" step="0.01" aria-label="Percentage of users, exactly" ?disabled=${!canWrite} .value=${String(percentage)} @change=${(e) => edit("rollout_percentage", e.target.value === "" ? null : Number(e.target.value))}> %</div>
          <div class="stops">${[0, 1, 5, 25, 50, 100].map((s) => html`<button class="small ${s === percentage ? "primary" : ""}" ?disabled=${!canWrite} @click=${() => edit("rollout_percentage", s)}>${s} %</button>`)}
            ${earlier === undefined || page.draft ? "" : html`<button class="small" ?disabled=${!canWrite} title="Back to what it was before the last change of it" @click=${() => { edit("rollout_percentage", earlier); submit(); }}>← back to ${earlier ?? "all"} %</button>`}</div>
          <small class="quiet">by the user's bucket; raising it never takes the flag from anybody</small>${wrong("rollout_percentage")}`)}
      </ol>
      <h2>What they get</h2>
      ${variantBar(v.variants)}${variantEditor(v.variants, (x) => edit("variants", x), !canWrite)}${asJson("Variants", v.variants, (x) => edit("variants", x), !canWrite)}${wrong("variants")}
      <details ?open=${page.open.has("about")} @toggle=${opened("about")}><summary>Change description, owner, tags, expiry</summary>
        ${field("Description", html`<input ?disabled=${!canWrite} .value=${v.description || ""} @change=${(e) => edit("description", e.target.value || null)}>`, page.wrong.description)}
        ${field("Owner", html`<input ?disabled=${!canWrite} .value=${v.owner || ""} @change=${(e) => edit("owner", e.target.value || null)}>`, page.wrong.owner)}
        ${field("Tags, separated by commas", html`<input ?disabled=${!canWrite} .value=${v.tags.join(", ")} @change=${(e) => edit("tags", e.target.value.split(",").map((t) => t.trim()).filter(Boolean))}>`, page.wrong.tags)}
        ${field("Counts as stale after", html`<input ?disabled=${!canWrite} placeholder="2027-01-31T00:00:00Z" .value=${v.expires_at || ""} @change=${(e) => edit("expires_at", e.target.value || null)}>`, page.wrong.expires_at)}
      </details></section>
      <section aria-label="Usage"><h2>Usage</h2>
        ${page.usage && page.usage.items.length ? html`<div id="usage-chart" role="img" aria-label="Evaluations by hour: ${page.usage.items.reduce((n, i) => n + i.evaluations, 0)} in all"></div><p class="quiet">Evaluations by hour; dashed lines are changes of the flag. Last ${time(page.usage.last_evaluated_at)}.</p>` : html`<p class="quiet">Not evaluated yet.</p>`}
        <h2>Who would get it</h2>
        <textarea aria-label="User ids, one in a line" rows="4" spellcheck="false" placeholder="user ids, one in a line" .value=${page.users} @input=${(e) => { page.users = e.target.value; app.refresh(); }}></textarea>
        ${preview(f, v)}</section></div>
      ${historyTable()}`;
  };

  const preview = (f, v) => {
    const users = page.users.split("\n").map((u) => u.trim()).filter(Boolean);
    if (!users.length) return html`<p class="quiet">By the percentage alone, before and after your change.</p>`;
    const of = (x, u) => x.is_enabled && ((x.target_users || []).includes(u) || isIn(x.salt || f.name, u, share(x)));
    const before = users.filter((u) => of(f, u)).length;
    const after = users.filter((u) => of(v, u)).length;
    return html`<p>${before} of ${users.length} now${page.draft ? html`, <b>${after}</b> after the change` : ""}.</p><p class="quiet">${users.slice(0, 8).map((u) => html`<code>${u}</code> bucket ${bucket(v.salt || f.name, u)} ${of(v, u) ? "on" : "off"}; `)}</p>`;
  };

  const historyTable = () => html`<h2 id="history" tabindex="-1">History</h2><div class="scroll short"><table><thead><tr><th class="narrow">Version</th><th>What</th><th>When</th><th>By</th><th>Why</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead><tbody>${page.history.map((v, i) => html`<tr>
    <td class="number">${v.version}</td><td>${chip(v.action.replace("_", " "), v.action)}</td><td>${time(v.changed_at)}</td><td>${actor(v.changed_by, v.changed_at)}</td><td>${v.comment || ""}</td>
    <td class="narrow"><button class="small" ?disabled=${i === page.history.length - 1} @click=${() => dialog((close) => html`<h2>Version ${page.history[i + 1].version} → ${v.version}</h2>${fieldDifferences(page.history[i + 1].value || {}, v.value || {})}<div class="buttons"><button @click=${() => close()}>Close</button></div>`, { kind: "wide" })}>Difference</button>
      ${i === 0 || v.action === "deleted" ? "" : html`<button class="small" ?disabled=${!may("flags:write", route.params.env)} @click=${() => reviewRollback("feature_flag", { id, name: page.f ? page.f.name : "", environment: page.f ? page.f.environment : route.params.env }, page.history, v.version, () => app.reload())}>Roll back</button>`}</td></tr>`)}</tbody></table></div>`;

  function drawChart() {
    const place = document.getElementById("usage-chart");
    if (!place || !page.usage) return;
    const series = new Map();
    const hours = [...new Set(page.usage.items.map((i) => i.hour))].sort();
    for (const i of page.usage.items) {
      const name = i.variant || i.reason;
      if (!series.has(name)) series.set(name, hours.map(() => 0));
      series.get(name)[hours.indexOf(i.hour)] += i.evaluations;
    }
    const style = getComputedStyle(document.documentElement);
    const colors = ["--accent", "--good", "--warn", "--bad", "--text"].map((n) => style.getPropertyValue(n));
    const axis = { stroke: style.getPropertyValue("--quiet"), grid: { stroke: style.getPropertyValue("--line") } };
    const seconds = hours.map((h) => Date.parse(h) / 1000);
    const to = Math.max(seconds.at(-1), Date.now() / 1000 - 3600) + 3600;
    const from = Math.min(seconds[0], to - 86400);
    // each version that was written within the chart is a vertical line
    const written = page.history.map((h) => Date.parse(h.changed_at) / 1000).filter((t) => t >= from && t <= to);
    const marks = (u) => {
      u.ctx.save();
      u.ctx.strokeStyle = style.getPropertyValue("--warn");
      u.ctx.setLineDash([4, 4]);
      for (const t of written) {
        const x = u.valToPos(t, "x", true);
        u.ctx.beginPath();
        u.ctx.moveTo(x, u.bbox.top);
        u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
        u.ctx.stroke();
      }
      u.ctx.restore();
    };
    if (page.chart) page.chart.destroy();
    page.chart = new window.uPlot({ hooks: { draw: [marks] }, scales: { x: { range: [from, to] }, y: { range: (u, min, max) => [0, Math.max(1, max * 1.1)] } }, width: Math.max(280, place.clientWidth), height: 180, axes: [axis, axis], series: [{}, ...[...series.keys()].map((label, i) => ({ label, stroke: colors[i % colors.length], width: 2 }))] }, [seconds, ...series.values()], place);
  }
  return page;
}

// trying

export function tryPage(app, route) {
  const page = { results: null, columns: [], flags: [], error: null, steps: null };
  const state = { flag: route.params.flag || "", user: route.params.user || "", context: route.params.context || "", environments: (route.params.env || "").split(",").filter(Boolean) };
  page.onRoute = (r) => {
    route = r;
    Object.assign(state, { flag: r.params.flag || "", user: r.params.user || "", context: r.params.context || "", environments: (r.params.env || "").split(",").filter(Boolean) });
  };
  page.load = async () => {
    page.error = null;
    page.steps = null;
    if (!app.environments.length) await app.places();
    const environments = state.environments.length ? state.environments : app.environments.slice(0, 4);
    if (!state.user && !state.flag && !state.context) { page.results = null; return; }
    let context;
    if (state.context) {
      try { context = parse(state.context); } catch (e) { page.error = new Error("The context is not JSON: " + e.message); page.results = null; return; }
    }
    const names = state.flag ? state.flag.split(",").map((f) => f.trim()).filter(Boolean) : undefined;
    const users = state.user.split(",").map((u) => u.trim()).filter(Boolean).slice(0, 6);
    // one column for each environment and user
    page.columns = environments.flatMap((environment) => (users.length ? users : [undefined]).map((user) => ({ environment, user })));
    const answers = await Promise.all(page.columns.map(({ environment, user }) => write("POST", "/feature-flags/evaluate/bulk", { body: { environment, user_id: user, context, flag_names: names } })));
    page.flags = [...new Set(answers.flatMap((a) => Object.keys(a.json.items)))].sort();
    page.results = answers.map((a) => a.json.items);
    if (names && names.length === 1) await explain(names[0], page.columns[0], context);
  };
  const explain = async (flag, { environment, user }, context) => {
    const body = { flag_name: flag, environment, user_id: user, context };
    const [answer, found] = await Promise.all([
      write("POST", "/feature-flags/evaluate", { body: { ...body, explain: true } }),
      get("/feature-flags/" + encodeURIComponent(flag), { environment }).catch(() => null),
    ]);
    page.steps = { flag, environment, user, body, salt: (found && found.salt) || flag, ...answer.json };
    app.refresh();
  };
  const submit = (e) => { e.preventDefault(); change(route, { flag: state.flag, user: state.user, context: state.context, env: state.environments.join(",") }); };
  page.view = () => html`<div class="head"><h1 tabindex="-1">Try a flag</h1><span class="grow"></span>${copyButton(location.href, "Copy the link")}</div>
    <form class="panel" @submit=${submit}><div class="pair">
      ${field("Flags", html`<input placeholder="all" .value=${state.flag} @input=${(e) => { state.flag = e.target.value; }}>`, "", "Names, separated by commas")}
      ${field("Environments", html`<input placeholder="all" .value=${state.environments.join(", ")} @input=${(e) => { state.environments = e.target.value.split(",").map((x) => x.trim()).filter(Boolean); }}>`)}
      ${field("User ids", html`<input .value=${state.user} @input=${(e) => { state.user = e.target.value; }}>`, "", "One, or up to six separated by commas, side by side")}
      ${field("Context", html`<textarea rows="2" spellcheck="false" placeholder='{"plan": "gold"}' .value=${state.context} @input=${(e) => { state.context = e.target.value; }}></textarea>`, "", "Attributes, as JSON")}</div>
      <div class="buttons"><button class="primary">Evaluate</button></div></form>
    ${page.error ? failure(page.error) : ""}
    ${!page.results ? html`<p class="quiet">Give a user, a flag or a context.</p>` : html`<div class="scroll"><table><thead><tr><th>Flag</th>${page.columns.map((c) => html`<th>${c.environment}${c.user ? html` <code>${c.user}</code>` : ""}</th>`)}</tr></thead><tbody>${page.flags.map((name) => {
      const cells = page.results.map((r) => r[name]);
      const differs = new Set(cells.map((c) => JSON.stringify(c ? c.value : null))).size > 1;
      return html`<tr><td class="key">${name} ${differs ? chip("differs", "warn") : ""}</td>${cells.map((c, i) => html`<td>${c ? html`<button class="ghost" title="Why? (${c.reason})" @click=${() => { let context; try { context = state.context ? parse(state.context) : undefined; } catch { context = undefined; } explain(name, page.columns[i], context); }}>${c.enabled ? chip("on", "good") : chip("off", "quiet")} ${c.variant ? chip(c.variant) : ""} <code class="value">${JSON.stringify(c.value)}</code></button>` : html`<span class="quiet">–</span>`}</td>`)}</tr>`;
    })}</tbody></table></div>`}
    ${page.steps ? html`<h2>Why ${page.steps.flag} is ${page.steps.enabled ? "on" : "off"} in ${page.steps.environment}${page.steps.user ? " for " + page.steps.user : ""}</h2><p>${chip(page.steps.reason)} value <code>${JSON.stringify(page.steps.value)}</code></p>
      <ol class="ladder">${(page.steps.steps || []).map((s, i, a) => html`<li class="rung ${i === a.length - 1 ? "decides" : ""}"><span class="number" aria-hidden="true">${i + 1}</span><div><h3>${s.step}</h3>${s.result}</div></li>`)}</ol>
      ${page.steps.user ? ruler(page.steps.salt, page.steps.user) : ""}
      <h3>The same call</h3><pre><code>${curl("POST", "/feature-flags/evaluate", {}, page.steps.body)}</code></pre>` : ""}`;
  const ruler = (salt, user) => html`<p>Bucket ${bucket(salt, user)} of 10,000 <span class="quiet">(salt <code>${salt}</code>)</span></p><svg class="ruler" viewBox="0 0 1000 30" role="img" aria-label="Bucket ${bucket(salt, user)} of 10000"><line x1="0" y1="20" x2="1000" y2="20"></line><circle cx=${bucket(salt, user) / 10} cy="20" r="7"></circle></svg>`;
  return page;
}
