// The state of the console is in the URL: #/page/part/part?name=value.

/** Decodes a part; one that is cut off within a character stays as it is. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Reads a fragment. @param {string} hash */
export function parse(hash) {
  const text = hash.replace(/^#\/?/, "");
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  const parts = path.split("/").filter(Boolean).map(decode);
  const params = Object.fromEntries(new URLSearchParams(at < 0 ? "" : text.slice(at + 1)));
  return { page: parts[0] || "overview", parts: parts.slice(1), params };
}

/** Returns the fragment of a page. Parameters that are empty are left out. */
export function link(page, parts = [], params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) {
      query.set(name, value === true ? "1" : String(value));
    }
  }
  const path = [page, ...parts].map(encodeURIComponent).join("/");
  const text = query.toString();
  return "#/" + path + (text ? "?" + text : "");
}

/** Goes to a page. */
export function go(page, parts, params) {
  location.hash = link(page, parts, params);
}

/** Changes parameters of the page that is shown, without an entry in the history of the browser. */
export function change(route, params) {
  const hash = link(route.page, route.parts, { ...route.params, ...params });
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
