import assert from "node:assert/strict";
import { test } from "node:test";

import { mergeFields } from "django-etag-versioning";

test("a field that only they changed is theirs", () => {
  const result = mergeFields({ base: { a: 1 }, mine: { a: 1 }, theirs: { a: 2 } });
  assert.deepEqual(result, { merged: { a: 2 }, conflicts: [] });
});

test("a field that only I changed is mine", () => {
  const result = mergeFields({ base: { a: 1 }, mine: { a: 3 }, theirs: { a: 1 } });
  assert.deepEqual(result, { merged: { a: 3 }, conflicts: [] });
});

test("a field that both changed to the same value is no conflict", () => {
  const result = mergeFields({ base: { a: 1 }, mine: { a: 2 }, theirs: { a: 2 } });
  assert.deepEqual(result, { merged: { a: 2 }, conflicts: [] });
});

test("a field that both changed to different values is mine, and a conflict", () => {
  const result = mergeFields({
    base: { a: 1, b: 1 },
    mine: { a: 3, b: 1 },
    theirs: { a: 2, b: 2 },
  });
  assert.deepEqual(result, { merged: { a: 3, b: 2 }, conflicts: ["a"] });
});

test("of a PATCH, the fields that it has are merged and no others", () => {
  const result = mergeFields({ base: { a: 1, b: 1 }, mine: { a: 2 }, theirs: { a: 1, b: 2 } });
  assert.deepEqual(result.merged, { a: 2 });
});

test("without a base, each field that differs is a conflict", () => {
  const result = mergeFields({ base: undefined, mine: { a: 1, b: 2 }, theirs: { a: 1, b: 3 } });
  assert.deepEqual(result, { merged: { a: 1, b: 2 }, conflicts: ["b"] });
});

test("a field that is never read, such as a password, is mine", () => {
  const result = mergeFields({ base: {}, mine: { password: "x" }, theirs: {} });
  assert.deepEqual(result, { merged: { password: "x" }, conflicts: [] });
});

test("a field with the name of a property of all objects is a field", () => {
  const mine = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const { merged, conflicts } = mergeFields({ base: {}, mine, theirs: {} });
  assert.equal(JSON.stringify(merged), '{"__proto__":1,"constructor":2}');
  assert.deepEqual(conflicts, []);
});

test("values are compared as JSON, to any depth", () => {
  const same = [
    [
      [1, { b: [2] }],
      [1, { b: [2] }],
    ],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [null, null],
    ["", ""],
  ];
  const different = [
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined }, { b: 1 }],
    [null, {}],
    [null, 0],
    ["1", 1],
    [[1], [1, 2]],
    [false, null],
  ];
  const conflicts = ([mine, theirs]) =>
    mergeFields({ base: undefined, mine: { mine }, theirs: { mine: theirs } }).conflicts;
  for (const pair of same) assert.deepEqual(conflicts(pair), [], JSON.stringify(pair));
  for (const pair of different) assert.deepEqual(conflicts(pair), ["mine"], JSON.stringify(pair));
});

test("what is no object has no fields to merge, and is not taken for an empty one", () => {
  for (const mine of [new FormData(), new URLSearchParams("a=1"), '{"a": 1}', [1], null]) {
    assert.throws(() => mergeFields({ base: {}, mine, theirs: {} }), TypeError);
    assert.throws(() => mergeFields({ base: {}, mine: {}, theirs: mine }), TypeError);
  }
});
