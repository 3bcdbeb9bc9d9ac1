// What the pages are made of.

import { isExact } from "./json.js";
import { html, nothing, render, svg } from "./lit-html.js";
import { link } from "./route.js";

export { html, nothing, render, svg };

/** Returns a value as a person reads it in a table. */
export function plain(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Returns a time: how long ago it is, with the local and the UTC time on hover. */
export function time(at) {
  if (!at) return html`<span class="quiet">never</span>`;
  const date = new Date(at);
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, s]) => Math.abs(seconds) >= s) || ["second", 1];
  return html`<time datetime=${at} title=${date.toLocaleString() + " (UTC " + at.replace("T", " ") + ")"}>${relative.format(Math.round(seconds / size), unit)}</time>`;
}

/** Returns how long something lasted, in its two largest units. @param {number} millis */
export function span(millis) {
  let left = Math.max(0, Math.round(millis / 1000));
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count ? count + " " + unit : "";
  });
  const first = parts.findIndex(Boolean);
  return first < 0 ? "less than a second" : parts.slice(first, first + 2).filter(Boolean).join(" ");
}

/** Returns JSON with its keys, strings, numbers and words marked. */
export function highlighted(value) {
  const parts = JSON.stringify(value, null, 2).split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b)/);
  return html`<pre class="json"><code>${parts.map((p, i) => (i % 2 ? html`<span class=${p.endsWith(":") ? "name" : p[0] === '"' ? "text" : "scalar"}>${p}</span>` : p))}</code></pre>`;
}

/** Goes to the history on the page of a resource. */
export function toHistory() {
  const heading = document.getElementById("history");
  heading.scrollIntoView({ block: "start" });
  heading.focus({ preventScroll: true });
}

/** Returns the name of an actor; what the caller may not see is a dash. With a time, it leads to all that they did in that hour. */
export function actor(a, at) {
  if (a && at) {
    const hour = Math.floor(Date.parse(at) / 3600e3) * 3600e3;
    const query = { actor: a.name, since: new Date(hour).toISOString(), until: new Date(hour + 3600e3).toISOString() };
    return html`<a href=${link("audit", [], query)} title=${`${a.type} ${a.id}: all that they did in that hour`}>${a.name}</a>`;
  }
  return a ? html`<span title=${a.type + " " + a.id}>${a.name}</span>` : html`<span class="quiet" title="Actors are shown with the right audit:read">–</span>`;
}

/** Returns the type of a value and the value, shortened. */
export function valueCell(c) {
  if (c.is_encrypted && (c.value === null || c.value === undefined)) {
    return html`<span class="chip">secret</span> <span class="quiet">${c.unreadable ? "cannot be opened" : "hidden"}</span>`;
  }
  const type = c.value === null ? "none" : Array.isArray(c.value) ? "array" : isExact(c.value) ? "number" : typeof c.value;
  const shown = plain(c.value);
  return html`${type === "string" && !c.is_encrypted ? "" : html`<span class="chip ${type}">${c.is_encrypted ? "secret" : type}</span> `}<code class="value" title=${shown.length > 60 ? shown.slice(0, 2000) : nothing}>${shown.length > 120 ? shown.slice(0, 120) + "…" : shown}</code>`;
}

export function chip(text, kind = "") {
  return html`<span class="chip ${kind}">${text}</span>`;
}

/** Returns the color of an environment: red for one in which writes are confirmed, else one of six. */
export function environmentClass(name, isProduction) {
  if (isProduction) return "env-production";
  let sum = 0;
  for (const c of name || "") sum = (sum * 31 + c.charCodeAt(0)) % 6;
  return "env-" + sum;
}

/** Returns a failure in its place, with what to do about it. */
export function failure(e, retry) {
  const missing = e.body && e.body.missing_right;
  const hint =
    e.status === 401 ? "Sign in with a key or token that may see this." :
    missing ? html`Your key lacks the right <code>${missing}</code>.` :
    e.status === 503 || e.status === 0 ? "The service cannot answer right now. Nothing was changed." : "";
  return html`<div class="failure" role="alert">
    <strong>${(e.body && e.body.title) || "Something went wrong"}</strong>
    <p>${e.message}</p>
    ${hint ? html`<p>${hint}</p>` : ""}
    ${e.body && e.body.request_id ? html`<p class="quiet">request <code>${e.body.request_id}</code> ${copyButton(e.body.request_id, "Copy the request id")}</p>` : ""}
    ${retry ? html`<button @click=${retry}>Try again</button>` : ""}
  </div>`;
}

export function copyButton(text, label = "Copy") {
  return html`<button class="small ghost" title=${label} aria-label=${label} @click=${(e) => {
    e.preventDefault();
    if (!navigator.clipboard) {
      toast("Browsers copy only over https or on localhost: select the text instead", "bad");
      return;
    }
    navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("The browser does not permit copying", "bad"));
  }}>Copy</button>`;
}

// messages at the edge of the page

const toasts = [];

/** Shows a message for some seconds. @param {{label: string, run: Function}=} action */
export function toast(text, kind = "", action, seconds = action ? 60 : 5) {
  const entry = { text, kind, action };
  toasts.push(entry);
  drawToasts();
  setTimeout(() => dropToast(entry), seconds * 1000);
  return entry;
}

