// The life of tickets, calls and turns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate } from "../dist/core.js";
import { ANSWER, guest, RING } from "./guest.mjs";
import { relay } from "./relay.mjs";

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A promise and how to settle it. */
const deferred = () => {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  return d;
};

/** A guest that tells `note` each time it is turned. */
const NOTE = `(import "host" "note" (func $note (param i32 i32)))`;
const NOTE_ENTRY = { name: "note", async: false, params: { what: "i32", n: "i32" } };

test("the life of a wake", async () => {
  const trace = [];
  const wasm = relay({
    params: { x: "string" },
    result: "string",
    imports: NOTE,
    entries: [NOTE_ENTRY],
    turn: `
      (call $note (i32.const 1) (local.get $n))
      (call $note (i32.const 2) (i32.load (i32.const ${RING})))
      (call $note (i32.const 3) (i32.load offset=4 (i32.const ${RING})))
      (call $note (i32.const 4) (i32.load offset=12 (i32.const ${RING})))
      (call $reply (i32.load (i32.const ${RING})) (i32.const 2)
        (i32.load offset=8 (i32.const ${RING})) (i32.load offset=12 (i32.const ${RING})) (f64.const 0))
      (call $note (i32.const 5) (i32.const 0))
      (f64.const -1)`,
  });
  const names = ["", "turn", "ticket", "tag", "len", "turned"];
  const answer = deferred();
  const { exports } = await instantiate(wasm, {
    host: {
      note: (what, n) => trace.push(`guest: ${names[what]} ${n}`),
      f(x) {
        trace.push(`host: f("${x}")`);
        return answer.promise;
      },
    },
  });
  trace.push("js: calls");
  const result = exports.f("hi").then((value) => trace.push(`js: has "${value}"`));
  trace.push("js: waits");
  await tick();
  trace.push("js: settles");
  answer.resolve("ho");
  trace.push("js: has settled");
  await result;
  assert.deepEqual(trace, [
    "js: calls",
    'host: f("hi")',
    "js: waits",
    "js: settles",
    "js: has settled",
    "guest: turn 1",
    "guest: ticket 1",
    "guest: tag 2",
    "guest: len 2",
    "guest: turned 0",
    'js: has "ho"',
  ]);
});

test("one ticket in flight turns at once; many settled together share a turn", async () => {
  const waiting = [];
  const f = (x) => new Promise((resolve) => waiting.push(() => resolve(x)));
  const wasm = relay({ params: { x: "f64" }, result: "f64" });
  const module = await WebAssembly.compile(wasm);
  const { exports } = await instantiate(module, { host: { f } });
  const results = Array.from({ length: 100 }, (_, i) => exports.f(i));
  for (const settle of waiting) settle();
  assert.deepEqual(
    await Promise.all(results),
    results.map((_, i) => i),
  );
});

/** Counts turns and the records of each. */
const counting = (more) =>
  relay({
    params: { x: "f64" },
    result: "f64",
    imports: NOTE,
    entries: [NOTE_ENTRY],
    turn: `
      (local $i i32) (local $at i32)
      (call $note (i32.const 1) (local.get $n))
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $at (i32.add (i32.const ${RING}) (i32.mul (local.get $i) (i32.const 16))))
        (call $reply (i32.load (local.get $at)) (i32.const 1) (i32.const 0) (i32.const 0)
          (f64.load offset=8 (local.get $at)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (f64.const -1)`,
    ...more,
  });

for (const [name, capacity, together, turns] of [
  ["one alone", 1024, 1, [1]],
  ["ten together", 1024, 10, [10]],
  ["more than the ring holds", 4, 10, [4, 4, 2]],
  ["exactly what the ring holds", 4, 8, [4, 4]],
])
  test(`turns: ${name}`, async () => {
    const waiting = [];
    const seen = [];
    const { exports } = await instantiate(counting({ capacity }), {
      host: {
        note: (_, n) => seen.push(n),
        f: (x) => new Promise((resolve) => waiting.push(() => resolve(x))),
      },
    });
    const results = Array.from({ length: together }, (_, i) => exports.f(i));
    for (const settle of waiting) settle();
    assert.deepEqual(
      await Promise.all(results),
      results.map((_, i) => i),
    );
    assert.deepEqual(seen, turns);
  });

test("payloads that the arena cannot hold come from kippu_alloc", async () => {
  const waiting = [];
  const { exports } = await instantiate(relay({ params: { x: "string" }, result: "string" }), {
    host: { f: (x) => new Promise((resolve) => waiting.push(() => resolve(x))) },
  });
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(3000));
  const results = texts.map((text) => exports.f(text));
  for (const settle of waiting) settle();
  assert.deepEqual(await Promise.all(results), texts);
});

