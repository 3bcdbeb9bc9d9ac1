// The frame of the console: the bar, the pages, the keys, and what every page needs.

import { atRoot, get, identify, isProduction, onSession, session, stream } from "./api.js";
import { comparePage } from "./compare.js";
import { configPage } from "./config.js";
import { flagsPage, tryPage } from "./flags.js";
import { endOidc, showSelf, signIn } from "./login.js";
import { auditPage, clusterPage, keysPage, overviewPage } from "./operations.js";
import { registryPage } from "./registry.js";
import { change, go, link, parse } from "./route.js";
import { schemasPage, templatesPage } from "./templates.js";
import { atPage, changesPage, tapeSheet } from "./trail.js";
import { dialog, environmentClass, failure, html, later, render, skeleton, toast } from "./ui.js";

const PAGES = {
  overview: { title: "Overview", make: overviewPage, key: "o" },
  config: { title: "Configuration", make: configPage, key: "c" },
  compare: { title: "Compare", make: comparePage },
  flags: { title: "Flags", make: flagsPage, key: "f" },
  try: { title: "Try a flag", make: tryPage, key: "t" },
  registry: { title: "Registry", make: registryPage, key: "r" },
  changes: { title: "Changes", make: changesPage, key: "l" },
  audit: { title: "Audit", make: auditPage, key: "a" },
  templates: { title: "Templates", make: templatesPage },
  schemas: { title: "Schemas", make: schemasPage },
  keys: { title: "Keys", make: keysPage, key: "k" },
  cluster: { title: "Cluster", make: clusterPage },
  at: { title: "As of a revision", make: atPage, isHidden: true },
};

const app = {
  environments: [],
  services: [],
  page: null,
  route: parse(location.hash),
  refresh,
  redraw: draw,
  reload,
};

let problem = null;
let isSlow = false;
let loading = 0;
let isMenuOpen = false;

/** The page is drawn once for all calls within a frame. */
let drawing = false;
function refresh() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

const VISITED = 8;

/** Returns the pages of single things that were visited in this tab, the last first. */
function visited() {
  try {
    return JSON.parse(sessionStorage.getItem("visited")) || [];
  } catch {
    return [];
  }
}

/** Keeps what is shown as visited, under its heading. */
function visit() {
  const heading = document.querySelector("main h1");
  if (!app.route.parts.length || !heading || problem) return;
  const entry = { hash: link(app.route.page, app.route.parts.slice(0, 2).filter((p) => p !== "v"), { env: app.route.params.env }), name: heading.textContent, page: app.route.page };
  sessionStorage.setItem("visited", JSON.stringify([entry, ...visited().filter((v) => v.hash !== entry.hash)].slice(0, VISITED)));
}

async function open() {
  const route = parse(location.hash);
  const entry = PAGES[route.page] || PAGES.overview;
  const isSame = app.page && app.route.page === route.page && JSON.stringify(app.route.parts) === JSON.stringify(route.parts) && app.page.onRoute;
  app.route = route;
  isMenuOpen = false;
  if (isSame) {
    app.page.onRoute(route);
    await reload();
    return;
  }
  if (app.page && app.page.close) app.page.close();
  app.page = entry.make(app, route);
  document.title = entry.title + " – Config Service";
  await reload();
  const heading = document.querySelector("main h1");
  if (heading && document.activeElement === document.body) heading.focus({ preventScroll: true });
}

/** Loads what the page shows. What is there stays until the new is. */
async function reload() {
  const page = app.page;
  const turn = ++loading;
  problem = null;
  isSlow = false;
  const slow = setTimeout(() => {
    if (turn === loading) {
      isSlow = true;
      refresh();
    }
  }, 150);
  try {
    await page.load();
  } catch (e) {
    if (turn === loading && e.name !== "AbortError") problem = e;
  }
  clearTimeout(slow);
  if (turn === loading) {
    isSlow = false;
    page.isLoaded = true;
    draw();
    visit();
  }
}

