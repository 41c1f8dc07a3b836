import assert from "node:assert/strict";
import { test } from "node:test";

import { VersionedClient, mergeFields } from "django-etag-versioning";

import { newUser, recorder, somebodyElse, stored } from "./server.js";

/** What a merge was given, and a merge that keeps both. */
function keepingBoth() {
  const conflicts = [];
  const merge = (conflict) => {
    conflicts.push(conflict);
    return mergeFields(conflict).merged;
  };
  return { conflicts, merge };
}

test("after a 412 both changes are kept", async () => {
  const address = await newUser({ desk: "A1", leave_days: 20 });
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await somebodyElse("PATCH", address, { leave_days: 25 });
  const { conflicts, merge } = keepingBoth();

  const response = await client.fetch(address, { method: "PATCH", json: { desk: "B2" }, merge });

  assert.equal(response.status, 200);
  const { desk, leave_days } = await stored(address);
  assert.deepEqual([desk, leave_days], ["B2", 25]);
  assert.deepEqual(
    requests.map(({ method, status }) => [method, status]),
    [
      ["GET", 200],
      ["PATCH", 412],
      ["GET", 200],
      ["PATCH", 200],
    ],
  );
  const [{ base, mine, theirs, response: refusal }] = conflicts;
  assert.equal(base.leave_days, 20);
  assert.deepEqual(mine, { desk: "B2" });
  assert.equal(theirs.leave_days, 25);
  assert.equal((await refusal.json()).reason, "stale");
});

test("a PUT keeps both too, and read-only fields follow the server", async () => {
  const address = await newUser({ desk: "A1", leave_days: 20 });
  const client = new VersionedClient();
  const user = await (await client.fetch(address)).json();
  await somebodyElse("PATCH", address, { leave_days: 25 });

  const response = await client.fetch(address, {
    method: "PUT",
    json: { ...user, desk: "B2" },
    merge(conflict) {
      const { merged, conflicts } = mergeFields(conflict);
      assert.equal(merged.version, user.version + 1);
      return conflicts.length ? undefined : merged;
    },
  });

  assert.equal(response.status, 200);
  const { desk, leave_days } = await stored(address);
  assert.deepEqual([desk, leave_days], ["B2", 25]);
});

test("the resource is read again past all caches, without a tag", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await somebodyElse("PATCH", address, { leave_days: 25 });
  const { merge } = keepingBoth();
  const headers = { "Accept-Language": "de" };

  await client.fetch(address, { method: "PATCH", json: { desk: "B2" }, headers, merge });

  const { method, headers: sent, cache } = requests[2];
  assert.deepEqual([method, cache], ["GET", "reload"]);
  assert.deepEqual([...sent], [["accept-language", "de"]]);
});

test("undefined leaves the 412, which can still be read", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });

  const response = await client.fetch(address, {
    method: "PATCH",
    json: { desk: "C3" },
    async merge({ response }) {
      await response.json();
    },
  });

  assert.equal(response.status, 412);
  assert.equal((await response.json()).reason, "stale");
  assert.equal((await stored(address)).desk, "B2");
});

test("after undefined, the next write names what the merge was given", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });
  const patch = { method: "PATCH", json: { desk: "C3" } };
  await client.fetch(address, { ...patch, merge: () => undefined });

  assert.equal((await client.fetch(address, patch)).status, 200);
});

test("no more writes are sent than attempts, and each merge begins with the last one", async () => {
  const address = await newUser({ desk: "A1" });
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch });
  await client.fetch(address);
  await somebodyElse("PATCH", address, { leave_days: 0 });
  const conflicts = [];

  const response = await client.fetch(address, {
    method: "PATCH",
    json: { leave_days: 100 },
    attempts: 3,
    async merge(conflict) {
      conflicts.push(conflict);
      await somebodyElse("PATCH", address, { leave_days: conflicts.length });
      return { leave_days: conflict.mine.leave_days + 1 };
    },
  });

  assert.equal(response.status, 412);
  const writes = requests.filter(({ method }) => method === "PATCH");
  assert.deepEqual(
    writes.map(({ status }) => status),
    [412, 412, 412],
  );
  assert.equal(conflicts.length, 2);
  assert.equal(conflicts[1].base.leave_days, 0);
  assert.equal(conflicts[1].theirs.leave_days, 1);
  assert.deepEqual(conflicts[1].mine, { leave_days: 101 });
});

