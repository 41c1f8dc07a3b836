import assert from "node:assert/strict";
import { test } from "node:test";

import { VersionedClient } from "django-etag-versioning";

import { newUser, recorder, somebodyElse, stored } from "./server.js";

test("a write names the state that was read, and remembers the one that it made", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  const etag = (await client.fetch(address)).headers.get("ETag");

  const written = await client.fetch(address, { method: "PATCH", json: { desk: "B2" } });
  const again = await client.fetch(address, { method: "PATCH", json: { desk: "C3" } });

  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal(requests[1].headers.get("If-Match"), etag);
  assert.equal(requests[2].headers.get("If-Match"), written.headers.get("ETag"));
  assert.equal(client.etag(address), again.headers.get("ETag"));
  assert.equal((await stored(address)).desk, "C3");
});

test("a PUT sends its JSON as such, unless the caller names another type", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  const user = await (await client.fetch(address)).json();
  const headers = { "Content-Type": "text/plain" };

  const refused = await client.fetch(address, { method: "PUT", json: user, headers });
  const written = await client.fetch(address, { method: "PUT", json: { ...user, desk: "B2" } });

  assert.equal(refused.status, 415);
  assert.equal(written.status, 200);
  assert.equal((await stored(address)).desk, "B2");
});

test("the method may be written in small letters, PATCH too", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  await client.fetch(address, { method: "get" });
  const response = await client.fetch(address, { method: "patch", json: { desk: "B2" } });
  assert.equal(response.status, 200);
});

test("the content of a write is not fetched again", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await client.fetch(address, { method: "PATCH", json: { desk: "B2" } });

  const response = await client.fetch(address);

  assert.equal(requests[2].status, 304);
  assert.equal((await response.json()).desk, "B2");
});

test("the content of an answer that is about something else is not kept", async () => {
  for (const location of [undefined, "/receipts/5", "http://"]) {
    const requests = [];
    const client = new VersionedClient({
      async fetch(_, { headers }) {
        requests.push(headers);
        const named = location && { "Content-Location": location };
        return new Response("{}", { headers: { ETag: `"${requests.length}"`, ...named } });
      },
    });
    await client.fetch("http://server/1", { method: "PUT" });
    assert.equal(client.etag("http://server/1"), '"1"');
    await client.fetch("http://server/1");
    assert.equal(requests[1].get("If-None-Match"), null, location);
  }
});

test("an answer without content is not taken for an empty representation", async () => {
  const headers = { ETag: '"1"', "Content-Location": "/1" };
  const answers = [new Response(null, { status: 204, headers }), new Response("{}", { headers })];
  const sent = [];
  const client = new VersionedClient({
    async fetch(_, request) {
      sent.push(request.headers);
      return answers.shift();
    },
  });
  await client.fetch("http://server/1", { method: "PUT" });
  assert.equal(client.etag("http://server/1"), '"1"');
  await client.fetch("http://server/1");
  assert.equal(sent[1].get("If-None-Match"), null);
});

test("a write without a remembered tag is 428", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  const response = await client.fetch(address, { method: "PATCH", json: { desk: "B2" } });
  assert.equal(response.status, 428);
});

test("a stale write is 412, and 412 again until somebody reads what is there now", async () => {
  const address = await newUser({ desk: "A1" });
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });
  const write = () => client.fetch(address, { method: "PATCH", json: { desk: "C3" } });

  assert.equal((await (await write()).json()).reason, "stale");
  await write();
  assert.equal((await stored(address)).desk, "B2");
  await client.fetch(address);
  await write();

  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 412, 412, 200, 200],
  );
});

test("another error leaves the tag", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  const etag = (await client.fetch(address)).headers.get("ETag");
  const response = await client.fetch(address, { method: "PATCH", json: { leave_days: -1 } });
  assert.equal(response.status, 400);
  assert.equal(client.etag(address), etag);
});

test("DELETE names the state, and is forgotten", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  await client.fetch(address);
  const response = await client.fetch(address, { method: "DELETE" });
  assert.equal(response.status, 204);
  assert.equal(client.etag(address), undefined);
  assert.equal((await client.fetch(address)).status, 404);
});

