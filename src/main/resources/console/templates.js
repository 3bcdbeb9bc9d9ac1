// Templates for new services, and schemas for values.

import { all, get, may, write } from "./api.js";
import { fieldDifferences } from "./diff.js";
import { parse } from "./json.js";
import { link } from "./route.js";
import { actor, chip, dialog, empty, failure, field, html, time, toast } from "./ui.js";
import { reviewDeletion, reviewSet, rollback } from "./write.js";

const OWN = {
  template: ["description", "parameters", "configurations", "feature_flags"],
  schema: ["environment", "service_name", "key_pattern", "schema", "enforce"],
};
const NEW = {
  template: { description: "what every web service needs", parameters: [{ name: "port", default: 8080 }], configurations: [{ key: "server.port", value: "${port}" }], feature_flags: [] },
  schema: { environment: null, service_name: null, key_pattern: "*.port", schema: { type: "integer", minimum: 1, maximum: 65535 }, enforce: "reject" },
};

export const templatesPage = (app, route) => (route.parts.length ? one(app, route, "template") : listOf(app, route, "template"));
export const schemasPage = (app, route) => (route.parts.length ? one(app, route, "schema") : listOf(app, route, "schema"));

function listOf(app, route, kind) {
  const page = { items: [] };
  const path = "/" + kind + "s";
  page.load = async () => { page.items = await all(path, kind === "template" ? { environment: route.params.env && route.params.service ? route.params.env : undefined, service_name: route.params.service } : {}); };
  page.onRoute = (r) => { route = r; };
  page.view = () => html`<div class="head"><h1 tabindex="-1">${kind === "template" ? "Templates" : "Schemas"}</h1><span class="quiet">${page.items.length}${kind === "template" && route.params.service ? " applied to " + route.params.service : ""}</span><span class="grow"></span><button class="primary" ?disabled=${!may("config:write")} @click=${() => edit(app, kind, null)}>New ${kind}</button></div>
    <p class="quiet">${kind === "template" ? "What new services start with: configurations and flags with parameters." : "Rules for the values of keys that match a pattern, as JSON Schema."}</p>
    ${!page.items.length ? empty("None", kind === "template" ? "A template can be made of what a service has." : "Without schemas, any value is accepted.") : html`<div class="scroll"><table><thead><tr><th>Name</th>${kind === "template" ? html`<th>Description</th><th class="narrow">Entries</th><th class="narrow">Parameters</th>` : html`<th>Keys</th><th>For</th><th>Enforced</th>`}<th class="narrow">Version</th><th>Changed</th><th>By</th></tr></thead><tbody>
    ${page.items.map((t) => html`<tr><td class="key"><a href=${link(kind + "s", [t.name])}>${t.name}</a></td>${kind === "template" ? html`<td>${t.description || ""}</td><td class="number">${t.configurations.length + t.feature_flags.length}</td><td class="number">${t.parameters.length}</td>` : html`<td><code>${t.key_pattern}</code></td><td>${[t.environment || "all environments", t.service_name || "all services"].join(", ")}</td><td>${chip(t.enforce, t.enforce === "reject" ? "" : "warn")}</td>`}<td class="number">${t.version}</td><td>${time(t.updated_at)}</td><td>${actor(t.updated_by)}</td></tr>`)}</tbody></table></div>`}`;
  return page;
}

function one(app, route, kind) {
  const name = route.parts[0];
  const page = { t: null, history: [], drift: null };
  const path = "/" + kind + "s/" + encodeURIComponent(name);
  page.load = async () => {
    page.t = await get(path);
    page.history = (await get(path + "/history", { limit: 50 })).items;
    const { env, service } = route.params;
    page.drift = kind === "template" && env && service ? await get(path + "/drift", { environment: env, service_name: service }).catch((e) => ({ error: e })) : null;
  };
  page.onRoute = (r) => { route = r; };
  page.view = () => {
    const t = page.t;
    const own = Object.fromEntries(OWN[kind].map((f) => [f, t[f]]));
    return html`<div class="head"><h1 tabindex="-1">${t.name}</h1><span class="quiet">version ${t.version}, changed ${time(t.updated_at)} by ${actor(t.updated_by)}</span><span class="grow"></span>
      ${kind === "template" ? html`<button class="primary" ?disabled=${!may("config:write", route.params.env, route.params.service)} @click=${() => apply(app, t, route)}>Apply to a service</button>` : ""}
      <button data-edit ?disabled=${!may("config:write")} @click=${() => edit(app, kind, t)}>Edit</button>
      <button class="danger" ?disabled=${!may("config:write")} @click=${() => reviewDeletion(kind, [t], () => { location.hash = link(kind + "s"); })}>Delete</button></div>
      <pre class="panel"><code>${JSON.stringify(own, null, 2)}</code></pre>
      ${kind === "template" ? html`<h2>Drift</h2>${!page.drift ? html`<p class="quiet">Choose an environment and a service above to see whether it still is what this template gave it.</p>` : page.drift.error ? page.drift.error.status === 404 ? html`<p class="quiet">It was not applied to ${route.params.service} in ${route.params.env}.</p>` : failure(page.drift.error) : html`<p>${route.params.service} in ${route.params.env} has version ${page.drift.template_version}${page.drift.current_version !== page.drift.template_version ? html`; the template is at <b>version ${page.drift.current_version ?? "none"}</b>` : ""}.</p>
        <table><thead><tr><th>Kind</th><th>Name</th><th>State</th></tr></thead><tbody>${page.drift.items.map((i) => html`<tr><td>${i.kind.replace("_", " ")}</td><td class="key">${i.name}</td><td>${chip(i.status, { same: "good", changed: "warn", missing: "bad" }[i.status] || "quiet")}</td></tr>`)}</tbody></table>`}` : ""}
      <h2>History</h2><table><thead><tr><th class="narrow">Version</th><th>What</th><th>When</th><th>By</th><th>Why</th><th></th></tr></thead><tbody>${page.history.map((v, i) => html`<tr><td class="number">${v.version}</td><td>${chip(v.action.replace("_", " "), v.action)}</td><td>${time(v.changed_at)}</td><td>${actor(v.changed_by)}</td><td>${v.comment || ""}</td><td>${i < page.history.length - 1 ? html`<button class="small" @click=${() => dialog((close) => html`<h2>Version ${page.history[i + 1].version} → ${v.version}</h2>${fieldDifferences(page.history[i + 1].value || {}, v.value || {})}<div class="buttons"><button @click=${() => close()}>Close</button></div>`, { kind: "wide" })}>Difference</button>` : ""} ${i > 0 && v.action !== "deleted" ? html`<button class="small" ?disabled=${!may("config:write")} @click=${() => rollback(kind, t, v.version, () => app.reload())}>Roll back</button>` : ""}</td></tr>`)}</tbody></table>`;
  };
  return page;
}