export function dropToast(entry) {
  const at = toasts.indexOf(entry);
  if (at >= 0) toasts.splice(at, 1);
  drawToasts();
}

function drawToasts() {
  let place = document.getElementById("toasts");
  if (!place) {
    place = document.createElement("div");
    place.id = "toasts";
    place.setAttribute("role", "status");
    place.setAttribute("aria-live", "polite");
    document.body.append(place);
  }
  render(
    toasts.map((t) => html`<div class="toast ${t.kind}"><span>${t.text}</span>
      ${t.action ? html`<button class="small" @click=${() => { dropToast(t); t.action.run(); }}>${t.action.label}</button>` : ""}
      <button class="small ghost" aria-label="Close the message" @click=${() => dropToast(t)}>✕</button></div>`),
    place,
  );
}

// dialogs

/**
 * Shows a dialog until it is closed. The focus returns to where it was.
 * @param {(close: Function, update: Function) => any} view
 */
export function dialog(view, { kind = "", onClose } = {}) {
  const element = document.createElement("dialog");
  element.className = kind;
  document.body.append(element);
  const before = document.activeElement;
  const close = (result) => {
    element.close();
    element.remove();
    if (onClose) onClose(result);
    if (before && before.isConnected) before.focus();
  };
  const update = () => {
    render(view(close, update), element);
    const heading = element.querySelector("h2");
    element.setAttribute("aria-label", heading ? heading.textContent : "Search");
  };
  element.addEventListener("cancel", (e) => {
    e.preventDefault();
    close();
  });
  update();
  element.showModal();
  const first = element.querySelector("[autofocus], input, textarea, select, button");
  if (first) first.focus();
  return { close, update, element };
}

/** Asks a question. Resolves to whether the answer is yes. */
export function ask(title, text, yes = "Go on", kind = "") {
  return new Promise((resolve) =>
    dialog(
      (close) => html`<h2>${title}</h2><p>${text}</p>
        <div class="buttons"><button @click=${() => close(false)}>Cancel</button><button class="primary ${kind}" @click=${() => close(true)}>${yes}</button></div>`,
      { onClose: (r) => resolve(!!r) },
    ),
  );
}

// tables of many rows

const ROW = 37;

/**
 * Returns the rows of a long table that are in view, with space for the others.
 * @param {{top: number, height: number}} scroll the state of the window, kept by the page
 */
export function rows(all, scroll, columns, row) {
  if (all.length <= 300) return all.map(row);
  const first = Math.max(0, Math.floor((scroll.top - 400) / ROW));
  const count = Math.ceil((scroll.height + 800) / ROW);
  const shown = all.slice(first, first + count);
  return html`<tr aria-hidden="true" class="space"><td colspan=${columns} height=${first * ROW}></td></tr>
    ${shown.map((r, i) => row(r, first + i))}
    <tr aria-hidden="true" class="space"><td colspan=${columns} height=${Math.max(0, all.length - first - shown.length) * ROW}></td></tr>`;
}

/** Returns the state of a window, and the listener that keeps it. */
export function scroller(update) {
  const state = { top: 0, height: innerHeight };
  let pending = false;
  state.listen = (e) => {
    const element = e.target;
    const top = element.scrollTop;
    if (Math.abs(top - state.top) < ROW * 4 && element.clientHeight === state.height) return;
    state.top = top;
    state.height = element.clientHeight;
    if (!pending) {
      pending = true;
      requestAnimationFrame(() => {
        pending = false;
        update();
      });
    }
  };
  return state;
}

/** Returns what an input shows: what is being typed into it, else a value. @param {string} label its aria-label */
export function typed(label, value) {
  const at = document.activeElement;
  return at && at.tagName === "INPUT" && at.getAttribute("aria-label") === label ? at.value : value || "";
}

/** Calls a function once, some time after the last of several calls. */
export function later(run, millis = 250) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), millis);
  };
}

export function skeleton(lines = 6) {
  return html`<div class="skeleton" aria-busy="true" aria-label="Loading">${Array.from({ length: lines }, () => html`<div></div>`)}</div>`;
}

export function empty(title, text, more = "") {
  return html`<div class="empty"><strong>${title}</strong><p>${text}</p>${more}</div>`;
}

/** Returns an input with its label and what is wrong with it. */
export function field(label, input, problem = "", hint = "") {
  return html`<label class="field"><span>${label}</span>${input}${hint ? html`<small class="quiet">${hint}</small>` : ""}${problem ? html`<small class="wrong" role="alert">${problem}</small>` : ""}</label>`;
}

/** Returns the call that does the same with curl. */
export function curl(method, path, query, body) {
  const u = new URL("../api/v1" + path, location.href);
  for (const [n, v] of Object.entries(query || {})) if (v !== undefined && v !== null && v !== "") u.searchParams.set(n, v);
  const data = body ? ` -d '${JSON.stringify(body).replace(/'/g, "'\\''")}'` : "";
  const auth = method === "GET" ? "" : " -H \"Authorization: ApiKey $CS_API_KEY\"";
  return `curl${method === "GET" ? "" : " -X " + method} '${u.href}'${auth}${data}`;
}
