// Writing safely: what will change is reviewed, commented, confirmed in production, and can be undone for a minute.

import { all, get, isProduction, Problem, session, write } from "./api.js";
import { fieldDifferences, merge } from "./diff.js";
import { dialog, dropToast, failure, field, html, toast } from "./ui.js";

/**
 * Shows what will change, and does it once that is confirmed.
 * @param {object} review
 * @param {string} review.title what is done
 * @param {string[]} review.environments where
 * @param {{name: string, action?: string, before?: object, after?: object, note?: string}[]} review.items what changes
 * @param {any[]=} review.notes what else should be known
 * @param {Promise<string[]>=} review.affected whom it concerns, which may take a moment to find out
 * @param {((problem: Problem) => boolean)=} review.onRefused tells whether the form shows beside its fields what is wrong
 * @param {(comment: string, onRetry: Function) => Promise<{revision: number, undo?: Function, warning?: string}>} review.run
 * @returns {Promise<boolean>} whether it was done
 */
export function review(review) {
  return new Promise((resolve) => {
    const production = review.environments.find(isProduction);
    const state = { comment: "", typed: "", busy: false, error: null, retrying: false, affected: [], hold: 0 };
    const needsComment = !!production && session.settings.comment_required;
    dialog(
      (close, update) => {
        if (review.affected && !state.asked) {
          state.asked = true;
          review.affected.then((lines) => { state.affected = lines; update(); }, () => {});
        }
        const release = () => {
          clearTimeout(state.hold);
          state.hold = 0;
          update();
        };
        const submit = async (e) => {
          e.preventDefault();
          if (state.busy) return;
          state.busy = true;
          state.error = null;
          update();
          try {
            const done = await review.run(state.comment || undefined, (problem) => {
              // who has closed the review does not want it any more
              if (state.isClosed) throw problem;
              state.retrying = problem.type === "outcome-unknown" ? "It may have happened: asking again with the same key…" : "The service cannot write right now: trying again…";
              update();
            });
            close(true);
            seen(done, review.title);
          } catch (problem) {
            if (state.isClosed) {
              toast(problem.type === "outcome-unknown" || problem.status === 0 ? "It may have happened: look at the history before you try again" : "Not done: " + problem.message, "bad", undefined, 15);
              return;
            }
            state.busy = false;
            state.retrying = false;
            state.error = problem;
            if (review.onRefused && review.onRefused(problem)) {
              close(false);
              return;
            }
            if (problem.status === 412 && review.onMoved) {
              close(false);
              review.onMoved(problem);
              return;
            }
            update();
          }
        };
        return html`<form @submit=${submit}>
          <h2>${review.title}</h2>
          <p>${review.environments.map((e) => html`<span class="chip ${isProduction(e) ? "env-production" : ""}">${e}</span> `)}
            ${review.items.length === 1 ? "1 change" : review.items.length + " changes"}</p>
          ${(review.notes || []).map((n) => html`<p class="note">${n}</p>`)}
          ${state.affected.map((line) => html`<p class="affected">${line}</p>`)}
          <div class="review">${review.items.slice(0, 200).map((item) => html`<section>
            <h3>${item.name} ${item.action ? html`<span class="chip ${item.action}">${item.action}</span>` : ""}</h3>
            ${item.note ? html`<p class="quiet">${item.note}</p>` : ""}
            ${item.before || item.after ? fieldDifferences(item.before, item.after) : ""}
          </section>`)}
          ${review.items.length > 200 ? html`<p class="quiet">and ${review.items.length - 200} more</p>` : ""}</div>
          ${field("Why (for the audit)" + (needsComment ? "" : ", optional"), html`<input .value=${state.comment} ?required=${needsComment} maxlength="2000" @input=${(e) => { state.comment = e.target.value; }}>`)}
          ${production ? field(html`Type <b>${production}</b>, or hold Enter for a second`, html`<input autocomplete="off" class=${state.hold ? "holding" : ""} .value=${state.typed} @input=${(e) => { state.typed = e.target.value; update(); }}
            @keydown=${(e) => {
              if (e.key !== "Enter" || state.typed === production) return;
              e.preventDefault();
              const form = e.target.form;
              if (e.repeat || state.hold || !form.reportValidity()) return;
              state.hold = setTimeout(() => { state.typed = production; release(); form.requestSubmit(); }, 1000);
              update();
            }}
            @keyup=${(e) => { if (e.key === "Enter") release(); }} @blur=${release}>`) : ""}
          ${state.retrying ? html`<p class="note" role="status">${state.retrying}</p>` : ""}
          ${state.error ? failure(state.error) : ""}
          ${state.error && state.error.errors.length > 1 ? html`<ul>${state.error.errors.map((x) => html`<li><code>${x.field}</code> ${x.message}</li>`)}</ul>` : ""}
          <div class="buttons">
            <button type="button" @click=${() => close(false)}>Cancel</button>
            <button class="primary ${production ? "danger" : ""}" ?disabled=${state.busy || (production && state.typed !== production)}>${state.busy ? "Writing…" : "Apply"}</button>
          </div>
        </form>`;
      },
      { kind: production ? "production" : "", onClose: (done) => { state.isClosed = true; resolve(done === true); } },
    );
  });
}

