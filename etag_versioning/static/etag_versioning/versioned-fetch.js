/**
 * fetch() for versioned resources: it reads with If-None-Match, writes with If-Match, and merges
 * after a 412. The types, and what each function promises, are in versioned-fetch.d.ts.
 */

const READS = new Set(["GET", "HEAD"]);
const SAFE = new Set([...READS, "OPTIONS", "TRACE"]);
// Not POST: it often adds to a list, and other additions to the list do not matter to it.
const WRITES = new Set(["PUT", "PATCH", "DELETE"]);

export class VersionedClient {
  // By address: {etag, content, since}. The least recently used address comes first.
  #known = new Map();
  // A counter: each request takes a number when it is sent, and each write another one when it is
  // answered. A GET that was not sent after `since` is answered too late to be remembered.
  #clock = 0;
  // The number of the last forget(): `since` for addresses that are not known.
  #forgotten = 0;
  #send;
  #attempts;
  #size;
  #csrfCookie;

  constructor({ fetch, attempts = 5, size = 100, csrfCookie = "csrftoken" } = {}) {
    // Looked up for each request: tools may replace the platform's fetch() later.
    this.#send = fetch ?? ((...request) => globalThis.fetch(...request));
    this.#attempts = attempts;
    this.#size = size;
    this.#csrfCookie = csrfCookie;
  }

  async fetch(url, { json, merge, attempts = this.#attempts, ...init } = {}) {
    const address = addressOf(url);
    const method = (init.method ?? "GET").toUpperCase();
    let request = { ...init, method, headers: new Headers(init.headers) };
    if (json !== undefined) request = withJSON(request, json);
    if (READS.has(method)) return this.#read(address, request);
    if (!WRITES.has(method)) return this.#request(address, request);
    if (!merge) return this.#write(address, request);
    const mine = json === undefined ? init.body : json;
    return this.#writeMerged(address, request, { mine, merge, attempts });
  }

  etag(url) {
    return this.#known.get(addressOf(url))?.etag;
  }

  remember(url, etag) {
    const known = this.#recall(addressOf(url));
    const content = known.etag === etag ? known.content : undefined;
    Object.assign(known, { etag, content, since: ++this.#clock });
  }

  forget(url) {
    const since = ++this.#clock;
    if (url !== undefined) {
      Object.assign(this.#recall(addressOf(url)), { etag: undefined, content: undefined, since });
    } else {
      this.#known.clear();
      this.#forgotten = since;
    }
  }

  /** What is known of an address, which becomes the most recently used one. */
  #recall(address) {
    const known = this.#known.get(address) ?? { since: this.#forgotten };
    this.#known.delete(address);
    this.#known.set(address, known);
    if (this.#known.size > this.#size) this.#known.delete(this.#known.keys().next().value);
    return known;
  }

  async #read(address, request) {
    const { method, headers, cache = "default" } = request;
    const { content } = this.#recall(address);
    const variant = variantOf(headers);
    const isOurs = cache === "default" && !hasPrecondition(headers) && !headers.has("Range");
    const isConditional = isOurs && content?.variant === variant;
    if (isConditional) headers.set("If-None-Match", content.headers.get("ETag"));

    const sent = ++this.#clock;
    const response = await this.#request(address, request);
    if (isConditional && response.status === 304) {
      const renewed = { ...content, headers: updated(content.headers, response.headers) };
      this.#rememberRead(address, sent, renewed.headers, renewed);
      return answerFrom(renewed, response, method);
    }
    // A HEAD is not remembered: a write would name a state that nobody has seen.
    if (response.status === 200 && method === "GET") {
      this.#rememberRead(address, sent, response.headers, await contentOf(response, variant));
    }
    return response;
  }

  #rememberRead(address, sent, headers, content) {
    const known = this.#recall(address);
    if (sent <= known.since) return;
    Object.assign(known, { etag: tagIn(headers), content, since: sent });
  }

  async #write(address, request) {
    const { method, headers } = request;
    const { etag } = this.#recall(address);
    if (etag && !hasPrecondition(headers)) headers.set("If-Match", etag);
    const named = headers.get("If-Match");

    const sent = ++this.#clock;
    const response = await this.#request(address, request);
    const since = ++this.#clock;
    if (response.ok) {
      const isRepresentation = response.status !== 204 && isLocatedAt(address, response);
      const content = isRepresentation ? await contentOf(response, variantOf(headers)) : undefined;
      const known = this.#recall(address);
      // Compare and swap, as the server does: the new tag replaces the one that was sent. If
      // another tag was remembered in between, it is of a later state.
      if (sent > known.since || (named && known.etag === named)) {
        const etag = method === "DELETE" ? undefined : tagIn(response.headers);
        Object.assign(known, { etag, content: etag && content, since });
      }
    }
    // After a 412 the stale tag stays: without it, the next write might overwrite what nobody saw.
    return response;
  }

  async #writeMerged(address, request, { mine, merge, attempts }) {
    const { signal } = request;
    let base = this.#base(address, request.headers);
    for (let attempt = 1; ; attempt++) {
      const response = await this.#write(address, request);
      if (response.status !== 412 || attempt >= attempts) return response;

      await unlessAborted(signal, pause(attempt));
      const [sent, reread] = [++this.#clock, withoutBody(request)];
      const current = await this.#request(address, reread);
      const etag = tagIn(current.headers);
      // Deleted, forbidden, or without a tag to write with.
      if (current.status !== 200 || !etag) return response;

      const content = await contentOf(current, variantOf(reread.headers));
      const text = await current.text();
      const theirs = parsed(text);
      // No JSON, such as a page to log in.
      if (theirs === undefined) return response;

      const conflict = { base, mine, theirs, response: response.clone() };
      const merged = await unlessAborted(signal, merge(conflict));
      // Not before the merge: where it fails, the next write must not name what nobody has seen.
      this.#rememberRead(address, sent, current.headers, content);
      if (merged === undefined) return response;

      // Not `theirs` itself, into which the merge may have written: mine would look unchanged.
      [base, mine] = [parsed(text), merged];
      request = { ...request, headers: withoutPreconditions(request.headers) };
      request.headers.set("If-Match", etag);
      if (request.method !== "DELETE") request = withJSON(request, merged);
    }
  }

  /** What was read with the tag that a write is going to name. */
  #base(address, headers) {
    const { etag, content } = this.#recall(address);
    const isNamed = !hasPrecondition(headers) || headers.get("If-Match") === etag;
    if (isNamed && content) return parsed(new TextDecoder().decode(content.body));
  }

