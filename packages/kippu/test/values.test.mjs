// Values of every type, there and back, and values that do not belong to their type.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate as instantiateCore } from "../dist/core.js";
import { instantiate } from "../dist/index.js";
import { ARENA_LEN } from "./guest.mjs";
import { relay } from "./relay.mjs";

const identity = (x) => x;
const later = async (x) => x;

const GOOD = {
  bool: [true, false],
  i8: [0, 127, -128],
  u8: [0, 255],
  i16: [32767, -32768],
  u16: [0, 65535],
  i32: [0, 2147483647, -2147483648],
  u32: [0, 1, 2147483648, 4294967295],
  f32: [0, 1.5, -0.25, Infinity, NaN],
  f64: [0, 0.1, -1e300, Infinity, -Infinity, NaN],
  string: [
    "",
    "a",
    "12345678",
    "123456789",
    "a string of 20 bytes",
    "größer",
    "日本",
    "🦀",
    "\ufeffbom",
    "a\0b",
    "a".repeat(ARENA_LEN),
    "é".repeat(100_000),
  ],
};
const BAD = {
  bool: [0, 1, "true", null, undefined],
  i8: [128, -129, 1.5, "1", true, NaN],
  u8: [256, -1, 0.5, null],
  i16: [32768, -32769],
  u16: [65536, -1],
  i32: [2147483648, -2147483649, 1n, Infinity],
  u32: [4294967296, -1, undefined],
  f32: ["1", null],
  f64: ["1", 1n, {}],
  string: [1, null, undefined, new String("a")],
  bytes: ["abc", [1, 2], null, 7],
};

for (const [type, values] of Object.entries(GOOD))
  test(`${type} crosses in both directions, at once and later, sync and async`, async () => {
    for (const [fn, hostAsync] of [
      [identity, false],
      [identity, true],
      [later, true],
    ]) {
      const wasm = relay({ params: { x: type }, result: type, hostAsync });
      const seen = [];
      const host = {
        f(x) {
          seen.push(x);
          return fn(x);
        },
      };
      const { exports } = await instantiateCore(wasm, { host });
      for (const value of values) assert.deepEqual(await exports.f(value), value);
      assert.deepEqual(seen, values);
    }
  });

for (const [type, values] of Object.entries(BAD))
  test(`a host function that answers no ${type} gives the guest a TypeError`, async () => {
    for (const [fn, hostAsync] of [
      [identity, false],
      [identity, true],
      [later, true],
    ])
      for (const value of values) {
        const wasm = relay({ result: type, hostAsync, exportAsync: true });
        const { exports } = await instantiateCore(wasm, { host: { f: () => fn(value) } });
        await assert.rejects(exports.f(), (e) => {
          assert.equal(e.name, "TypeError");
          assert.match(e.message, new RegExp(`^host function f: expected ${type}, got `));
          return true;
        });
      }
  });

for (const [type, values] of Object.entries(BAD))
  test(`an export refuses what is no ${type}`, async () => {
    let entered = 0;
    const host = { f: () => entered++ };
    for (const hostAsync of [false, true]) {
      const wasm = relay({ params: { size: type }, hostAsync });
      const { exports } = await instantiateCore(wasm, { host });
      for (const value of values)
        await assert.rejects(async () => exports.f(value), {
          name: "TypeError",
          message: new RegExp(`^export f, parameter size: expected ${type}, got `),
        });
    }
    assert.equal(entered, 0);
  });

test("bytes cross in both directions, in every form that JavaScript has", async () => {
  const data = new Uint8Array([0, 1, 2, 255]);
  const wasm = relay({ params: { x: "bytes" }, result: "bytes", hostAsync: false });
  for (const make of [
    (x) => x.slice(),
    (x) => x.slice().buffer,
    (x) => new DataView(x.slice().buffer),
    (x) => Buffer.from(x),
    (x) => new Uint16Array(x.slice().buffer),
  ]) {
    const { exports } = await instantiateCore(wasm, { host: { f: make } });
    assert.deepEqual(exports.f(make(data)), data);
  }
});

test("bytes larger than the arena belong to the guest", async () => {
  const wasm = relay({ params: { x: "bytes" }, result: "bytes" });
  const data = new Uint8Array(ARENA_LEN + 1).map((_, i) => i);
  for (const f of [identity, async (x) => x.slice()]) {
    const { exports } = await instantiateCore(wasm, { host: { f } });
    assert.deepEqual(await exports.f(data), data);
  }
});

test("lent bytes may be answered although the answer makes the memory grow", async () => {
  const wasm = relay({ params: { x: "bytes" }, result: "bytes", pages: 3 });
  const { exports } = await instantiateCore(wasm, { host: { f: identity } });
  // Each answer takes new memory, so some of them grow it.
  for (let i = 1; i < 6; i++) {
    const data = new Uint8Array(50_000).fill(i);
    assert.deepEqual(await exports.f(data), data);
  }
});