/** Tells that a write was done, on how many nodes it is seen, and offers to undo it. */
async function seen(done, title) {
  const undo = done.undo && { label: "Undo", run: () => done.undo() };
  if (!done.revision) {
    toast(title + ": nothing had to change");
    return;
  }
  const entry = toast(`${title}: revision ${done.revision}${done.warning ? " (with a warning)" : ""}`, "good", undo);
  if (done.warning) toast(done.warning.replace(/^299 config-service /, ""), "bad", undefined, 20);
  try {
    // the other nodes follow within milliseconds
    for (let i = 0; i < 5; i++) {
      await new Promise((r) => setTimeout(r, 200));
      const { nodes } = await get("/cluster");
      const up = nodes.filter((n) => n.revision !== null);
      const reached = up.filter((n) => n.revision >= done.revision).length;
      entry.text = `${title}: revision ${done.revision}, seen on ${reached} of ${nodes.length} node${nodes.length === 1 ? "" : "s"}`;
      const again = toast("", "", undefined, 0);
      dropToast(again);
      if (reached === nodes.length) break;
    }
  } catch {
    // without a key nobody may see the nodes
  }
}

/** Returns the path of a resource in the API, and its query. */
export function path(kind, resource) {
  return kind === "configuration"
    ? { path: "/config/" + encodeURIComponent(resource.key), query: { environment: resource.environment, service_name: resource.service_name || undefined } }
    : { path: "/feature-flags/" + encodeURIComponent(resource.name), query: { environment: resource.environment } };
}

/** Returns an operation of a change set. */
export function operation(kind, op, resource, fields = {}) {
  const base = kind === "configuration"
    ? { environment: resource.environment, service_name: resource.service_name || undefined, key: resource.key }
    : { environment: resource.environment, name: resource.name };
  return { op, resource_type: kind, ...base, ...fields };
}

/**
 * Reviews operations by a dry run, and does them as one change set that can be undone.
 * @param {object[]} operations
 */
export async function reviewSet(title, operations, { notes, onDone, path: to = "/change-sets", body = { operations }, query } = {}) {
  let planned;
  try {
    planned = (await write("POST", to, { query: { ...query, full: true }, body: { ...body, dry_run: true } })).json;
  } catch (e) {
    dialog((close) => html`<h2>${title}</h2>${failure(e)}${e.errors && e.errors.length ? html`<ul>${e.errors.slice(0, 50).map((x) => html`<li><code>${x.field}</code> ${x.message}</li>`)}</ul>` : ""}<div class="buttons"><button @click=${() => close()}>Close</button></div>`);
    return false;
  }
  const changes = planned.results.filter((r) => r.action !== "unchanged");
  if (!changes.length) {
    toast(title + ": nothing would change");
    return false;
  }
  const items = changes.map((r) => {
    const state = r.after || r.before || {};
    return {
      name: (state.service_name ? state.service_name + " / " : "") + (state.key || state.name || r.id),
      action: r.action,
      before: r.before || undefined,
      after: r.after || undefined,
      note: (r.warnings || []).join("; ") || undefined,
    };
  });
  const environments = [...new Set(changes.map((r) => (r.after || r.before || {}).environment).filter(Boolean))];
  return review({
    title,
    environments,
    items,
    notes,
    run: async (comment, onRetry) => {
      const done = await write("POST", to, { query, body: { ...body, comment, dry_run: false }, onRetry });
      if (onDone) onDone(done.json);
      return { revision: done.json.last_revision || 0, undo: done.json.id ? () => undoSet(done.json.id, onDone) : undefined };
    },
  });
}