test("what a merge writes into theirs does not become the base of the next merge", async () => {
  const address = await newUser({ desk: "A1", leave_days: 20 });
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("PATCH", address, { leave_days: 25 });
  let merges = 0;

  await client.fetch(address, {
    method: "PATCH",
    json: { desk: "B2" },
    async merge(conflict) {
      if (++merges === 1) await somebodyElse("PATCH", address, { leave_days: 30 });
      return Object.assign(conflict.theirs, mergeFields(conflict).merged);
    },
  });

  const { desk, leave_days } = await stored(address);
  assert.deepEqual([desk, leave_days], ["B2", 30]);
});

test("the client's own attempts are the default", async () => {
  const address = await newUser();
  const { fetch, requests } = recorder();
  const client = new VersionedClient({ fetch, attempts: 1 });
  client.remember(address, '"stale"');
  const merge = () => assert.fail("merge was called");
  await client.fetch(address, { method: "PATCH", json: {}, merge });
  assert.deepEqual(
    requests.map(({ status }) => status),
    [412],
  );
});

test("the tag of a page is merged without a base: what differs is a conflict", async () => {
  const address = await newUser({ desk: "A1", leave_days: 20 });
  const client = new VersionedClient();
  client.remember(address, (await fetch(address)).headers.get("ETag"));
  await somebodyElse("PATCH", address, { leave_days: 25 });
  let seen;

  const response = await client.fetch(address, {
    method: "PATCH",
    json: { desk: "A1", leave_days: 20 },
    merge(conflict) {
      seen = conflict.base;
      assert.deepEqual(mergeFields(conflict).conflicts, ["leave_days"]);
    },
  });

  assert.equal(seen, undefined);
  assert.equal(response.status, 412);
});

test("an If-Match of the caller's own is the first write's", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  const etag = (await client.fetch(address)).headers.get("ETag");
  await somebodyElse("PATCH", address, { leave_days: 25 });
  await client.fetch(address);
  const { conflicts, merge } = keepingBoth();
  const headers = { "If-Match": etag };

  const init = { method: "PATCH", json: { desk: "B2" }, headers, merge };
  const response = await client.fetch(address, init);

  assert.equal(response.status, 200);
  assert.equal((await stored(address)).desk, "B2");
  assert.equal(conflicts[0].base, undefined, "what is remembered is of a later state");
});

test("an If-Match of the caller's own has a base if what is remembered has its tag", async () => {
  const address = await newUser({ leave_days: 20 });
  const client = new VersionedClient();
  const etag = (await client.fetch(address)).headers.get("ETag");
  await somebodyElse("PATCH", address, { leave_days: 25 });
  const { conflicts, merge } = keepingBoth();
  const headers = { "If-Match": etag };
  await client.fetch(address, { method: "PATCH", json: { desk: "B2" }, headers, merge });
  assert.equal(conflicts[0].base.leave_days, 20);
});

test("a row that is to be created and is there already can be merged", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  const { merge } = keepingBoth();
  const headers = { "If-None-Match": "*" };
  const init = { method: "PATCH", json: { desk: "B2" }, headers, merge };
  assert.equal((await client.fetch(address, init)).status, 200);
  assert.equal((await stored(address)).desk, "B2");
});

test("DELETE is sent again without content, if the merge says so", async () => {
  const address = await newUser({ desk: "A1" });
  const bodies = [];
  const recording = (url, request) => {
    if (request.method === "DELETE") bodies.push(request.body);
    return fetch(url, request);
  };
  const client = new VersionedClient({ fetch: recording });
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });
  const merge = ({ theirs }) => theirs.desk === "B2" || undefined;

  const response = await client.fetch(address, { method: "DELETE", merge });

  assert.equal(response.status, 204);
  assert.deepEqual(bodies, [undefined, undefined]);
});

test("where somebody else has deleted it, the answer is the server's", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("DELETE", address);
  const merge = () => assert.fail("merge was called");
  const response = await client.fetch(address, { method: "PATCH", json: {}, merge });
  assert.equal(response.status, 404);
});

test("where it cannot be read again, the 412 is the answer", async () => {
  for (const reading of [
    () => new Response("", { status: 404 }),
    () => new Response("", { status: 410 }),
    () => new Response("", { status: 403, headers: { ETag: '"2"' } }),
    () => new Response("{}"), // Without a tag, nothing could guard the next write.
    () => new Response("<h1>Log in</h1>", { headers: { ETag: '"2"' } }),
  ]) {
    const client = new VersionedClient({
      fetch: async (_, { method }) =>
        method === "GET" ? reading() : new Response("refused", { status: 412 }),
    });
    const merge = () => assert.fail("merge was called");
    const response = await client.fetch("http://server/1", { method: "PUT", json: {}, merge });
    assert.equal(response.status, 412);
    assert.equal(await response.text(), "refused");
  }
});

