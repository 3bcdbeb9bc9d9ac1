// The registry: services, the instances of one, and the life of an instance from the log.

import { follow, get, may, session, write } from "./api.js";
import { link } from "./route.js";
import { newest } from "./trail.js";
import { ask, chip, copyButton, curl, dialog, empty, field, html, later, rows, scroller, span, svg, time, toast } from "./ui.js";

const STATUS = { healthy: "good", unhealthy: "bad", starting: "warn", stopping: "quiet" };

export function registryPage(app, route) {
  const [service, instance] = route.parts;
  const page = service ? (instance ? life(app, service, instance) : instances(app, service)) : services(app, route);
  const again = later(() => { if (!document.querySelector("dialog[open]")) app.reload(); }, 400);
  page.close = follow((c) => {
    if (!c.resync && c.resource_type !== "service") return;
    if (page.onChange) page.onChange(c);
    again();
  });
  page.onRoute = undefined;
  return page;
}

function protectedNote(p, reason) {
  return p ? html`<div class="banner" role="status"><b>Expiry is held back.</b> ${reason || ""} Instances whose leases ended stay listed until their heartbeats return or most of them do.</div>` : "";
}

const HOUR = 3600e3;
const BARS = 12;
const MOST_CHANGES = 5000;

/**
 * Returns for each service how often its instances came, went or changed, in twelfths of the last hour, or of as much of it
 * as the last changes reach back.
 */
async function statusChanges() {
  const first = Math.max(0, session.revision - MOST_CHANGES);
  const found = [];
  for (let after = first; ; after = found.at(-1).revision) {
    const { items } = await get("/changes", { resource_type: "service", after, limit: 500 });
    found.push(...items);
    if (items.length < 500) break;
  }
  const hourAgo = Date.now() - HOUR;
  const from = first > 0 && found.length ? Math.max(hourAgo, Date.parse(found[0].occurred_at)) : hourAgo;
  const span = Math.max(60e3, Date.now() - from);
  const counts = new Map();
  for (const c of found) {
    const bar = Math.min(BARS - 1, Math.floor(((Date.parse(c.occurred_at) - from) / span) * BARS));
    if (bar < 0 || c.action === "updated") continue;
    if (!counts.has(c.service_name)) counts.set(c.service_name, new Array(BARS).fill(0));
    counts.get(c.service_name)[bar]++;
  }
  return { counts, minutes: Math.round(span / 60e3) };
}

function spark(bars) {
  if (!bars) return html`<span class="quiet">none</span>`;
  const most = Math.max(...bars);
  const sum = bars.reduce((n, b) => n + b, 0);
  return html`<svg class="spark" viewBox="0 0 ${BARS * 8} 20" role="img" aria-label="${sum} ${sum === 1 ? "change" : "changes"}">${bars.map((b, i) => svg`<rect x=${i * 8} y=${20 - Math.max(1, (18 * b) / most)} width="6" height=${Math.max(1, (18 * b) / most)} class=${b ? "some" : ""}></rect>`)}</svg> ${sum}`;
}