/** Undoes a change set. What was changed since is named, and left out only if that is wanted. */
export async function undoSet(id, onDone, skip = false) {
  try {
    await reviewSet("Undo", [], { path: `/change-sets/${id}/revert`, body: { skip_changed: skip }, onDone });
  } catch (e) {
    toast(e.message, "bad");
  }
}

/** Finds out whom a change concerns: services, and the streams that hear of it at once. */
async function affected(kind, base) {
  const lines = [];
  if (kind === "configuration" && !base.service_name) {
    const [services, same] = await Promise.all([get("/services", { environment: base.environment, limit: 500 }), all("/config", { environment: base.environment, prefix: base.key, secrets: "omit" }, { most: 2000 })]);
    const own = same.filter((c) => c.key === base.key && c.service_name).map((c) => c.service_name);
    const names = services.items.map((s) => s.name).filter((n) => !own.includes(n));
    const count = names.length + (services.next_page_token ? "+" : "");
    lines.push(`Shared: concerns ${count} ${names.length === 1 ? "service" : "services"} of ${base.environment}${names.length ? " (" + names.slice(0, 8).join(", ") + (names.length > 8 ? "…" : "") + ")" : ""}.` + (own.length ? ` Not ${own.slice(0, 8).join(", ")}${own.length > 8 ? "…" : ""}: ${own.length === 1 ? "it has a value" : "they have values"} of ${own.length === 1 ? "its" : "their"} own.` : ""));
  } else if (kind === "configuration") {
    lines.push(`Concerns ${base.service_name} in ${base.environment}.`);
  } else if (base.id) {
    const usage = await get(`/feature-flags/${base.id}/usage`);
    const recent = usage.items.filter((i) => Date.parse(i.hour) > Date.now() - 24 * 3600e3).reduce((n, i) => n + i.evaluations, 0);
    lines.push(recent ? `Evaluated ${recent.toLocaleString("en")} times in the last day.` : "Not evaluated in the last day.");
  }
  const { nodes } = await get("/cluster").catch(() => ({ nodes: [] }));
  const streams = nodes.reduce((n, node) => n + (node.streams || 0), 0);
  if (streams) lines.push(`${streams.toLocaleString("en")} open ${streams === 1 ? "stream hears" : "streams hear"} of it at once.`);
  return lines;
}

/**
 * Reviews a change of one resource, and writes it over the revision that was read. If it was changed meanwhile, shows
 * theirs, mine and what both began with.
 */
export async function reviewOne(kind, base, fields, { onDone, isNew, title, onRefused } = {}) {
  const at = path(kind, base);
  const after = { ...base, ...fields };
  const name = base.key || base.name;
  const notes = [];
  if (kind === "feature_flag" && !isNew) notes.push(...rolloutNotes(base, after));
  return review({
    title: title || (isNew ? "Create " + name : "Change " + name),
    environments: [base.environment],
    items: [{ name, before: isNew ? undefined : base, after }],
    notes,
    affected: affected(kind, base),
    onRefused,
    run: async (comment, onRetry) => {
      const done = await write("PUT", at.path, {
        query: at.query,
        body: { ...fields, comment },
        headers: isNew ? { "If-None-Match": "*" } : { "If-Match": `"${base.revision}"` },
        onRetry,
      });
      if (onDone) onDone(done.json);
      const before = done.json.version - 1;
      return {
        revision: done.json.revision,
        warning: done.warning,
        undo: !isNew && done.json.version === base.version ? undefined : isNew
          ? () => write("DELETE", at.path, { query: { ...at.query, comment: "undone" }, headers: { "If-Match": `"${done.json.revision}"` } }).then(() => { toast("Undone", "good"); if (onDone) onDone(null); }, (e) => toast(e.message, "bad"))
          : () => rollback(kind, done.json, before, onDone),
      };
    },
    onMoved: () => threeWay(kind, base, fields, { onDone }),
  });
}