function streamState() {
  const text = { live: "live", connecting: "connecting", lost: "cut off", closed: "no stream", paused: "paused" }[session.stream];
  const lag = session.stream === "live" && session.lag !== null ? `, ${session.lag} ms behind` : "";
  return html`<button class="ghost live stream-${session.stream}" title="The stream of changes is ${text}${lag}. Open the tape (l)." @click=${() => tapeSheet(app)}><span class="dot" aria-hidden="true"></span> ${text}</button>`;
}

function bar() {
  const environment = app.route.params.env || "";
  return html`<header class="bar ${isProduction(environment) ? "production" : ""}">
    <button class="ghost menu" aria-label="Menu" aria-expanded=${isMenuOpen} @click=${() => { isMenuOpen = !isMenuOpen; draw(); }}>☰</button>
    <a class="brand" href=${link("overview")}>Config&nbsp;Service</a>
    <label class="switch"><span class="sr">Environment</span>
      <select class=${environmentClass(environment, isProduction(environment))} @change=${(e) => change(app.route, { env: e.target.value })}>
        <option value="" .selected=${!environment}>all environments</option>
        ${withChosen(app.environments, environment).map((e) => html`<option value=${e} .selected=${e === environment}>${e}</option>`)}
      </select></label>
    <label class="switch"><span class="sr">Service</span>
      <select @change=${(e) => change(app.route, { service: e.target.value })}>
        <option value="" .selected=${!app.route.params.service}>all services</option>
        ${withChosen(app.services, app.route.params.service).map((s) => html`<option value=${s} .selected=${s === app.route.params.service}>${s}</option>`)}
      </select></label>
    <button class="search ghost" @click=${search} title="Search (/ or Ctrl-K)"><span aria-hidden="true">⌕</span> <span>Search</span> <kbd>/</kbd></button>
    <span class="grow"></span>
    ${streamState()}
    <button class="ghost" @click=${() => (session.self ? showSelf() : signIn())}>${session.self ? session.self.name || session.self.id || "signed in" : session.expired ? "Sign in again" : "Sign in"}</button>
    <button class="ghost" title="Light or dark" aria-label="Light or dark" @click=${theme}>◐</button>
  </header>`;
}

function withChosen(names, chosen) {
  return chosen && !names.includes(chosen) ? [chosen, ...names] : names;
}

function draw() {
  const keep = { env: app.route.params.env, service: app.route.params.service };
  render(
    html`<a class="skip" href="#main" @click=${(e) => { e.preventDefault(); document.getElementById("main").focus(); }}>Skip to the content</a>
    ${bar()}
    ${session.stale ? html`<div class="banner" role="status">This node is cut off from the log: what you see is ${session.stale} s old.</div>` : ""}
    ${session.stream === "lost" ? html`<div class="banner soft" role="status">The stream of changes broke off. It goes on where it ended as soon as the service answers.</div>` : ""}
    ${session.expired ? html`<div class="banner" role="status">Your key or token is no longer accepted. <button class="small" @click=${signIn}>Sign in again</button></div>` : ""}
    <nav class=${isMenuOpen ? "open" : ""} aria-label="Pages"><div class="pages">${Object.entries(PAGES).filter(([, p]) => !p.isHidden).map(([name, p]) => html`<a href=${link(name, [], keep)} aria-current=${name === app.route.page ? "page" : "false"}>${p.title}</a>`)}</div></nav>
    <main id="main" tabindex="-1" class=${app.route.page}>
      ${problem ? html`<h1 tabindex="-1">${(PAGES[app.route.page] || PAGES.overview).title}</h1>${failure(problem, reload)}` : app.page && app.page.isLoaded ? app.page.view() : isSlow ? html`<h1>${(PAGES[app.route.page] || PAGES.overview).title}</h1>${skeleton()}` : ""}
    </main>
    <footer>${session.node ? html`<span title="The node that answers">${session.node.role} ${session.node.id.slice(0, 8)}</span>` : ""}<span>revision ${session.revision || "–"}</span><span>${session.version ? "version " + session.version : ""}</span><span class="grow"></span><a href="../docs/">API</a><button class="ghost small" @click=${help}>Keys (?)</button></footer>`,
    document.getElementById("app"),
  );
}

