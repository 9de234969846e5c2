// Completions that come while a macrotask is on its way, in which the guest will go on: pages
// paint first, so the guest is not turned for them, however many they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as macrotask } from "node:timers/promises";
import { instantiate } from "../dist/core.js";
import { ANSWER } from "./guest.mjs";
import { relay } from "./relay.mjs";

const CAPACITY = 4;

/** A guest whose first turn leaves something to do. */
const busy = (more) =>
  relay({
    result: "string",
    capacity: CAPACITY,
    next: "(select (f64.const -2) (f64.const -1) (i32.eq (global.get $turns) (i32.const 1)))",
    ...more,
  });

/** `count` calls that are answered, all together, with `answer(i)`. */
const flood = async (wasm, count, answer) => {
  const waiting = [];
  const f = () => new Promise((resolve) => waiting.push(resolve));
  const { exports } = await instantiate(wasm, { host: { f } });
  const settled = [];
  const calls = Array.from({ length: count }, async (_, i) => {
    try {
      return await exports.f();
    } finally {
      settled.push(i);
    }
  });
  waiting.forEach((resolve, i) => {
    resolve(answer(i));
  });
  for (let i = 0; i < 100; i++) await null;
  return { settled, calls };
};

const texts = (count) => Array.from({ length: count }, (_, i) => `answer ${i}`);

test("they wait, and are delivered in order", async () => {
  const count = 5 * CAPACITY + 1;
  const { settled, calls } = await flood(busy(), count, (i) => texts(count)[i]);
  // The first turn has taken what the ring holds; no other has followed.
  assert.deepEqual(settled, [0, 1, 2, 3]);
  await macrotask();
  assert.deepEqual(await Promise.all(calls), texts(count));
  assert.deepEqual(settled, [...calls.keys()]);
});

test("views that a host function gives may change meanwhile", async () => {
  const count = 3 * CAPACITY;
  const bytes = new Uint8Array([1, 2, 3]);
  const { calls } = await flood(busy({ result: "bytes" }), count, () => bytes);
  bytes.fill(9);
  for (const result of await Promise.all(calls)) assert.deepEqual([...result], [1, 2, 3]);
});

test("what the guest has no memory for arrives as an error, and the others arrive", async () => {
  const count = 5 * CAPACITY;
  // What is empty needs no memory. The last one meets a full ring, and more that wait for it.
  const answer = (i) => (i < count - 1 ? "" : "something");
  const { calls } = await flood(busy({ alloc: "(i32.const 0)" }), count, answer);
  const last = await calls.pop().then(assert.fail, (e) => e);
  assert.equal(last.code, "KIPPU_OOM");
  assert.deepEqual(await Promise.all(calls), Array(count - 1).fill(""));
});

test("the guest may drop them meanwhile, and use their tickets again", async () => {
  const count = 5 * CAPACITY;
  const drop = (name, ticket) => `(func (export "kippu_export:${name}") (result i32)
    (call $cancel (i32.const ${ticket}))
    (i32.store (i32.const ${ANSWER + 4}) (i32.const 0)) (i32.const 1))`;
  const wasm = busy({
    imports: `(import "kippu" "cancel" (func $cancel (param i32)))`,
    body: drop("drop_first", 2 * CAPACITY + 1) + drop("drop_last", count),
    entries: ["drop_first", "drop_last"].map((name) => ({ kind: 1, name, async: false })),
  });
  let waiting = [];
  const f = () => new Promise((resolve) => waiting.push(resolve));
  const { exports } = await instantiate(wasm, { host: { f } });
  for (const round of ["once", "again"]) {
    waiting = [];
    const calls = Array.from({ length: count }, () => exports.f());
    for (const resolve of waiting) resolve(round);
    if (round === "once") {
      for (let i = 0; i < 100; i++) await null;
      // Before it is entered the guest gets what is in the ring, which then holds what was late.
      exports.drop_first();
      exports.drop_last();
    }
    assert.deepEqual(await Promise.all(calls), Array(count).fill(round));
  }
});

test("an instance that is disposed of meanwhile rejects what waits", async () => {
  const waiting = [];
  const f = () => new Promise((resolve) => waiting.push(resolve));
  const instance = await instantiate(busy(), { host: { f } });
  const calls = Array.from({ length: 3 * CAPACITY }, () => instance.exports.f());
  for (const resolve of waiting) resolve("answer");
  for (let i = 0; i < 100; i++) await null;
  await instance.dispose();
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    calls.map((_, i) => (i < CAPACITY ? "fulfilled" : "rejected")),
  );
  await macrotask();
});
