// Answers that arrive in another order than their requests were sent: what is remembered is never
// older than what a later request has brought.

import assert from "node:assert/strict";
import { test } from "node:test";

import { VersionedClient } from "django-etag-versioning";

const ADDRESS = "http://server/users/7/";

/** A client, and its requests, to be answered in any order. */
function openRequests() {
  const requests = [];
  const client = new VersionedClient({
    fetch: (_, { method, headers }) =>
      new Promise((resolve) => {
        const answer = (status, etag) =>
          resolve(
            new Response(status === 304 ? null : "{}", { status, headers: etag && { ETag: etag } }),
          );
        requests.push({ method, headers, answer });
      }),
  });
  return { client, requests };
}

/** Let everything run that an answer has set off. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

const write = { method: "PUT", json: {} };

test("of two GETs, the one that was sent later is remembered", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { client, requests } = openRequests();
    client.fetch(ADDRESS);
    client.fetch(ADDRESS);
    for (const number of order) {
      requests[number].answer(200, number ? '"later"' : '"earlier"');
      await settled();
    }
    assert.equal(client.etag(ADDRESS), '"later"');
  }
});

test("a GET that was sent before a write was answered does not replace what the write left", async () => {
  const { client, requests } = openRequests();
  client.remember(ADDRESS, '"1"');
  client.fetch(ADDRESS);
  client.fetch(ADDRESS, write);
  client.fetch(ADDRESS);
  requests[1].answer(200, '"2"');
  await settled();
  requests[0].answer(200, '"1"');
  requests[2].answer(200, '"1"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"2"');
});

test("nor does a 304 that arrives after the write", async () => {
  const { client, requests } = openRequests();
  client.fetch(ADDRESS);
  requests[0].answer(200, '"1"');
  await settled();
  const read = client.fetch(ADDRESS);
  client.fetch(ADDRESS, write);
  requests[2].answer(200, '"2"');
  await settled();
  requests[1].answer(304);
  assert.equal((await read).status, 200);
  assert.equal(client.etag(ADDRESS), '"2"');
});

test("nor does a GET bring back what was deleted", async () => {
  const { client, requests } = openRequests();
  client.remember(ADDRESS, '"1"');
  client.fetch(ADDRESS);
  client.fetch(ADDRESS, { method: "DELETE" });
  requests[1].answer(200);
  await settled();
  requests[0].answer(200, '"1"');
  await settled();
  assert.equal(client.etag(ADDRESS), undefined);
});

test("a write replaces what a GET has read before the write was done", async () => {
  const { client, requests } = openRequests();
  client.remember(ADDRESS, '"1"');
  client.fetch(ADDRESS, write);
  client.fetch(ADDRESS);
  requests[1].answer(200, '"1"');
  await settled();
  requests[0].answer(200, '"2"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"2"');
});

test("a write does not replace what a GET has read of a later write of somebody else", async () => {
  const { client, requests } = openRequests();
  client.remember(ADDRESS, '"1"');
  client.fetch(ADDRESS, write);
  client.fetch(ADDRESS);
  requests[1].answer(200, '"3"');
  await settled();
  requests[0].answer(200, '"2"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"3"');
});

test("of two writes of one state, the refused one does not forget what the other left", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { client, requests } = openRequests();
    client.remember(ADDRESS, '"1"');
    client.fetch(ADDRESS, write);
    client.fetch(ADDRESS, write);
    for (const number of order) {
      if (number) requests[1].answer(412, '"2"');
      else requests[0].answer(200, '"2"');
      await settled();
    }
    assert.equal(client.etag(ADDRESS), '"2"');
  }
});

test("the first of two writes does not replace the tag of the second", async () => {
  const { client, requests } = openRequests();
  client.remember(ADDRESS, '"1"');
  client.fetch(ADDRESS, write);
  client.fetch(ADDRESS);
  requests[1].answer(200, '"2"');
  await settled();
  client.fetch(ADDRESS, write);
  assert.equal(requests[2].headers.get("If-Match"), '"2"');
  requests[2].answer(200, '"3"');
  await settled();
  requests[0].answer(200, '"2"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"3"');
});

test("of two writes of any state, one that was sent before the other was answered is not remembered after it", async () => {
  const { client, requests } = openRequests();
  const overwrite = { ...write, headers: { "If-Match": "*" } };
  client.fetch(ADDRESS, overwrite);
  client.fetch(ADDRESS, overwrite);
  requests[1].answer(200, '"3"');
  await settled();
  requests[0].answer(200, '"2"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"3"');
});

test("what is on its way when somebody logs out is not remembered", async () => {
  for (const forget of [(client) => client.forget(), (client) => client.forget(ADDRESS)]) {
    const { client, requests } = openRequests();
    client.fetch(ADDRESS);
    client.fetch(ADDRESS, write);
    client.fetch(ADDRESS, { ...write, headers: { "If-Match": '"1"' } });
    forget(client);
    for (const { answer } of requests) answer(200, '"1"');
    await settled();
    assert.equal(client.etag(ADDRESS), undefined);
  }
});

test("what a page says replaces what was asked for before", async () => {
  const { client, requests } = openRequests();
  client.fetch(ADDRESS);
  client.remember(ADDRESS, '"2"');
  requests[0].answer(200, '"1"');
  await settled();
  assert.equal(client.etag(ADDRESS), '"2"');
});
