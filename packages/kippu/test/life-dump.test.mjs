// The list of a guest's tasks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { macrotask, open } from "./life.mjs";

/** Tasks by their names, without the places. */
const byName = (tasks) =>
  Object.fromEntries(tasks.map(({ name, state, waitsFor }) => [name, [state, waitsFor]]));

test("names each task, where it was spawned and what it waits for", async () => {
  const instance = await open();
  assert.deepEqual(instance.dump(), []);
  instance.exports.get_stuck();
  // Before their first turn.
  assert.ok(instance.dump().every(({ state }) => state === "runnable"));
  await macrotask();
  const tasks = instance.dump();
  const sleeper = tasks.find(({ name }) => name === "sleeper");
  const { sleeper: sleeping, ...others } = byName(tasks);
  assert.deepEqual(others, {
    joiner: ["waiting", `the task spawned at ${sleeper.location}`],
    asker: ["waiting", "ask"],
    receiver: ["waiting", "a wake"],
    "": ["waiting", "a wake"],
  });
  assert.equal(sleeping[0], "waiting");
  const [, ms] = sleeping[1].match(/^a timer, due in (\d+) ms$/);
  assert.ok(ms > 55_000 && ms <= 60_000, ms);
  const places = tasks.map(({ location }) => location);
  for (const place of places) assert.match(place, /test\/life\/src\/main\.rs:\d+:\d+$/);
  assert.equal(new Set(places).size, 5);
  // Newest first.
  assert.equal(tasks.at(-1).name, "sleeper");
  await instance.dispose();
});

test("names exports that are under way, and main", async () => {
  const never = () => new Promise(() => {});
  const numbers = () => ({ [Symbol.asyncIterator]: () => ({ next: never }) });
  const instance = await open({ ask: never, numbers });
  instance.exports.asked(0).catch(() => {});
  instance.exports.pulls(20).catch(() => {});
  instance.exports.count_twice(60_000).catch(() => {});
  instance.start().catch(() => {});
  await macrotask();
  const tasks = byName(instance.dump());
  assert.deepEqual(tasks.asked, ["waiting", "ask"]);
  assert.deepEqual(tasks.main, ["waiting", "ask"]);
  assert.deepEqual(tasks.pulls, ["waiting", "the next item of a stream"]);
  assert.match(tasks.count_twice[1], /^a timer, due in \d+ ms$/);
  await instance.dispose();
});

test("works while the guest runs", async () => {
  const seen = [];
  const instance = await open({
    call_back() {
      seen.push(instance.dump());
      // What the guest is in the middle of goes on.
      return undefined;
    },
  });
  instance.exports.call();
  assert.deepEqual(seen.pop(), []);
  await instance.exports.call_in_task();
  const { caller, call_in_task } = byName(seen.pop());
  assert.equal(caller[0], "running");
  assert.equal(call_in_task[0], "waiting");
  assert.match(call_in_task[1], /^the task spawned at .*main\.rs/);
  assert.deepEqual(instance.dump(), []);
});

test("of many tasks", async () => {
  const instance = await open({ ask: () => new Promise(() => {}) });
  const calls = Array.from({ length: 5_000 }, () => instance.exports.asked(0));
  const tasks = instance.dump();
  assert.equal(tasks.length, 5_000);
  assert.ok(tasks.every(({ name, waitsFor }) => name === "asked" && waitsFor === "ask"));
  const ends = Promise.allSettled(calls);
  await instance.restart();
  assert.deepEqual(instance.dump(), []);
  assert.equal((await ends).length, 5_000);
});