function edit(app, kind, t, typed, problem) {
  const state = { name: t ? t.name : "", typed: typed || JSON.stringify(t ? Object.fromEntries(OWN[kind].map((f) => [f, t[f]])) : NEW[kind], null, 2), problem, comment: "", force: false };
  dialog((close, update) => html`<form @submit=${async (e) => {
    e.preventDefault();
    let body;
    try { body = parse(state.typed); } catch (x) { state.problem = { message: "not JSON: " + x.message, body: {} }; update(); return; }
    try {
      const done = await write("PUT", "/" + kind + "s/" + encodeURIComponent(state.name), { query: { force: state.force || undefined }, body: { ...body, comment: state.comment || undefined }, headers: t ? { "If-Match": `"${t.revision}"` } : { "If-None-Match": "*" } });
      close();
      toast(`${state.name}: revision ${done.json.revision}`, "good", t ? { label: "Undo", run: () => rollback(kind, done.json, t.version, () => app.reload()) } : undefined);
      if (done.warning) toast(done.warning.replace(/^299 config-service /, ""), "bad", undefined, 20);
      location.hash = link(kind + "s", [state.name]);
      app.reload();
    } catch (x) { state.problem = x; update(); }
  }}><h2>${t ? "Change " + t.name : "New " + kind}</h2>
    ${t ? "" : field("Name", html`<input required autofocus .value=${state.name} @input=${(e) => { state.name = e.target.value; }}>`)}
    ${field("Content, as JSON", html`<textarea class="document" rows="18" spellcheck="false" .value=${state.typed} @input=${(e) => { state.typed = e.target.value; }}></textarea>`)}
    ${field("Why (for the audit), optional", html`<input @input=${(e) => { state.comment = e.target.value; }}>`)}
    ${state.problem ? html`${failure(state.problem)}<ul>${(state.problem.errors || []).slice(0, 20).map((x) => html`<li><code>${x.field}</code> ${x.message}</li>`)}${((state.problem.body || {}).breaking || []).slice(0, 10).map((b) => html`<li><a href=${link("config", [b.id], { env: b.environment })}>${b.key}</a> in ${b.environment} ${(b.errors[0] || {}).message}</li>`)}</ul>
      ${(state.problem.body || {}).breaking ? html`<label class="check"><input type="checkbox" @change=${(e) => { state.force = e.target.checked; }}> Write it anyway; these values stay as they are</label>` : ""}` : ""}
    <div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary" data-review>Write</button></div></form>`, { kind: "wide" });
}

function apply(app, t, route) {
  const state = { environment: route.params.env || app.environments[0] || "", service: route.params.service || "", values: {} };
  dialog((close) => html`<form @submit=${(e) => {
    e.preventDefault();
    close();
    const parameters = {};
    for (const p of t.parameters) {
      const typed = state.values[p.name];
      if (typed === undefined || typed === "") continue;
      try { parameters[p.name] = p.is_secret ? typed : parse(typed); } catch { parameters[p.name] = typed; }
    }
    reviewSet(`Apply ${t.name} to ${state.service}`, [], { path: "/templates/" + encodeURIComponent(t.name) + "/apply", body: { environment: state.environment, service_name: state.service, parameters }, onDone: () => { app.places(); location.hash = link("templates", [t.name], { env: state.environment, service: state.service }); } });
  }}><h2>Apply ${t.name}</h2>
    <div class="pair">${field("Environment", html`<input required .value=${state.environment} @input=${(e) => { state.environment = e.target.value; }}>`)}${field("Service", html`<input required autofocus .value=${state.service} @input=${(e) => { state.service = e.target.value; }}>`)}</div>
    ${t.parameters.map((p) => field(p.name + (p.required ? "" : ", optional"), html`<input type=${p.is_secret ? "password" : "text"} autocomplete="off" ?required=${p.required} placeholder=${p.default !== null && p.default !== undefined ? JSON.stringify(p.default) : ""} @input=${(e) => { state.values[p.name] = e.target.value; }}>`, "", p.description || ""))}
    <div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary">Review</button></div></form>`);
}