test("what an export gives is not touched by later calls", async () => {
  const wasm = relay({ params: { x: "bytes" }, result: "bytes", hostAsync: false });
  const { exports } = await instantiateCore(wasm, { host: { f: identity } });
  const first = exports.f(new Uint8Array([1, 2, 3]));
  exports.f(new Uint8Array([9, 9, 9]));
  assert.deepEqual(first, new Uint8Array([1, 2, 3]));
});

test("many parameters keep their order", async () => {
  const params = { a: "string", b: "u32", c: "bytes", d: "bool", e: "f64", g: "i8" };
  const args = ["x", 4294967295, new Uint8Array([7]), true, 0.5, -3];
  for (const hostAsync of [false, true]) {
    const seen = [];
    const host = { f: (...given) => seen.push(given.map((v) => v.slice?.() ?? v)) };
    const { exports } = await instantiateCore(relay({ params, hostAsync }), { host });
    await exports.f(...args);
    assert.deepEqual(seen, [args]);
  }
});

for (let count = 0; count < 6; count++)
  test(`a function of ${count} numbers gets exactly these`, async () => {
    const params = Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, "f64"]));
    const args = Array.from({ length: count }, (_, i) => i + 0.5);
    const seen = [];
    const { exports } = await instantiateCore(relay({ params }), {
      host: { f: (...given) => seen.push(given) },
    });
    await exports.f(...args);
    assert.deepEqual(seen, [args]);
  });

test("host functions are called on the object that they are in", async () => {
  class Host {
    #secret = 42;
    f() {
      return this.#secret;
    }
  }
  const { exports } = await instantiateCore(relay({ result: "i32" }), { host: new Host() });
  assert.equal(await exports.f(), 42);
});

test("a result of type () ignores what the function returns", async () => {
  for (const f of [() => 7, async () => ({})]) {
    const { exports } = await instantiateCore(relay({}), { host: { f } });
    assert.equal(await exports.f(), undefined);
  }
});

/** serde's `Result<u32, String>` and `(u8, String)` as the section describes them. */
const text = (s) => [s.length, ...Buffer.from(s)];
const NAMED = (name, ...rest) => [...text(name), ...rest];
const RESULT = [
  12,
  ...NAMED("Result<T, E>", 27, 2),
  ...[...text("Ok"), 2, 1, ...NAMED("u32", 8)],
  ...[...text("Err"), 2, 1, ...NAMED("String", 16)],
];

test("serde types cross in both directions", async () => {
  const wasm = relay({ params: { x: RESULT }, result: RESULT });
  for (const f of [identity, later]) {
    const { exports } = await instantiate(wasm, { host: { f } });
    for (const value of [{ Ok: 300 }, { Err: "größer" }, { Err: "x".repeat(20_000) }])
      assert.deepEqual(await exports.f(value), value);
  }
});

test("a serde value that does not fit is named by its path", async () => {
  const wasm = relay({ params: { x: RESULT }, result: RESULT });
  const { exports } = await instantiate(wasm, { host: { f: () => ({ Ok: "1" }) } });
  await assert.rejects(exports.f({ Err: 5 }), {
    name: "TypeError",
    message: "export f, parameter x.Err: expected string, got 5",
  });
  await assert.rejects(exports.f({ Ok: 1 }), {
    name: "TypeError",
    message: 'host function f.Ok: expected u32, got "1"',
  });
  await assert.rejects(exports.f({ No: 1 }), {
    message: /^export f, parameter x: expected Result<T, E> \(one of Ok, Err\), got Object$/,
  });
});

test("a getter of a serde value may call the guest again", async () => {
  const wasm = relay({ params: { x: RESULT }, result: RESULT, hostAsync: false });
  const { exports } = await instantiate(wasm, { host: { f: identity } });
  const inner = [];
  const value = {
    get Err() {
      inner.push(exports.f({ Err: "inner" }));
      return "outer";
    },
  };
  assert.deepEqual(exports.f(value), { Err: "outer" });
  assert.deepEqual(inner, [{ Err: "inner" }]);
});

test("serde results that overflow the ring do not mix", async () => {
  const wasm = relay({ params: { x: RESULT }, result: RESULT, capacity: 2 });
  const waiting = [];
  const { exports } = await instantiate(wasm, {
    host: { f: (x) => new Promise((resolve) => waiting.push(() => resolve(x))) },
  });
  const values = Array.from({ length: 9 }, (_, i) => ({ Err: `number ${i}` }));
  const results = values.map((value) => exports.f(value));
  for (const settle of waiting) settle();
  assert.deepEqual(await Promise.all(results), values);
});