test("the write after a merge names what the merge was given, whatever happened meanwhile", async () => {
  const sent = [];
  const client = new VersionedClient({
    async fetch(_, { method, headers }) {
      if (method === "GET") return new Response("{}", { headers: { ETag: '"2"' } });
      sent.push(headers.get("If-Match"));
      return new Response("", { status: sent.length === 1 ? 412 : 200 });
    },
  });
  client.remember("http://server/1", '"1"');
  const merge = () => {
    client.remember("http://server/1", '"3"');
    return {};
  };
  await client.fetch("http://server/1", { method: "PUT", json: {}, merge });
  assert.deepEqual(sent, ['"1"', '"2"']);
});

test("a body of the caller's own is what a merge is given as mine", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  client.remember(address, '"stale"');
  const headers = { "Content-Type": "application/json" };
  const body = '{"desk": "B2"}';
  const merge = ({ mine }) => JSON.parse(mine);
  const response = await client.fetch(address, { method: "PATCH", body, headers, merge });
  assert.equal(response.status, 200);
  assert.equal((await stored(address)).desk, "B2");
});

test("the wait between attempts is random, and grows", async (t) => {
  const waits = [];
  t.mock.method(Math, "random", () => 0.5);
  t.mock.method(globalThis, "setTimeout", (resolve, delay) => {
    waits.push(delay);
    queueMicrotask(resolve);
  });
  const client = new VersionedClient({
    fetch: async (_, { method }) =>
      method === "GET"
        ? new Response("{}", { headers: { ETag: '"2"' } })
        : new Response("", { status: 412 }),
  });
  const init = { method: "PUT", json: {}, merge: () => ({}), attempts: 4 };
  await client.fetch("http://server/1", init);
  assert.deepEqual(waits, [25, 50, 75]);
});

test("an AbortSignal ends the wait between attempts, and a merge that waits for a person", async () => {
  for (const abortIn of ["wait", "merge"]) {
    const controller = new AbortController();
    const sent = [];
    const client = new VersionedClient({
      async fetch(_, { method }) {
        sent.push(method);
        if (method === "GET") return new Response("{}", { headers: { ETag: '"2"' } });
        // The client begins to wait when it has this answer.
        if (abortIn === "wait") setImmediate(() => controller.abort(new Error("enough")));
        return new Response("", { status: 412 });
      },
    });
    const merge = () => {
      controller.abort(new Error("enough"));
      return new Promise(() => {});
    };
    const { signal } = controller;
    const answer = client.fetch("http://server/1", { method: "PUT", json: {}, merge, signal });
    await assert.rejects(answer, /enough/);
    assert.deepEqual(sent, abortIn === "wait" ? ["PUT"] : ["PUT", "GET"]);
  }
});

test("an AbortSignal ends a request", async () => {
  const client = new VersionedClient();
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(client.fetch(await newUser(), { signal }), /enough/);
});

test("where a merge fails, the next write is refused too: nobody has seen what is there", async () => {
  const address = await newUser({ desk: "A1" });
  const client = new VersionedClient();
  await client.fetch(address);
  await somebodyElse("PATCH", address, { desk: "B2" });
  const patch = { method: "PATCH", json: { desk: "C3" } };
  const merge = () => {
    throw new Error("cannot merge");
  };
  await assert.rejects(client.fetch(address, { ...patch, merge }), /cannot merge/);

  assert.equal((await client.fetch(address, patch)).status, 412);
  assert.equal((await stored(address)).desk, "B2");
});

test("an error of the merge is the caller's", async () => {
  const address = await newUser();
  const client = new VersionedClient();
  client.remember(address, '"stale"');
  const merge = () => {
    throw new Error("cannot merge");
  };
  const answer = client.fetch(address, { method: "PATCH", json: {}, merge });
  await assert.rejects(answer, /cannot merge/);
});

test("of eight clients that each add one to a number, none is lost", async () => {
  const address = await newUser({ leave_days: 0 });
  const add = async () => {
    const client = new VersionedClient({ attempts: 50 });
    const { leave_days } = await (await client.fetch(address)).json();
    const response = await client.fetch(address, {
      method: "PATCH",
      json: { leave_days: leave_days + 1 },
      merge: ({ base, mine, theirs }) => ({
        leave_days: theirs.leave_days + mine.leave_days - base.leave_days,
      }),
    });
    return response.status;
  };

  const statuses = await Promise.all(Array.from({ length: 8 }, add));

  assert.deepEqual(statuses, Array(8).fill(200));
  assert.equal((await stored(address)).leave_days, 8);
});