function services(app, route) {
  const page = { found: { services: [] }, changes: null, countedAt: 0 };
  const scroll = scroller(app.refresh);
  page.load = async () => {
    page.found = await get("/registry");
    // what comes and goes is counted again four times a minute
    if (Date.now() - page.countedAt > 15000) {
      page.countedAt = Date.now();
      page.changes = await statusChanges().catch(() => page.changes);
    }
  };
  page.view = () => {
    const wanted = route.params.service;
    const all = page.found.services.filter((s) => !wanted || s.service_name === wanted);
    return html`<div class="head"><h1 tabindex="-1">Registry</h1><span class="quiet">${all.length} ${all.length === 1 ? "service" : "services"}</span></div>
      ${protectedNote(page.found.protected, page.found.protected_reason)}
      ${!all.length ? empty("No services", "An instance registers itself with this call:", html`<pre><code>${curl("POST", "/registry/register", {}, { service_name: "user-service", service_url: "http://10.0.0.7:8080" })}</code></pre>`) : html`
      <div class="scroll" @scroll=${scroll.listen} tabindex="0" role="region" aria-label="Services"><table><thead><tr><th>Service</th><th>Healthy</th><th>Came, went or changed, last ${page.changes ? page.changes.minutes : 60} min</th><th class="narrow">Instances</th></tr></thead><tbody>
      ${rows(all, scroll, 4, (s) => html`<tr><td class="key"><a href=${link("registry", [s.service_name])}>${s.service_name}</a></td><td><meter min="0" max=${s.instances || 1} low=${s.instances * 0.5} optimum=${s.instances} value=${s.healthy}></meter> ${s.healthy} of ${s.instances} ${s.healthy === 0 && s.instances ? chip("none healthy", "bad") : s.healthy < s.instances ? chip(s.instances - s.healthy + " not healthy", "warn") : ""}</td><td>${page.changes ? spark(page.changes.counts.get(s.service_name)) : html`<span class="quiet">not known</span>`}</td><td class="number">${s.instances}</td></tr>`)}</tbody></table></div>`}`;
  };
  return page;
}

function lease(i) {
  if (i.permanent) return "permanent";
  const left = Math.round((Date.parse(i.last_heartbeat_at) + i.lease_seconds * 1000 - Date.now()) / 1000);
  return left > 0 ? `${left} s left of ${i.lease_seconds}` : html`<span class="wrong">ended ${-left} s ago</span>`;
}

function instances(app, service) {
  const page = { found: { instances: [] } };
  const scroll = scroller(app.refresh);
  page.load = async () => { page.found = await get("/registry/" + encodeURIComponent(service) + "/instances"); };
  page.view = () => html`<div class="head"><h1 tabindex="-1">${service}</h1><a href=${link("registry")}>all services</a><span class="grow"></span>
    <button @click=${() => dialog((close) => html`<h2>Scrape ${service} with Prometheus</h2><pre><code>scrape_configs:
  - job_name: ${service}
    http_sd_configs:
      - url: ${new URL("../api/v1/registry/prometheus-sd?service_name=" + encodeURIComponent(service), location.href).href}</code></pre><div class="buttons"><button @click=${() => close()}>Close</button></div>`)}>Prometheus</button></div>
    ${protectedNote(page.found.protected, page.found.protected_reason)}
    <div class="scroll" @scroll=${scroll.listen} tabindex="0" role="region" aria-label="Instances"><table><thead><tr><th>Instance</th><th>Address</th><th>Status</th><th>Lease</th><th class="narrow">Response</th><th class="narrow">Weight</th><th>Metadata</th><th>Registered</th></tr></thead><tbody>
    ${rows(page.found.instances, scroll, 8, (i) => html`<tr><td class="key"><a href=${link("registry", [service, i.instance_id])}>${i.instance_id}</a></td><td>${i.service_url}</td><td>${chip(i.status, STATUS[i.status])} ${i.override ? chip("override: " + i.override.status, "warn") : ""}</td><td>${lease(i)}</td><td class="number">${i.response_time === null ? "" : i.response_time + " ms"}</td><td class="number">${i.weight}</td><td class="quiet">${Object.entries(i.metadata || {}).slice(0, 4).map(([k, v]) => k + "=" + v).join(" ")}</td><td>${time(i.registered_at)}</td></tr>`)}</tbody></table></div>`;
  return page;
}

/** Returns how long an instance was away after it went, until it came again or until now. */
function gap(gone, next) {
  if (!["expired", "deregistered"].includes(gone.action)) return "";
  return html`<li class="gap quiet">${next ? "away for" : "gone for"} ${span(Date.parse(next ? next.occurred_at : new Date()) - Date.parse(gone.occurred_at))}</li>`;
}

