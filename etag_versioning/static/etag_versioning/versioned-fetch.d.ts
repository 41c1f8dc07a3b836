/**
 * fetch() for versioned resources: it reads with If-None-Match, writes with If-Match, and merges
 * after a 412.
 */

/** Both sides changed the resource: what a merge has to work with. */
export interface Conflict<Data = any> {
  /**
   * What this client had read before it wrote, if that was JSON and is still remembered.
   * After a second 412: what the merge before it was given as `theirs`.
   */
  base: Data | undefined;
  /** What this client tried to write: `json`, or else `body`. */
  mine: any;
  /** What is there now. */
  theirs: Data;
  /** The 412. */
  response: Response;
}

export interface VersionedInit<Data = any> extends Omit<RequestInit, "body"> {
  body?: BodyInit | null;
  /** Sent as JSON, in place of a body. */
  json?: unknown;
  /**
   * Called when a PUT, PATCH or DELETE is answered 412 and the resource could be read again.
   *
   * @returns what to send as JSON with the tag of what is there now (a DELETE is sent again
   *     without content); undefined leaves the 412 as the answer. The next write then names what
   *     the function was given as `theirs`.
   */
  merge?: (conflict: Conflict<Data>) => unknown | Promise<unknown>;
  /** How often a write is sent at most, the first time included. The client's by default. */
  attempts?: number;
}

export interface VersionedClientOptions {
  /** Sends the requests; the platform's own by default. */
  fetch?: typeof fetch;
  /** How often a write is sent at most, the first time included: 5 by default. */
  attempts?: number;
  /** How many addresses are remembered: 100 by default. The least recently used one goes first. */
  size?: number;
  /**
   * The cookie that holds Django's CSRF token, which writes to the page's own origin send as
   * X-CSRFToken: "csrftoken" by default, null for none.
   */
  csrfCookie?: string | null;
}

/**
 * Remembers, for each address, the tag and the content of the last answer.
 *
 * A write names the state of that answer. Where a person edits, let nothing else read the same
 * address through the same client: give each editor a client of its own, or send If-Match.
 *
 * An address is the URL that is asked for, not the one to which it redirects. An answer that
 * arrives late does not replace what a later request has brought.
 */
export class VersionedClient {
  constructor(options?: VersionedClientOptions);

  /**
   * As fetch() does, with preconditions. If init.headers names one, no other is added to the
   * request, and a 304 is returned as it is.
   *
   * - GET and HEAD send If-None-Match where content for the same Accept and Accept-Language is
   *   remembered, unless init.cache or Range is given. A 304 becomes the 200 that is remembered. The tag
   *   and the content of a 200 to a GET are remembered; with "Cache-Control: no-store", the tag.
   * - PUT, PATCH and DELETE send If-Match where a tag is remembered. The tag of the answer takes
   *   its place; without a tag, and after a DELETE, the address is forgotten.
   * - After a 412 the stale tag stays until a GET brings another: a write that is sent again is
   *   refused again. With a merge function, the resource is read again, and what the function
   *   returns is sent with the new tag. If it cannot be read as JSON, the 412 is the answer.
   * - POST sends nothing by itself and is not remembered. For an action on a resource, name the
   *   state: `headers: {"If-Match": client.etag("/users/7/")}`.
   *
   * It resolves when content that is to be remembered has arrived as a whole.
   */
  fetch<Data = any>(url: string | URL, init?: VersionedInit<Data>): Promise<Response>;

  /** The tag that a write of this address would name. */
  etag(url: string | URL): string | undefined;

  /** Name the state that a page was rendered with, as in data-etag="{% etag page %}". */
  remember(url: string | URL, etag: string): void;

  /**
   * Forget one address, or all of them: when somebody logs out. What is on its way is not
   * remembered either.
   */
  forget(url?: string | URL): void;
}

/** fetch() of one client for the whole page. On a server, give each user a client instead. */
export function versionedFetch<Data = any>(
  url: string | URL,
  init?: VersionedInit<Data>,
): Promise<Response>;

/** The result of mergeFields(). */
export interface Merge<Data = any> {
  /** To be sent: each field of mine, with the value of theirs where only they changed it. */
  merged: Data;
  /** The names of the fields that both changed, to different values; merged has mine. */
  conflicts: string[];
}

/**
 * Merge two objects field by field, by what was there before both. Without a base, each field
 * that differs is a conflict.
 *
 * @throws TypeError if mine or theirs is no object, as when a write has sent a body, and no json.
 */
export function mergeFields<Data = any>(
  conflict: Pick<Conflict<Data>, "base" | "mine" | "theirs">,
): Merge<Data>;
