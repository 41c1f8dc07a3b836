import assert from "node:assert/strict";
import { test } from "node:test";

import { VersionedClient } from "django-etag-versioning";

import { newUser, recorder, somebodyElse } from "./server.js";

test("a second GET sends the tag, and its 304 becomes the 200 that is remembered", async () => {
  const address = await newUser({ desk: "A1" });
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });

  const first = await client.fetch(address);
  const second = await client.fetch(address);

  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 304],
  );
  assert.equal(requests[0].headers.get("If-None-Match"), null);
  assert.equal(requests[1].headers.get("If-None-Match"), first.headers.get("ETag"));
  assert.equal(second.status, 200);
  assert.equal(second.ok, true);
  assert.equal(second.statusText, "OK");
  assert.equal(second.url, address);
  assert.equal(second.type, first.type);
  assert.equal(second.headers.get("Content-Type"), "application/json");
  assert.deepEqual(await second.json(), await first.json());
});

test("what a 304 became can be read as often as it is asked for", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  for (const _ of Array(3)) {
    assert.equal((await (await client.fetch(address)).json()).desk, "A1");
  }
});

test("a GET after somebody else's write brings what is there now", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  const before = await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });

  const after = await client.fetch(address);

  assert.equal((await after.json()).desk, "B2");
  assert.equal(client.etag(address), after.headers.get("ETag"));
  assert.notEqual(client.etag(address), before.headers.get("ETag"));
});

test("a 304 updates the remembered headers, but neither its tag nor how the content was encoded", async () => {
  const answers = [
    new Response("{}", { headers: { ETag: '"1"', "Cache-Control": "max-age=1", "X-Kept": "yes" } }),
    new Response(null, {
      status: 304,
      headers: {
        ETag: '"2"',
        "Cache-Control": "max-age=2",
        "Content-Encoding": "gzip",
        "Content-Length": "0",
        "Content-Type": "text/html",
      },
    }),
  ];
  const client = new VersionedClient({ fetch: async () => answers.shift() });
  await client.fetch("http://server/1");

  const { headers } = await client.fetch("http://server/1");

  assert.equal(headers.get("Cache-Control"), "max-age=2");
  assert.equal(headers.get("X-Kept"), "yes");
  assert.equal(headers.get("ETag"), '"1"');
  assert.equal(headers.get("Content-Encoding"), null);
  assert.equal(headers.get("Content-Length"), null);
  assert.equal(headers.get("Content-Type"), "text/plain;charset=UTF-8");
  assert.equal(client.etag("http://server/1"), '"1"');
});

test("a GET that accepts another media type or language sends no tag", async () => {
  const address = await newUser();
  for (const name of ["Accept", "Accept-Language"]) {
    const { fetch, requests } = recorder();
    const client = new VersionedClient({ fetch });
    for (const value of ["*/*", "*/*;q=0.5", "*/*;q=0.5"]) {
      await client.fetch(address, { headers: { [name]: value } });
    }
    const sent = requests.map(({ headers }) => headers.has("If-None-Match"));
    assert.deepEqual(sent, [false, false, true]);
  }
});

test("a 304 to a precondition of the caller's own is the caller's to see", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  const etag = (await client.fetch(address)).headers.get("ETag");

  const response = await client.fetch(address, { headers: { "If-None-Match": etag } });

  assert.equal(response.status, 304);
});

test("a GET of a part of the content sends no tag", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await client.fetch(address, { headers: { Range: "bytes=0-4" } });
  assert.equal(requests[1].headers.get("If-None-Match"), null);
});

test("a GET with a cache mode of the caller's own sends no tag", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await client.fetch(address, { cache: "reload" });
  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 200],
  );
});

test("HEAD is answered from what is remembered, without content", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);

  const response = await client.fetch(address, { method: "HEAD" });

  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 304],
  );
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("Content-Type"), "application/json");
  assert.equal(await response.text(), "");
});

test("HEAD leaves the tag of what was read, since nobody has seen the new state", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  const etag = (await client.fetch(address)).headers.get("ETag");
  await somebodyElse("PATCH", address, { desk: "B2" });

  const response = await client.fetch(address, { method: "HEAD" });

  assert.notEqual(response.headers.get("ETag"), etag);
  assert.equal(client.etag(address), etag);
});

test("content that must not be stored is not kept, but its tag guards a write", async () => {
  const requests = [];
  const client = new VersionedClient({
    async fetch(_, { headers }) {
      requests.push(headers);
      return new Response("{}", { headers: { ETag: '"1"', "Cache-Control": "private, no-store" } });
    },
  });
  await client.fetch("http://server/1");
  await client.fetch("http://server/1");
  await client.fetch("http://server/1", { method: "PUT" });
  assert.equal(requests[1].get("If-None-Match"), null);
  assert.equal(requests[2].get("If-Match"), '"1"');
});

test("a 200 without a tag is forgotten", async () => {
  const answers = [new Response("{}", { headers: { ETag: '"1"' } }), new Response("{}")];
  const client = new VersionedClient({ fetch: async () => answers.shift() });
  await client.fetch("http://server/1");
  assert.equal(client.etag("http://server/1"), '"1"');
  await client.fetch("http://server/1");
  assert.equal(client.etag("http://server/1"), undefined);
});

test("an answer that is no 200 leaves what is remembered", async () => {
  const answers = [
    new Response("{}", { headers: { ETag: '"1"' } }),
    new Response("", { status: 503, headers: { ETag: '"error"' } }),
  ];
  const client = new VersionedClient({ fetch: async () => answers.shift() });
  await client.fetch("http://server/1");
  await client.fetch("http://server/1");
  assert.equal(client.etag("http://server/1"), '"1"');
});

test("the address that was used least recently is forgotten first", async () => {
  const fetch = async () => new Response("{}", { headers: { ETag: '"1"' } });
  const client = new VersionedClient({ fetch, size: 2 });
  for (const name of ["a", "b", "a", "c"]) await client.fetch(`http://server/${name}`);
  const remembered = ["a", "b", "c"].map((name) => client.etag(`http://server/${name}`));
  assert.deepEqual(remembered, ['"1"', undefined, '"1"']);
});

test("an address is what was asked for, without its fragment and before a redirect", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  const short = address.slice(0, -1); // Django appends the slash.

  const response = await client.fetch(`${short}#desk`);

  assert.equal(response.url, address);
  assert.equal(client.etag(short), response.headers.get("ETag"));
  assert.equal(client.etag(address), undefined);
  const again = await client.fetch(new URL(short));
  assert.equal(requests[1].status, 304);
  assert.equal(again.url, address);
  assert.equal(again.redirected, true);
});
