// The modules of the documentation, which are in the folder BLOCKS.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { MutationObserver, QueryClient, QueryObserver } from "@tanstack/query-core";
import axios from "axios";

import { newUser, somebodyElse, stored } from "./server.js";

// As in a page of the server.
globalThis.location = new URL(`${process.env.SERVER}/`);
globalThis.document = { baseURI: location.href, cookie: "" };
axios.defaults.baseURL = process.env.SERVER;

const block = (name) => import(pathToFileURL(`${process.env.BLOCKS}/${name}`));
const { client, moveUser, readUser } = await block("client.js");
const { Editor } = await block("editor.js");
const { logOut, rememberForm } = await block("page.js");
const { api } = await block("api.js");
const { userMutation, userQuery } = await block("queries.js");

const idOf = (address) => Number(address.split("/").at(-2));

test("client.js: what is read again is a 304, and what was read can be written", async () => {
  const address = await newUser({ desk: "A1" });
  assert.equal((await readUser(idOf(address))).desk, "A1");
  assert.equal((await readUser(idOf(address))).desk, "A1");
  assert.equal((await moveUser(idOf(address), "B2")).status, 200);
  assert.equal((await readUser(idOf(address))).desk, "B2");
  await somebodyElse("PATCH", address, { desk: "C3" });
  assert.equal((await moveUser(idOf(address), "D4")).status, 412);
});

test("editor.js: asks only about what both changed", async () => {
  const address = await newUser({ desk: "A1", leave_days: 20 });
  const editor = new Editor(address);
  assert.equal((await editor.open()).desk, "A1");
  await somebodyElse("PATCH", address, { leave_days: 25 });
  const nothing = () => assert.fail("a decision was asked for");
  assert.equal((await editor.save({ desk: "B2" }, nothing)).status, 200);

  await somebodyElse("PATCH", address, { desk: "C3" });
  assert.equal((await editor.save({ desk: "D4" }, () => undefined)).status, 412);
  await somebodyElse("PATCH", address, { desk: "E5" });
  const decide = (conflicts, { theirs }, merged) => {
    assert.deepEqual(conflicts, ["desk"]);
    return { desk: `${theirs.desk} and ${merged.desk}` };
  };
  assert.equal((await editor.save({ desk: "F6" }, decide)).status, 200);
  const { desk, leave_days } = await stored(address);
  assert.deepEqual([desk, leave_days], ["E5 and F6", 25]);
});

test("page.js: a form names its state, until somebody logs out", async () => {
  const address = await newUser();
  const { pathname } = new URL(address);
  const etag = (await fetch(address)).headers.get("ETag");
  rememberForm({ dataset: { url: pathname, etag } });
  assert.equal((await moveUser(idOf(address), "B2")).status, 200);
  await logOut("/api/users/");
  assert.equal(client.etag(address), undefined);
});

test("api.js: axios sends the tag that it has read, and neither a 412 nor a HEAD brings another", async () => {
  const address = await newUser({ desk: "A1" });
  const { pathname } = new URL(address);
  const write = async (desk, headers) =>
    (await api.patch(pathname, { desk }, { headers, validateStatus: () => true })).status;
  const writeOrFail = (desk) => api.patch(pathname, { desk });

  assert.equal(await write("B2"), 428);
  await api.get(pathname);
  assert.equal(await write("B2"), 200);
  assert.equal(await write("C3"), 200);
  await somebodyElse("PATCH", address, { desk: "D4" });
  await assert.rejects(writeOrFail("E5"), ({ response }) => response.status === 412);
  assert.equal(await write("E5"), 412);
  await api.head(pathname);
  assert.equal(await write("E5"), 412);
  assert.equal(await write("E5", { "If-Match": "*" }), 200);
  assert.equal((await stored(address)).desk, "E5");
});

test("queries.js: a mutation names the state that is shown, and a 412 fetches it again", async () => {
  const address = await newUser({ desk: "A1" });
  const queryClient = new QueryClient();
  const query = new QueryObserver(queryClient, userQuery(idOf(address)));
  const unsubscribe = query.subscribe(() => {});
  const shown = () => query.getCurrentResult().data;
  await query.refetch();
  const mutation = new MutationObserver(queryClient, userMutation(queryClient, idOf(address)));
  const write = (desk, { etag }) => mutation.mutate({ changes: { desk }, etag });

  await write("B2", shown());
  assert.equal(shown().user.desk, "B2");
  await somebodyElse("PATCH", address, { desk: "C3" });
  await assert.rejects(write("D4", shown()), ({ response }) => response.status === 412);
  assert.equal(shown().user.desk, "C3");
  await write("D4", shown());
  assert.equal((await stored(address)).desk, "D4");

  unsubscribe();
  queryClient.clear();
});

test("cors.js: a write names the tag that another origin has exposed", async (context) => {
  const answers = [
    Response.json({ title: "One" }, { headers: { ETag: '"page-1-v1"' } }),
    Response.json({ reason: "stale", current_etag: '"page-1-v2"' }, { status: 412 }),
  ];
  const send = context.mock.method(globalThis, "fetch", async () => answers.shift());
  await block("cors.js");
  const [, [address, { method, headers }]] = send.mock.calls.map((call) => call.arguments);
  assert.equal(`${method} ${address}`, "PUT https://api.example.com/pages/1/");
  assert.equal(headers["If-Match"], '"page-1-v1"');
});