// search

function search() {
  const state = { q: "", items: [], at: 0, error: null, asked: "" };
  const to = (item) => {
    const env = item.environment || app.route.params.env;
    if (item.kind === "configuration") return link("config", [item.id], { env, service: item.service_name });
    if (item.kind === "feature_flag") return link("flags", [item.id], { env });
    if (item.kind === "service") return link("registry", [item.name], { env });
    if (item.kind === "visited") return item.hash;
    if (item.kind === "page") return link(item.id, [], { env, service: app.route.params.service });
    return link(item.kind + "s", [item.name], {});
  };
  dialog(
    (close, update) => {
      const ask = later(async () => {
        const q = state.q.trim();
        state.items = [...visited().filter((v) => v.name.toLowerCase().includes(q.toLowerCase())).map((v) => ({ kind: "visited", name: v.name, hash: v.hash, environment: v.page, match: null })), ...Object.entries(PAGES).filter(([, p]) => !p.isHidden && p.title.toLowerCase().includes(q.toLowerCase())).map(([name, p]) => ({ kind: "page", id: name, name: p.title, match: null }))];
        state.at = 0;
        state.error = null;
        if (q.length >= 3) {
          try {
            const found = await get("/search", { q, limit: 30 });
            if (q !== state.q.trim()) return;
            state.items.push(...found.items);
          } catch (e) {
            state.error = e;
          }
        }
        state.asked = q;
        update();
      }, 150);
      const pick = (item) => {
        close();
        location.hash = to(item);
      };
      if (!state.hasBegun) {
        state.hasBegun = true;
        ask();
      }
      return html`<div class="palette">
        <input type="search" role="combobox" aria-expanded="true" aria-controls="found" aria-label="Search keys, values, flags, services and pages" placeholder="Search keys, values, flags, services, pages…" autofocus
          @input=${(e) => { state.q = e.target.value; ask(); }}
          @keydown=${(e) => {
            if (e.key === "ArrowDown") { state.at = Math.min(state.items.length - 1, state.at + 1); e.preventDefault(); update(); }
            if (e.key === "ArrowUp") { state.at = Math.max(0, state.at - 1); e.preventDefault(); update(); }
            if (e.key === "Enter" && state.items[state.at]) { e.preventDefault(); pick(state.items[state.at]); }
          }}>
        ${state.error ? failure(state.error) : ""}
        <ul id="found" role="listbox" aria-label="Found">${state.items.map((item, i) => html`<li role="option" aria-selected=${i === state.at} @click=${() => pick(item)}>
          <span class="chip">${item.kind.replace("_", " ")}</span> <b>${item.name}</b>
          <span class="quiet">${[item.environment, item.kind === "service" ? "" : item.service_name].filter(Boolean).join(" / ")}</span>
          ${item.match && !["key", "name", ""].includes(item.match.field) ? html`<small class="quiet">${item.match.field}: ${item.match.excerpt}</small>` : ""}</li>`)}</ul>
        ${state.asked.length >= 3 && !state.items.length ? html`<p class="quiet">Nothing found.</p>` : state.q.length < 3 ? html`<p class="quiet">Three characters or more search all environments that you may read.</p>` : ""}
      </div>`;
    },
    { kind: "top" },
  );
}

// keys

