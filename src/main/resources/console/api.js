// Calls of the service, and the stream of its changes.

import { parse } from "./json.js";

const base = new URL("../api/v1", location.href).href;
const root = new URL("..", location.href).href;

/** What the console knows of its caller and of the node that answers. */
export const session = {
  /** @type {string} the key or token; only in memory unless the user wants it kept for the tab */
  key: sessionStorage.getItem("key") || "",
  self: null,
  settings: { production: [], comment_required: false, oidc: null },
  revision: 0,
  stale: 0,
  stream: "connecting",
  lag: null,
  version: "",
};

const listeners = new Set();

/** Calls a function whenever the session has changed. */
export function onSession(listener) {
  listeners.add(listener);
}

export function changed() {
  listeners.forEach((l) => l());
}

/** A failure that the service tells of (RFC 9457), or that it is unreachable. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "The service is unreachable");
    this.status = status;
    this.body = body;
    this.type = (body.type || "").split("/").pop();
    this.errors = body.errors || [];
  }

  /** Returns what is wrong with fields, by their names. @param {string[]} names */
  byField(names) {
    return Object.fromEntries(names.map((name) => [name, this.of(name)]).filter(([, problem]) => problem));
  }

  /** Returns what is wrong with a field; nothing if it is all right. */
  of(field) {
    return this.errors.filter((e) => e.field === field || e.field.startsWith(field + ".") || e.field.startsWith(field + "[")).map((e) => (e.field === field ? "" : e.field + ": ") + e.message).join("; ");
  }
}

function authorization() {
  if (!session.key) return {};
  const isToken = session.key.split(".").length === 3 && !session.key.startsWith("cs_");
  return { Authorization: (isToken ? "Bearer " : "ApiKey ") + session.key };
}

/** Stands in a query for an empty value, e.g. for no service: others that are empty are left out. */
export const NONE = Symbol("none");

/** Returns the address of a path of the API with a query. */
export function url(path, query = {}) {
  const u = new URL(base + path);
  for (const [name, value] of Object.entries(query)) {
    if (value === NONE) u.searchParams.set(name, "");
    else if (value !== undefined && value !== null && value !== "") u.searchParams.set(name, String(value));
  }
  return u;
}

function note(response) {
  const revision = Number(response.headers.get("X-Config-Revision") || 0);
  const stale = Number(response.headers.get("X-Config-Stale") || 0);
  if (revision > session.revision || stale !== session.stale) {
    session.revision = Math.max(revision, session.revision);
    session.stale = stale;
    changed();
  }
}

