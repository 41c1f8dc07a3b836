// What a page adds: relative addresses, and Django's CSRF token.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { VersionedClient, versionedFetch } from "django-etag-versioning";

const platform = globalThis.fetch;

function openPage({ href = "https://site/app/", cookie = "" } = {}) {
  globalThis.location = new URL(href);
  globalThis.document = { baseURI: href, cookie };
}

afterEach(() => {
  delete globalThis.location;
  delete globalThis.document;
  globalThis.fetch = platform;
});

/** A client, and what it has sent. */
function sending(options) {
  const sent = [];
  const fetch = async (url, request) => {
    sent.push({ ...request, url });
    return new Response("{}", { headers: { ETag: '"1"' } });
  };
  return { client: new VersionedClient({ fetch, ...options }), sent };
}

const tokens = (sent) => sent.map(({ headers }) => headers.get("X-CSRFToken"));

test("an address is relative to the page", async () => {
  openPage({ href: "https://site/app/" });
  const { client, sent } = sending();
  await client.fetch("users/7/");
  assert.equal(sent[0].url, "https://site/app/users/7/");
  assert.equal(client.etag("https://site/app/users/7/"), '"1"');
});

test("an address in a worker is relative to its script", async () => {
  globalThis.location = new URL("https://site/app/worker.js");
  const { client, sent } = sending();
  await client.fetch("users/7/");
  assert.equal(sent[0].url, "https://site/app/users/7/");
});

test("without a page, a relative address is a TypeError, as with fetch()", async () => {
  await assert.rejects(new VersionedClient().fetch("/users/7/"), TypeError);
});

test("writes to the page's own origin send Django's CSRF token, to no other origin even by a redirect", async () => {
  openPage({ cookie: "a=b; csrftoken=s%20ecret; c=d" });
  const { client, sent } = sending();
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    await client.fetch("/users/7/", { method, mode: "cors" });
  }
  assert.deepEqual(tokens(sent), Array(4).fill("s ecret"));
  assert.deepEqual(
    sent.map(({ mode }) => mode),
    Array(4).fill("same-origin"),
  );
});

test("reads and writes to other origins send no token", async () => {
  openPage({ cookie: "csrftoken=secret" });
  const { client, sent } = sending();
  for (const method of ["GET", "HEAD", "OPTIONS"]) await client.fetch("/users/7/", { method });
  for (const origin of ["https://other", "http://site", "https://site:8443"]) {
    await client.fetch(`${origin}/users/7/`, { method: "PUT" });
  }
  assert.deepEqual(tokens(sent), Array(6).fill(null));
  assert.deepEqual(
    sent.map(({ mode }) => mode),
    Array(6).fill(undefined),
  );
});

test("a token of the caller's own is sent as it is", async () => {
  openPage({ cookie: "csrftoken=secret" });
  const { client, sent } = sending();
  await client.fetch("/users/7/", { method: "PUT", headers: { "X-CSRFToken": "mine" } });
  assert.deepEqual(tokens(sent), ["mine"]);
});

test("the cookie can have another name, or none", async () => {
  openPage({ cookie: "xcsrftoken=no; csrftoken=secret; token=other; null=null" });
  for (const [csrfCookie, token] of [
    [undefined, "secret"],
    ["token", "other"],
    [null, null],
    ["absent", null],
  ]) {
    const { client, sent } = sending({ csrfCookie });
    await client.fetch("/users/7/", { method: "PUT" });
    assert.deepEqual(tokens(sent), [token]);
  }
});

test("the token is of the moment: Django renews it when somebody logs in", async () => {
  openPage({ cookie: "csrftoken=before" });
  const { client, sent } = sending();
  await client.fetch("/login/", { method: "POST" });
  document.cookie = "csrftoken=after";
  await client.fetch("/users/7/", { method: "PUT" });
  assert.deepEqual(tokens(sent), ["before", "after"]);
});

test("a tag that the server does not expose to the page is no tag", async () => {
  const { client } = sending({ fetch: async () => new Response("{}") });
  await client.fetch("https://other/users/7/");
  assert.equal(client.etag("https://other/users/7/"), undefined);
});

test("versionedFetch() remembers for the whole page, and calls the platform's fetch of the moment", async () => {
  openPage();
  const sent = [];
  globalThis.fetch = async (url, { headers }) => {
    sent.push(headers.get("If-Match"));
    return new Response("{}", { headers: { ETag: '"1"' } });
  };
  await versionedFetch("/users/7/");
  await versionedFetch("/users/7/", { method: "PUT" });
  assert.deepEqual(sent, [null, '"1"']);
});