test("what an answer to DELETE says of the resource is not remembered", async () => {
  const requests = [];
  const client = new VersionedClient({
    async fetch(_, { headers }) {
      requests.push(headers);
      return new Response("{}", { headers: { ETag: '"1"', "Content-Location": "/1" } });
    },
  });
  await client.fetch("http://server/1", { method: "DELETE" });
  assert.equal(client.etag("http://server/1"), undefined);
  await client.fetch("http://server/1");
  assert.equal(requests[1].get("If-None-Match"), null);
});

test("a stale DELETE is 412, and deletes nothing", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });
  assert.equal((await client.fetch(address, { method: "DELETE" })).status, 412);
  assert.equal((await stored(address)).desk, "B2");
});

test("a success without a tag is forgotten", async () => {
  const client = new VersionedClient({ fetch: async () => new Response("{}") });
  client.remember("http://server/1", '"1"');
  await client.fetch("http://server/1", { method: "PUT" });
  assert.equal(client.etag("http://server/1"), undefined);
});

test("preconditions of the caller's own are sent as they are, and none is added", async () => {
  const named = {
    "If-Match": '"mine"',
    "If-None-Match": "*",
    "If-Unmodified-Since": "Thu, 01 Jan 2026 00:00:00 GMT",
  };
  for (const [name, value] of Object.entries(named)) {
    let sent;
    const client = new VersionedClient({
      async fetch(_, { headers }) {
        sent = [...headers].filter(([header]) => header.startsWith("if-"));
        return new Response("", { status: 412 });
      },
    });
    client.remember("http://server/1", '"1"');
    await client.fetch("http://server/1", { method: "PUT", headers: { [name]: value } });
    assert.deepEqual(sent, [[name.toLowerCase(), value]]);
    assert.equal(client.etag("http://server/1"), '"1"', "a 412 of another state");
  }
});

test("a weak tag is sent as it came, and guards a write", async () => {
  const address = await newUser();
  const weakening = async (url, request) => {
    const response = await fetch(url, request);
    const headers = new Headers(response.headers);
    headers.set("ETag", `W/${headers.get("ETag")}`);
    return new Response(await response.text(), { status: response.status, headers });
  };
  const client = new VersionedClient({ fetch: weakening });
  await client.fetch(address);
  assert.match(client.etag(address), /^W\/"user-/);
  const write = () => client.fetch(address, { method: "PATCH", json: { desk: "B2" } });
  assert.equal((await write()).status, 200);
  await somebodyElse("PATCH", address, { desk: "C3" });
  assert.equal((await write()).status, 412);
});

test("POST names no state by itself: a list to which others add may change", async () => {
  const list = `${process.env.SERVER}/api/users/`;
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  const etag = (await client.fetch(list)).headers.get("ETag");
  await client.fetch(list, { method: "POST", json: {} });
  assert.equal(requests[1].headers.get("If-Match"), null);
  assert.equal(client.etag(list), etag);
});

test("remember() names the state of a page", async () => {
  const address = await newUser();
  const etag = (await fetch(address)).headers.get("ETag");
  const client = new VersionedClient();
  client.remember(address, etag);
  const response = await client.fetch(address, { method: "PATCH", json: { desk: "B2" } });
  assert.equal(response.status, 200);
});

test("remember() keeps the content that has the tag, and no other", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  const etag = (await client.fetch(address)).headers.get("ETag");
  client.remember(address, etag);
  await client.fetch(address);
  client.remember(address, '"another"');
  await client.fetch(address);
  assert.deepEqual(
    requests.map(({ status }) => status),
    [200, 304, 200],
  );
});

test("forget() forgets one address, or all", async () => {
  const client = new VersionedClient();
  for (const name of ["a", "b", "c"]) client.remember(`http://server/${name}`, '"1"');
  const remembered = () => ["a", "b", "c"].map((name) => client.etag(`http://server/${name}`));
  client.forget("http://server/a");
  assert.deepEqual(remembered(), [undefined, '"1"', '"1"']);
  client.forget();
  assert.deepEqual(remembered(), [undefined, undefined, undefined]);
});