/** Sends a request, and returns the response if it is a success. */
export async function send(method, path, { query, body, headers, signal } = {}) {
  let response;
  try {
    response = await fetch(url(path, query), {
      method,
      signal,
      cache: "no-store",
      credentials: "omit",
      headers: { ...authorization(), ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Problem(0, { title: "The service is unreachable", detail: "The request did not reach the service." });
  }
  note(response);
  if (response.ok || response.status === 304) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    problem = { title: "The service answered " + response.status };
  }
  if (response.status === 401 && session.key) {
    // it has expired or was deleted
    session.self = null;
    session.expired = true;
    changed();
  }
  throw new Problem(response.status, problem);
}

/** The paths whose numbers are values, which keep their form. */
const VALUES = /^\/(config|diff|change-sets|changes|templates)\b/;

/** Reads JSON. */
export async function get(path, query, options = {}) {
  return parse(await (await send("GET", path, { query, ...options })).text(), VALUES.test(path));
}

/**
 * Writes, and tells the outcome: a write whose outcome is unknown, or that was refused for now, is sent again with the same
 * Idempotency-Key for half a minute.
 */
export async function write(method, path, { query, body, headers, onRetry } = {}) {
  const key = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
  const end = Date.now() + 30000;
  for (let pause = 500; ; pause = Math.min(5000, pause * 2)) {
    try {
      const response = await send(method, path, { query, body, headers: { "Idempotency-Key": key, ...headers } });
      const json = response.status === 204 ? null : parse(await response.text(), VALUES.test(path));
      return {
        status: response.status,
        json,
        revision: Number(response.headers.get("X-Config-Revision") || 0),
        warning: response.headers.get("Warning"),
      };
    } catch (e) {
      const isTransient = e instanceof Problem && (e.status === 0 || (e.status === 503 && !["no-keyset", "no-instance"].includes(e.type)));
      if (!isTransient || Date.now() + pause > end) throw e;
      if (onRetry) onRetry(e);
      await new Promise((done) => setTimeout(done, pause / 2 + (Math.random() * pause) / 2));
    }
  }
}

/** Reads all pages of a list, and calls a function with what is there after each. */
export async function all(path, query, { signal, onPage, most = 20000 } = {}) {
  const items = [];
  let token;
  do {
    const page = await get(path, { ...query, limit: 500, page_token: token }, { signal });
    items.push(...page.items);
    token = page.next_page_token;
    if (onPage) onPage(items, !!token);
  } while (token && items.length < most);
  return items;
}

/** Reads a page at the root of the service, e.g. its health. */
export async function atRoot(path) {
  const response = await fetch(root + path, { cache: "no-store", credentials: "omit" });
  return response;
}

/** Downloads what a path answers as a file. */
export async function download(path, query, name) {
  const blob = await (await send("GET", path, { query })).blob();
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

/** Tells whether the caller has a right, for an environment and a service where they are given. */
export function may(right, environment, service) {
  const self = session.self;
  if (!self || !self.rights) return false;
  const has = self.rights.includes("admin") || self.rights.includes(right);
  const covers = (names, name) => !names || !names.length || !name || names.some((n) => (n.endsWith("*") ? name.startsWith(n.slice(0, -1)) : n === name));
  return has && covers(self.environments, environment) && covers(self.service_names, service);
}

/** Tells whether an environment is one in which writes are confirmed. */
export function isProduction(environment) {
  return (session.settings.production || []).some((n) => (n.endsWith("*") ? (environment || "").startsWith(n.slice(0, -1)) : n === environment));
}

/** Finds out who the caller is. Without a key: nobody. */
export async function identify() {
  session.expired = false;
  if (!session.key) {
    session.self = null;
    changed();
    return;
  }
  session.self = await get("/access/self");
  changed();
}

// the stream of changes

const followers = new Set();
let lastId = null;
let current = null;

/** Calls a function with every change from now on. Returns the function that ends it. */
export function follow(follower) {
  followers.add(follower);
  return () => followers.delete(follower);
}

function state(name, lag) {
  if (session.stream !== name || session.lag !== lag) {
    session.stream = name;
    session.lag = lag;
    changed();
  }
}

function dispatch(event, data, id) {
  if (event === "hello") {
    state("live", session.lag);
  } else if (event === "heartbeat") {
    state("live", data.lag_ms ?? null);
  } else if (event === "resync") {
    followers.forEach((f) => f({ resync: true, revision: Number(id) }));
  } else {
    session.revision = Math.max(session.revision, data.revision || 0);
    followers.forEach((f) => f(data));
  }
}

/** Completes when somebody looks at the page: browsers open few connections to a service for all of its tabs together. */
function seen() {
  return document.visibilityState === "visible" ? Promise.resolve() : new Promise((done) => document.addEventListener("visibilitychange", done, { once: true })).then(seen);
}

let hiding;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.visibilityState === "hidden") hiding = setTimeout(() => { if (current) current.abort(); state("paused", null); }, 5000);
});
addEventListener("pagehide", () => { if (current) current.abort(); });

/** Follows the stream for as long as somebody looks at the page. It goes on where it broke off. */
export async function stream() {
  let pause = 500;
  for (;;) {
    await seen();
    const abort = new AbortController();
    current = abort;
    // a heartbeat comes every 15 seconds: a stream that is silent for longer is dead
    let watchdog = setTimeout(() => abort.abort(), 40000);
    try {
      const response = await send("GET", "/changes/stream", {
        headers: { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) },
        signal: abort.signal,
      });
      state("live", session.lag);
      pause = 500;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      let event = "";
      let id = null;
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), 40000);
        buffer += value;
        let end;
        while ((end = buffer.indexOf("\n")) >= 0) {
          const line = buffer.slice(0, end).replace(/\r$/, "");
          buffer = buffer.slice(end + 1);
          if (line.startsWith("id:")) id = line.slice(3).trim();
          else if (line.startsWith("event:")) event = line.slice(6).trim();
          else if (line.startsWith("data:")) {
            dispatch(event, parse(line.slice(5)), id);
            if (id) lastId = id;
          }
        }
      }
    } catch (e) {
      if (e instanceof Problem && (e.status === 401 || e.status === 403)) {
        state("closed", null);
        await new Promise((done) => addEventListener("restart-stream", done, { once: true }));
        clearTimeout(watchdog);
        continue;
      }
    }
    clearTimeout(watchdog);
    if (document.visibilityState === "hidden") continue;
    state("lost", null);
    await new Promise((done) => setTimeout(done, pause / 2 + (Math.random() * pause) / 2));
    pause = Math.min(10000, pause * 2);
  }
}

/** Starts the stream anew, with another key. */
export function restartStream() {
  dispatchEvent(new Event("restart-stream"));
  if (current) current.abort();
}