test("what waits in the ring is delivered before an export is entered", async () => {
  const seen = [];
  const waiting = [];
  const { exports } = await instantiate(counting({}), {
    host: {
      note: (_, n) => seen.push(`turn ${n}`),
      f: (x) => {
        seen.push(`f ${x}`);
        return new Promise((resolve) => waiting.push(() => resolve(x)));
      },
    },
  });
  const first = exports.f(1);
  const second = exports.f(2);
  waiting[0]();
  // The first completion now waits for the microtask checkpoint.
  let third;
  await Promise.resolve().then(() => {
    third = exports.f(3);
  });
  waiting[1]();
  waiting[2]();
  await Promise.all([first, second, third]);
  assert.deepEqual(seen.slice(0, 4), ["f 1", "f 2", "turn 1", "f 3"]);
});

test("schedule_turn turns the guest at the microtask checkpoint, once", async () => {
  const seen = [];
  const wasm = guest({
    imports: `${NOTE} (import "kippu" "schedule_turn" (func $schedule))`,
    turn: `(call $note (i32.const 1) (local.get $n)) (f64.const -1)`,
    body: `(func (export "kippu_export:go") (result i32)
      (call $schedule) (call $schedule)
      (i32.store (i32.const ${ANSWER + 4}) (i32.const 0)) (i32.const 1))`,
    entries: [NOTE_ENTRY, { kind: 1, name: "go", async: false }],
  });
  const { exports } = await instantiate(wasm, { host: { note: (_, n) => seen.push(`turn ${n}`) } });
  assert.equal(exports.go(), undefined);
  seen.push("returned");
  await Promise.resolve();
  seen.push("after one microtask");
  await tick();
  assert.deepEqual(seen, ["returned", "turn 0", "after one microtask"]);
});

/** A guest whose turns give the numbers of `results` one after the other, then -1. */
const turning = (results) =>
  guest({
    imports: `${NOTE} (import "kippu" "schedule_turn" (func $schedule))`,
    turn: `
      (global.set $i (i32.add (global.get $i) (i32.const 1)))
      (call $note (global.get $i) (local.get $n))
      ${results.map((r, i) => `(if (i32.eq (global.get $i) (i32.const ${i + 1})) (then (return (f64.const ${r}))))`).join("\n")}
      (f64.const -1)`,
    body: `(global $i (mut i32) (i32.const 0))
      (func (export "kippu_export:go") (result i32)
        (call $schedule) (i32.store (i32.const ${ANSWER + 4}) (i32.const 0)) (i32.const 1))`,
    entries: [NOTE_ENTRY, { kind: 1, name: "go", async: false }],
  });

test("tasks that are left over go on in a macrotask each", async () => {
  const seen = [];
  const { exports } = await instantiate(turning([-2, -2]), {
    host: { note: (i) => seen.push(`turn ${i}`) },
  });
  exports.go();
  const other = () => seen.push("somebody else");
  setImmediate(other);
  await tick();
  await tick();
  await tick();
  await tick();
  assert.equal(seen.filter((s) => s.startsWith("turn")).length, 3);
  assert.ok(seen.indexOf("somebody else") < seen.indexOf("turn 3"), seen.join());
});

test("a deadline turns the guest, not before its time", async () => {
  const times = [];
  const { exports } = await instantiate(turning([40.3]), {
    host: { note: () => times.push(performance.now()) },
  });
  exports.go();
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(times.length, 2);
  assert.ok(times[1] - times[0] >= 39, `${times[1] - times[0]} ms`);
});

test("a timer is re-armed only for an earlier deadline and cleared without one", async (t) => {
  const armed = [];
  let cleared = 0;
  const { setTimeout, clearTimeout } = globalThis;
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  globalThis.setTimeout = (f, ms) => {
    armed.push(ms);
    return setTimeout(f, ms);
  };
  globalThis.clearTimeout = (timer) => {
    cleared++;
    clearTimeout(timer);
  };
  const { exports } = await instantiate(turning([1000, 2000, 500.2, 500.1, -1, 1e12]), {
    host: { note() {} },
  });
  for (let i = 0; i < 6; i++) {
    exports.go();
    await Promise.resolve();
    await Promise.resolve();
  }
  assert.deepEqual(armed, [1000, 501, 2 ** 31 - 1]);
  assert.equal(cleared, 2);
  exports.go();
  await tick();
  assert.equal(cleared, 3);
});

test("exports may be called by the host function that they run", async () => {
  const wasm = relay({ params: { x: "f64" }, result: "f64", hostAsync: false });
  const { exports } = await instantiate(wasm, {
    host: { f: (x) => (x > 0 ? x + exports.f(x - 1) : 0) },
  });
  assert.equal(exports.f(10), 55);
});