/** Returns what a change of a rollout means for users. */
export function rolloutNotes(before, after) {
  const share = (f) => (!f.is_enabled ? 0 : f.rollout_percentage ?? ((f.rules || []).length || (f.target_users || []).length ? 0 : 100));
  const a = share(before);
  const b = share(after);
  if (a === b) return [];
  const by = Math.abs(Math.round((b - a) * 100) / 100);
  return b > a
    ? [`About ${by} % more users get it; nobody loses it.`]
    : [html`<b>About ${by} % of the users lose it.</b>`];
}

/** Brings a resource back to a version, without asking: it is the undoing of what was just done. */
export async function rollback(kind, resource, version, onDone) {
  try {
    const done = await rolledBack(kind, resource, version, "undone in the console");
    toast(`Brought back version ${version}: revision ${done.json.revision}`, "good");
    if (onDone) onDone(done.json);
  } catch (e) {
    toast(e.message, "bad", undefined, 15);
  }
}

function rolledBack(kind, resource, version, comment, onRetry) {
  const base = kind === "configuration" ? "/config/" : kind === "feature_flag" ? "/feature-flags/" : kind === "template" ? "/templates/" : "/schemas/";
  return write("POST", base + resource.id + "/rollback", { body: { version, comment }, onRetry });
}

/**
 * Reviews bringing a resource back to a version.
 * @param {object[]} history its versions, the last first
 */
export function reviewRollback(kind, resource, history, version, onDone) {
  const state = (v) => (v && v.action !== "deleted" ? (v.value !== null && typeof v.value === "object" && kind !== "configuration" ? v.value : { value: v.value }) : undefined);
  const name = resource.key || resource.name || "it";
  return review({
    title: `Bring ${name} back to version ${version}`,
    environments: resource.environment ? [resource.environment] : [],
    items: [{ name, before: state(history[0]), after: state(history.find((v) => v.version === version)) }],
    run: async (comment, onRetry) => {
      const done = await rolledBack(kind, resource, version, comment, onRetry);
      if (onDone) onDone(done.json);
      return { revision: done.json.revision };
    },
  });
}

/** Deletes resources, as a change set. */
export function reviewDeletion(kind, resources, onDone) {
  return reviewSet(
    resources.length === 1 ? "Delete " + (resources[0].key || resources[0].name) : `Delete ${resources.length} entries`,
    resources.map((r) => operation(kind, "delete", r, { if_revision: r.revision })),
    { onDone },
  );
}

async function threeWay(kind, base, fields, { onDone }) {
  let theirs;
  try {
    // by its id: the path of a value that was deleted leads to the shared one
    theirs = await get((kind === "configuration" ? "/config/" : "/feature-flags/") + base.id, kind === "configuration" ? { secrets: "omit" } : {});
  } catch (e) {
    if (!(e instanceof Problem) || e.status !== 404) {
      toast(e.message, "bad");
      return;
    }
    theirs = null;
  }
  const mine = { ...base, ...fields };
  if (theirs === null) {
    dialog((close) => html`<h2>Someone deleted it</h2><p>It was deleted while you changed it.</p><div class="buttons"><button @click=${() => close()}>Keep it deleted</button>
      <button class="primary" @click=${() => { close(); reviewOne(kind, base, fields, { onDone, isNew: true }); }}>Create it with mine</button></div>`);
    return;
  }
  const names = Object.keys(fields);
  const { conflicts } = merge(base, mine, theirs);
  dialog(
    (close) => html`<h2>Someone was faster</h2>
      <p>Revision ${theirs.revision} was written while you changed revision ${base.revision}. ${conflicts.length ? html`Both changed <b>${conflicts.join(", ")}</b>.` : "You changed different fields."}</p>
      <div class="three"><section><h3>Theirs, against what you read</h3>${fieldDifferences(base, theirs)}</section><section><h3>Yours, against what you read</h3>${fieldDifferences(base, mine)}</section></div>
      <div class="buttons"><button @click=${() => { close(); if (onDone) onDone(theirs); }}>Take theirs</button>
      <button class="primary" @click=${() => { close(); reviewOne(kind, theirs, Object.fromEntries(names.map((n) => [n, mine[n]])), { onDone }); }}>Apply mine on top</button></div>`,
    { kind: "wide" },
  );
}