  #request(address, request) {
    const token = SAFE.has(request.method) ? undefined : this.#csrfToken(address);
    if (!token || request.headers.has("X-CSRFToken")) return this.#send(address, request);
    const headers = new Headers(request.headers);
    headers.set("X-CSRFToken", token);
    // Not even a redirect may take the token to another origin.
    return this.#send(address, { ...request, headers, mode: "same-origin" });
  }

  #csrfToken(address) {
    const { document, location } = globalThis;
    if (!this.#csrfCookie || !document || new URL(address).origin !== location.origin) return;
    const start = `${this.#csrfCookie}=`;
    const cookie = document.cookie.split("; ").find((one) => one.startsWith(start));
    return cookie && decodeURIComponent(cookie.slice(start.length));
  }
}

const page = new VersionedClient();

export function versionedFetch(url, init) {
  return page.fetch(url, init);
}

export function mergeFields({ base, mine, theirs }) {
  // A FormData would look as if it had no fields, and a text as if it had one for each letter.
  if (!isObject(mine) || !isObject(theirs)) {
    throw new TypeError("mergeFields() needs two objects: send the fields as json, not as body.");
  }
  const conflicts = [];
  const merged = Object.entries(mine).map(([name, value]) => {
    // Without a base, each side may have changed the field.
    if (base && isEqual(value, base[name])) return [name, theirs[name]];
    const isTheirs = !base || !isEqual(theirs[name], base[name]);
    if (isTheirs && !isEqual(value, theirs[name])) conflicts.push(name);
    return [name, value];
  });
  return { merged: Object.fromEntries(merged), conflicts };
}

function isObject(value) {
  return Object.prototype.toString.call(value) === "[object Object]";
}

/** Whether two JSON values are equal. */
function isEqual(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
  );
}

/** The absolute URL without its fragment. Outside of a page, a relative one is a TypeError. */
function addressOf(url) {
  const absolute = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  absolute.hash = "";
  return absolute.href;
}

function tagIn(headers) {
  return headers.get("ETag") ?? undefined;
}

/** The headers of the caller by which the server may choose a representation. */
function variantOf(headers) {
  return JSON.stringify([headers.get("Accept"), headers.get("Accept-Language")]);
}

function hasPrecondition(headers) {
  return [...headers.keys()].some((name) => name.startsWith("if-"));
}

function withoutPreconditions(headers) {
  return new Headers([...headers].filter(([name]) => !name.startsWith("if-")));
}

function withJSON(request, value) {
  const headers = new Headers(request.headers);
  if (!headers.has("Content-Type")) headers.set("Content-Type", "application/json");
  return { ...request, headers, body: JSON.stringify(value) };
}

/** The value of a JSON text; undefined if it is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The GET of the resource that a write was about; caches must not answer it. */
function withoutBody({ body, ...request }) {
  const headers = withoutPreconditions(request.headers);
  headers.delete("Content-Type");
  return { ...request, method: "GET", headers, cache: "reload" };
}

/** RFC 9110, section 8.7: the content of this answer is what a GET of the address would show. */
function isLocatedAt(address, response) {
  const target = response.url || address;
  const location = response.headers.get("Content-Location");
  if (location === null || !URL.canParse(location, target)) return false;
  return new URL(location, target).href === target;
}

/** What to remember of an answer; nothing if it has no tag or must not be stored. */
async function contentOf(response, variant) {
  const { headers } = response;
  if (!headers.has("ETag") || /\bno-store\b/i.test(headers.get("Cache-Control"))) return;
  return { variant, headers, body: await response.clone().arrayBuffer() };
}

/**
 * RFC 9111, section 3.2: a 304 updates the headers, except those about the content's form. The tag
 * stays that of the content: under a newer one, a write would overwrite what nobody has seen.
 */
function updated(headers, notModified) {
  const renewed = new Headers(headers);
  for (const [name, value] of notModified) {
    if (!/^(etag|content-(encoding|length|range|type))$/.test(name)) renewed.set(name, value);
  }
  return renewed;
}

function answerFrom({ headers, body }, notModified, method) {
  const init = { status: 200, statusText: "OK", headers };
  const response = new Response(method === "HEAD" ? null : body, init);
  // The constructor of Response cannot set these.
  for (const name of ["url", "redirected", "type"]) {
    Object.defineProperty(response, name, { value: notModified[name] });
  }
  return response;
}

/** A random wait, so that clients that compete for one row do not retry at the same moment. */
function pause(attempt) {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * attempt));
}

/** The value, which may be a promise, unless the signal aborts first. */
function unlessAborted(signal, value) {
  if (!signal) return value;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const remove = () => signal.removeEventListener("abort", abort);
    Promise.resolve(value).then(resolve, reject).finally(remove);
  });
}