function help() {
  const keys = [["/ or Ctrl-K", "search"], ...Object.entries(PAGES).filter(([, p]) => p.key).map(([, p]) => ["g " + p.key, p.title]), ["l", "the tape of changes beside any page"], ["j k", "next and previous row"], ["Enter", "open the row"], ["e", "edit"], ["h", "history"], ["c", "compare environments"], ["Ctrl-S", "review what was edited"], ["Esc", "close"], ["?", "this"]];
  dialog((close) => html`<h2>Keys</h2><table class="keys"><tbody>${keys.map(([k, t]) => html`<tr><td><kbd>${k}</kbd></td><td>${t}</td></tr>`)}</tbody></table><div class="buttons"><button @click=${() => close()}>Close</button></div>`);
}

let awaitsPage = false;

function onKey(e) {
  const dialogs = document.querySelectorAll("dialog[open]");
  const top = dialogs[dialogs.length - 1];
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
    e.preventDefault();
    if (!top) search();
    return;
  }
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s") {
    const button = (top || document).querySelector("[data-review]") || (top ? null : document.querySelector("main [data-review]"));
    e.preventDefault();
    if (button) {
      // what is being typed counts, too
      if (document.activeElement) document.activeElement.dispatchEvent(new Event("change", { bubbles: true }));
      button.click();
    }
    return;
  }
  const target = e.target;
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]") || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio)$/.test(target.type))) return;
  if (awaitsPage) {
    awaitsPage = false;
    const found = Object.entries(PAGES).find(([, p]) => p.key === e.key);
    if (found) go(found[0], [], { env: app.route.params.env, service: app.route.params.service });
    return;
  }
  const press = (selector) => {
    const button = (document.activeElement.closest && document.activeElement.closest("tr") && document.activeElement.closest("tr").querySelector(selector)) || document.querySelector("main " + selector);
    if (button) {
      e.preventDefault();
      button.click();
    }
  };
  switch (e.key) {
    case "/": e.preventDefault(); search(); break;
    case "g": awaitsPage = true; setTimeout(() => { awaitsPage = false; }, 1500); break;
    case "?": help(); break;
    case "l": tapeSheet(app); break;
    case "j": case "k": {
      const rows = [...document.querySelectorAll("main tbody tr:not(.space)")];
      const at = rows.indexOf(document.activeElement.closest("tr"));
      const next = rows[Math.max(0, Math.min(rows.length - 1, at + (e.key === "j" ? 1 : -1)))];
      const focusable = next && (next.querySelector("a") || next.querySelector("button"));
      if (focusable) focusable.focus();
      break;
    }
    case "e": press("[data-edit]"); break;
    case "h": press("[data-history]"); break;
    case "c": go("compare", [], { a: app.route.params.env, service: app.route.params.service }); break;
  }
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
}

/** Finds out which node answers; only callers with a key are told. */
async function node() {
  try {
    session.node = (await get("/cluster")).nodes.find((n) => n.is_this) || null;
  } catch {
    session.node = null;
  }
  refresh();
}

/** Reads the names of environments and services for the switches. */
async function places() {
  try {
    const [environments, services] = await Promise.all([get("/environments", { limit: 500 }), get("/services", { limit: 500 })]);
    app.environments = environments.items.map((e) => e.name);
    app.services = services.items.map((s) => s.name);
    refresh();
  } catch {
    // the page itself tells what is wrong
  }
}

app.places = places;

async function start() {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
  addEventListener("hashchange", open);
  addEventListener("keydown", onKey);
  // who signs in may see other places than before
  addEventListener("signed", () => { places(); node(); });
  onSession(refresh);
  draw();
  try {
    session.settings = await (await fetch("settings.json", { cache: "no-store" })).json();
    await endOidc();
  } catch (e) {
    toast(e.message, "bad", undefined, 20);
  }
  if (session.key) {
    try {
      await identify();
    } catch {
      // said by the banner
    }
  }
  open();
  places();
  stream();
  setInterval(refresh, 15000); // times are told as "2 minutes ago"
  node();
  atRoot("health").then((r) => r.json()).then((h) => { session.version = h.version; refresh(); }, () => {});
}

start();