function life(app, service, instance) {
  const page = { i: null, changes: null, live: [] };
  // the log is searched once, as that may take many calls; what comes is told by the stream
  page.onChange = (c) => {
    if (c.resync) page.changes = null;
    else if (c.resource_id === service + "/" + instance) page.live = [c, ...page.live].slice(0, 500);
  };
  const changes = () => {
    const read = page.changes || [];
    return [...page.live.filter((c) => !read.length || c.revision > read[0].revision), ...read];
  };
  page.load = async () => {
    // without its last instance a service is not found
    const found = await get("/registry/" + encodeURIComponent(service) + "/instances").catch((e) => { if (e.status === 404) return { instances: [] }; throw e; });
    page.i = found.instances.find((i) => i.instance_id === instance) || null;
    if (!page.changes) page.changes = await newest({ resource_type: "service", resource_id: service + "/" + instance }, 500);
  };
  const base = `/registry/${encodeURIComponent(service)}/instances/${encodeURIComponent(instance)}`;
  const act = async (run) => {
    try {
      await run();
      toast("Done", "good");
      app.reload();
    } catch (e) { toast(e.message, "bad"); }
  };
  const override = (status) => {
    const state = { comment: "" };
    dialog((close) => html`<form @submit=${(e) => { e.preventDefault(); close(); act(() => write("PUT", base + "/override", { body: { status, comment: state.comment || undefined } })); }}>
      <h2>${status === "stopping" ? "Drain" : "Override the status of"} ${instance}</h2><p>${status === "stopping" ? "It stays listed and is picked by nobody, until you remove the override." : "The override holds against heartbeats and checks until you remove it."}</p>
      ${field("Why", html`<input autofocus @input=${(e) => { state.comment = e.target.value; }}>`)}<div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary">Apply</button></div></form>`);
  };
  page.view = () => {
    const i = page.i;
    const canWrite = may("registry:write", "", service);
    const locked = canWrite ? "" : "Needs the right registry:write";
    return html`<div class="head"><h1 tabindex="-1">${instance}</h1><a href=${link("registry", [service])}>${service}</a> ${i ? chip(i.status, STATUS[i.status]) : chip("gone", "quiet")}<span class="grow"></span>
      ${i ? html`${i.override ? html`<button ?disabled=${!canWrite} title=${locked} @click=${() => act(() => write("DELETE", base + "/override"))}>Remove the override</button>` : html`<button ?disabled=${!canWrite} title=${locked} @click=${() => override("stopping")}>Drain</button><button ?disabled=${!canWrite} title=${locked} @click=${() => override("unhealthy")}>Mark unhealthy</button>`}
        <button class="danger" ?disabled=${!canWrite} title=${locked} @click=${async () => { if (await ask("Deregister " + instance + "?", "It is not found any more. If it is alive, it registers again with its next heartbeat.", "Deregister", "danger")) act(() => write("DELETE", base)); }}>Deregister</button>` : ""}</div>
      ${i ? html`<div class="panel"><dl><dt>Address</dt><dd>${i.service_url} ${copyButton(i.service_url)}</dd><dt>Lease</dt><dd>${lease(i)}</dd><dt>Last heartbeat</dt><dd>${time(i.last_heartbeat_at)}</dd><dt>Response time</dt><dd>${i.response_time === null ? "not told" : i.response_time + " ms"}</dd><dt>Check</dt><dd>${i.health_check_url || "none"}</dd><dt>Weight</dt><dd>${i.weight}</dd>
        ${i.override ? html`<dt>Override</dt><dd>${i.override.status} ${i.override.comment || ""} ${time(i.override.set_at)}</dd>` : ""}
        ${Object.entries(i.metadata || {}).map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`)}</dl></div>` : html`<p class="note">It is not registered now. This is what the log still holds of it.</p>`}
      <h2>Its life</h2>
      ${changes().length ? html`<ol class="timeline">${changes().map((c, i, all) => html`${gap(c, all[i - 1])}<li><span class="dot ${STATUS[(c.data || {}).status] || ""}" aria-hidden="true"></span>${time(c.occurred_at)} <b>${c.action.replace("_", " ")}</b> ${c.data && c.data.status ? chip(c.data.status, STATUS[c.data.status]) : ""} <a class="quiet" href=${link("at", [String(c.revision)])}>revision ${c.revision}</a></li>`)}</ol>` : html`<p class="quiet">The log holds nothing of it any more.</p>`}`;
  };
  return page;
}
