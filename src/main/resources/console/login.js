// Who the caller is: a key, a token, or a sign-in at the issuer of tokens (authorization code with PKCE).

import { changed, identify, restartStream, session } from "./api.js";
import { chip, dialog, failure, field, html, toast } from "./ui.js";

function keep(key, stays) {
  session.key = key;
  if (stays) sessionStorage.setItem("key", key);
  else sessionStorage.removeItem("key");
}

/** Asks for a key or token. */
export function signIn() {
  const state = { key: "", stays: false, error: null, busy: false };
  dialog((close, update) => html`<form @submit=${async (e) => {
    e.preventDefault();
    state.busy = true;
    update();
    const before = session.key;
    keep(state.key.trim(), state.stays);
    try {
      await identify();
      close();
      restartStream();
      dispatchEvent(new Event("signed"));
      dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (problem) {
      keep(before, false);
      session.expired = false;
      state.busy = false;
      state.error = problem;
      changed();
      update();
    }
  }}>
    <h2>Sign in</h2>
    ${session.settings.oidc ? html`<p><button type="button" class="primary" @click=${() => beginOidc().catch((e) => toast(e.message, "bad"))}>Sign in with ${new URL(session.settings.oidc.issuer).host}</button></p><p class="quiet">or with a key:</p>` : ""}
    ${field("API key or token", html`<input type="password" autocomplete="off" spellcheck="false" required autofocus .value=${state.key} @input=${(e) => { state.key = e.target.value; }}>`)}
    <label class="check"><input type="checkbox" .checked=${state.stays} @change=${(e) => { state.stays = e.target.checked; }}> Keep it until this tab is closed</label>
    <p class="quiet">It is kept in the memory of this page only, and sent to no one but this service.</p>
    ${state.error ? failure(state.error) : ""}
    <div class="buttons"><button type="button" @click=${() => close()}>Cancel</button><button class="primary" ?disabled=${state.busy}>Sign in</button></div>
  </form>`);
}

export function signOut() {
  keep("", false);
  identify();
  restartStream();
  dispatchEvent(new Event("signed"));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Shows who the caller is and what it may do. */
export function showSelf() {
  const self = session.self;
  dialog((close) => html`<h2>${self ? self.name || self.id : "Not signed in"}</h2>
    ${self ? html`<dl>
      <dt>Kind</dt><dd>${self.type || (self.actor && self.actor.type) || ""}</dd>
      <dt>Rights</dt><dd>${(self.rights || []).map((r) => chip(r))}</dd>
      <dt>Environments</dt><dd>${(self.environments || []).length ? self.environments.join(", ") : "all"}</dd>
      <dt>Services</dt><dd>${(self.service_names || []).length ? self.service_names.join(", ") : "all"}</dd>
      <dt>Expires</dt><dd>${self.expires_at || "never"}</dd></dl>` : html`<p>You see what everybody may read.</p>`}
    <div class="buttons"><button @click=${() => close()}>Close</button>${self ? html`<button @click=${() => { close(); signOut(); }}>Sign out</button>` : html`<button class="primary" @click=${() => { close(); signIn(); }}>Sign in</button>`}</div>`);
}

// OpenID Connect

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function discover() {
  const issuer = session.settings.oidc.issuer.replace(/\/+$/, "");
  const response = await fetch(issuer + "/.well-known/openid-configuration", { credentials: "omit" });
  if (!response.ok) throw new Error("The issuer of tokens does not describe itself (status " + response.status + ")");
  return response.json();
}

const redirect = () => location.origin + location.pathname;

async function beginOidc() {
  const description = await discover();
  const verifier = base64(crypto.getRandomValues(new Uint8Array(32)));
  const state = base64(crypto.getRandomValues(new Uint8Array(16)));
  const challenge = base64(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  sessionStorage.setItem("oidc", JSON.stringify({ verifier, state, hash: location.hash }));
  const to = new URL(description.authorization_endpoint);
  to.search = new URLSearchParams({
    response_type: "code", client_id: session.settings.oidc.client_id, redirect_uri: redirect(), scope: "openid", state,
    code_challenge: challenge, code_challenge_method: "S256",
  });
  location.assign(to);
}

/** Ends a sign-in at the issuer, if this page was opened by one. */
export async function endOidc() {
  const query = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem("oidc");
  if (!session.settings.oidc || !kept || (!query.has("code") && !query.has("error"))) return;
  sessionStorage.removeItem("oidc");
  const { verifier, state, hash } = JSON.parse(kept);
  history.replaceState(null, "", location.pathname + hash);
  if (query.get("state") !== state) throw new Error("The sign-in was not begun here");
  if (query.has("error")) throw new Error("The issuer refused the sign-in: " + (query.get("error_description") || query.get("error")));
  const description = await discover();
  const response = await fetch(description.token_endpoint, {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: "authorization_code", code: query.get("code"), redirect_uri: redirect(), client_id: session.settings.oidc.client_id, code_verifier: verifier }),
  });
  if (!response.ok) throw new Error("The issuer gave no token (status " + response.status + ")");
  keep((await response.json()).access_token, false);
}