test("calls of an async export do not mix", async () => {
  const wasm = relay({ params: { x: "f64" }, result: "f64" });
  const { exports } = await instantiate(wasm, {
    host: { f: (x) => new Promise((resolve) => setTimeout(() => resolve(x), (x * 7) % 10)) },
  });
  for (let round = 0; round < 3; round++) {
    const results = Array.from({ length: 50 }, (_, i) => exports.f(i));
    assert.deepEqual(
      await Promise.all(results),
      results.map((_, i) => i),
    );
  }
});

const CANCEL = `(import "kippu" "cancel" (func $cancel (param i32)))`;
const DROP = `(func (export "kippu_export:drop") (param $ticket i32) (result i32)
  (call $cancel (local.get $ticket))
  (i32.store (i32.const ${ANSWER + 4}) (i32.const 0)) (i32.const 1))`;
const DROP_ENTRY = { kind: 1, name: "drop", async: false, params: { ticket: "i32" } };

test("dropping a future aborts the signal and completes the ticket with nothing", async () => {
  const wasm = relay({
    params: { x: "f64" },
    result: "f64",
    imports: CANCEL,
    body: DROP,
    entries: [DROP_ENTRY],
  });
  const contexts = [];
  const work = deferred();
  const { exports } = await instantiate(wasm, {
    host: {
      f(x, context) {
        contexts.push(context);
        return x ? work.promise : 1;
      },
    },
  });
  const result = exports.f(5);
  const { signal } = contexts[0];
  assert.equal(signal.aborted, false);
  exports.drop(1);
  assert.equal(signal.aborted, true);
  assert.equal(contexts[0].signal, signal);
  work.resolve(99);
  assert.equal(await result, undefined, "the guest got UNIT");
  assert.equal(await exports.f(0), 1, "the instance goes on");
});

test("a signal that is asked for after the drop is aborted", async () => {
  const wasm = relay({ imports: CANCEL, body: DROP, entries: [DROP_ENTRY] });
  let context;
  const work = deferred();
  const { exports } = await instantiate(wasm, {
    host: {
      f(c) {
        context = c;
        return work.promise;
      },
    },
  });
  const result = exports.f();
  exports.drop(1);
  assert.equal(context.signal.aborted, true);
  work.reject(new Error("aborted"));
  assert.equal(await result, undefined);
});

test("a context is given only to a function that has a parameter for it", async () => {
  const seen = [];
  const wasm = relay({ params: { x: "f64" } });
  for (const f of [
    (...args) => seen.push(args.length),
    (x) => seen.push(x === 1 && 1),
    (_x, c) => seen.push(Object.keys(c)),
  ]) {
    const { exports } = await instantiate(wasm, { host: { f } });
    await exports.f(1);
  }
  assert.deepEqual(seen, [1, 1, ["signal"]]);
});

/** A program: `main` is WAT. */
const program = (name, main, more = {}) =>
  guest({
    imports: `(import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
      (import "kippu" "schedule_turn" (func $schedule))`,
    body: `(func (export "${name}") ${name === "main" ? "(param i32 i32)" : ""} (result i32) ${main})`,
    ...more,
  });

test("start gives the exit code, however it comes", async () => {
  const reply = (code) =>
    `(call $reply (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const ${code}))`;
  for (const [wasm, code] of [
    [
      program(
        "kippu_start",
        `(i32.store (i32.const ${ANSWER + 4}) (i32.const 1))
         (f64.store (i32.const ${ANSWER + 8}) (f64.const 3)) (i32.const 1)`,
      ),
      3,
    ],
    [program("kippu_start", `${reply(4)} (i32.const 0)`), 4],
    [program("main", `${reply(5)} (i32.const 77)`), 5],
    [program("main", `(call $schedule) (i32.const 1)`, { turn: `${reply(6)} (f64.const -1)` }), 6],
  ]) {
    const instance = await instantiate(wasm);
    assert.equal(await instance.start(), code);
  }
});

test("start of a library is an error", async () => {
  const instance = await instantiate(guest());
  await assert.rejects(instance.start(), { code: "KIPPU_NO_MAIN" });
});

test("200,000 awaits leave nothing behind", async () => {
  assert.ok(globalThis.gc, "run with --expose-gc");
  const wasm = relay({ params: { x: "string" }, result: "f64" });
  const { exports } = await instantiate(wasm, {
    host: { f: async (x, { signal }) => x.length + +signal.aborted },
  });
  const run = async (n) => {
    for (let i = 0; i < n; i++) assert.equal(await exports.f("some text"), 9);
    await tick();
    globalThis.gc();
    return process.memoryUsage().heapUsed;
  };
  // The engine's own bookkeeping of hot code comes to rest in the first run.
  const before = await run(100_000);
  const after = await run(200_000);
  // The smallest object has 12 bytes or more, so one that is left by each await is 2.4 MB.
  assert.ok(after - before < 2_000_000, `${after - before} bytes more`);
});
