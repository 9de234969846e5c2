// Errors: of host functions, of the guest, of guests that are none, and traps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { instantiate as instantiateCore } from "../dist/core.js";
import {
  AbiMismatch,
  GuestPanic,
  InstanceTrapped,
  instantiate,
  KippuError,
  MissingHostFunctions,
  OutOfMemory,
  WouldDeadlock,
} from "../dist/index.js";
import { ANSWER, compile, guest, withSection } from "./guest.mjs";
import { relay } from "./relay.mjs";

const tick = () => new Promise((resolve) => setImmediate(resolve));

test("what a host function throws reaches the caller with name, message, stack and code", async () => {
  const thrown = Object.assign(new RangeError("größer"), { code: "E_BIG" });
  for (const [f, hostAsync] of [
    [
      () => {
        throw thrown;
      },
      false,
    ],
    [
      () => {
        throw thrown;
      },
      true,
    ],
    [() => Promise.reject(thrown), true],
  ]) {
    const { exports } = await instantiateCore(relay({ hostAsync }), { host: { f } });
    await assert.rejects(
      async () => exports.f(),
      (e) => {
        assert.ok(e instanceof Error);
        const { name, message, stack, code } = e;
        assert.deepEqual(
          { name, message, stack, code },
          { name: "RangeError", message: "größer", stack: thrown.stack, code: "E_BIG" },
        );
        return true;
      },
    );
  }
});

const hostile = {
  get message() {
    throw new Error("no");
  },
};
for (const [what, thrown, name, message] of [
  ["a string", "boom", "Error", "boom"],
  ["undefined", undefined, "Error", "undefined"],
  ["null", null, "Error", "null"],
  ["a symbol", Symbol("s"), "Error", "Symbol(s)"],
  ["a number", 42, "Error", "42"],
  ["an object without prototype", Object.create(null), "Error", ""],
  ["an object whose message cannot be read", hostile, "Error", ""],
  ["an object with a message", { message: "m", code: 7 }, "", "m"],
])
  test(`a host function may throw ${what}`, async () => {
    const f = async () => {
      throw thrown;
    };
    const { exports } = await instantiateCore(relay(), { host: { f } });
    await assert.rejects(exports.f(), { name, message });
  });

test("an error of 100,000 characters crosses whole", async () => {
  const message = "é".repeat(100_000);
  const f = () => Promise.reject(new Error(message));
  const { exports } = await instantiateCore(relay(), { host: { f } });
  await assert.rejects(exports.f(), { message });
});

test("an async host function may give any thenable", async () => {
  const thenable = {
    // biome-ignore lint/suspicious/noThenProperty: this is what the test is about
    then(resolve) {
      resolve(5);
      resolve(6);
    },
  };
  const { exports } = await instantiateCore(relay({ result: "f64" }), {
    host: { f: () => thenable },
  });
  assert.equal(await exports.f(), 5);
});

test("all missing functions are named at once, with their signatures", async () => {
  const wasm = guest({
    imports: `
      (import "host" "add" (func (param i32 i32) (result i32)))
      (import "host" "load" (func (param i32 i32 i32) (result i32)))
      (import "host" "unknown" (func))
      (import "kippu:fs" "read" (func (param i32 i32 i32) (result i32)))
      (import "kippu" "from_the_future" (func))
      (import "wbg" "glue" (func))`,
    entries: [
      { name: "add", async: false, params: { a: "i32", b: "i32" }, result: "i32" },
      { name: "load", params: { url: "string" }, result: "bytes" },
      { name: "dropped_by_the_linker" },
    ],
  });
  const names = ["add", "load", "unknown", "read", "from_the_future", "glue"];
  await assert.rejects(instantiate(wasm, { host: { add: 5, unknown() {} } }), (e) => {
    assert.ok(e instanceof MissingHostFunctions);
    assert.equal(e.code, "KIPPU_MISSING_HOST");
    assert.deepEqual(
      e.functions.map(({ name }) => name),
      names,
    );
    assert.match(e.message, /host: fn add\(a: i32, b: i32\) -> i32/);
    assert.match(e.message, /host: async fn load\(url: string\) -> bytes/);
    assert.match(e.message, /kippu:fs: read/);
    return true;
  });
  await assert.rejects(instantiateCore(wasm), (e) => {
    assert.equal(e.code, "KIPPU_MISSING_HOST");
    for (const name of names) assert.ok(e.message.includes(name), name);
    return true;
  });
});

test("names that every object has are not host functions", async () => {
  const wasm = guest({
    imports: `(import "host" "toString" (func (result i32)))
      (import "kippu" "toString" (func))`,
    entries: [{ name: "toString", async: false, result: "i32" }],
  });
  await assert.rejects(instantiate(wasm, { host: {} }), (e) => {
    assert.equal(e.functions?.length, 2);
    return true;
  });
});

test("a guest of another version is refused", async () => {
  await assert.rejects(instantiate(guest({ abi: 1 })), (e) => {
    assert.ok(e instanceof AbiMismatch);
    assert.deepEqual([e.code, e.version], ["KIPPU_ABI_MISMATCH", 1]);
    return true;
  });
  await assert.rejects(instantiateCore(guest({ abi: 1 })), { code: "KIPPU_ABI_MISMATCH" });
});

test("a module that is no guest is refused", async () => {
  for (const [name, wasm] of [
    ["empty", compile("(module)")],
    ["no memory", compile('(module (func (export "kippu_abi") (result i32) (i32.const 2)))')],
    ...["kippu_abi", "kippu_ring", "kippu_alloc", "kippu_turn"].map((name) => [
      name,
      guest({ without: [name] }),
    ]),
  ])
    await assert.rejects(instantiate(wasm), { code: "KIPPU_NOT_A_GUEST" }, name);
});

test("a damaged section is refused", async () => {
  const good = [...new Uint8Array(guest())];
  for (const bytes of [
    [1],
    [255, 255, 255, 255, 1],
    [4, 0, 0, 0, 1, 0, 0, 200],
    [6, 0, 0, 0, 1, 0, 0, 1, 97, 0],
    [9, 0, 0, 0, 1, 0, 0, 1, 97, 0, 0, 14, 0],
    [10, 0, 0, 0, 1, 7, 0, 1, 97, 0, 0, 0, 0, 0],
    [10, 0, 0, 0, 1, 0, 0, 1, 97, 0, 0, 12, 0, 99],
    [12, 0, 0, 0, 1, 0, 0, 1, 97, 0, 255, 255, 255, 255, 15, 0],
  ])
    await assert.rejects(
      instantiate(withSection(good, bytes)),
      { code: "KIPPU_NOT_A_GUEST" },
      bytes.join(),
    );
});

test("what is no module is refused", async () => {
  await assert.rejects(instantiate(new Uint8Array([1, 2, 3])), WebAssembly.CompileError);
});

test("core refuses serde types and says so", async () => {
  const wasm = relay({ params: { x: [12, 1, 84, 8] } });
  await assert.rejects(instantiateCore(wasm, { host: { f() {} } }), { code: "KIPPU_SERDE" });
});

/** A guest whose `go` waits for `host.wait`, and whose other exports trap in some way. */
const PANIC = `
  (call $panic (i32.const 600) (i32.const 27))
  (unreachable)`;
const trapping = ({ body = "", turn, alloc, ...more } = {}) =>
  relay({
    params: { x: "string" },
    result: "string",
    imports: `
      (import "kippu" "panic" (func $panic (param i32 i32)))
      (import "kippu" "oom" (func $oom (param f64)))
      (import "kippu" "schedule_turn" (func $schedule))`,
    turn,
    alloc,
    body: `(data (i32.const 600) "src/main.rs:1:2\\00deep gri\\c3\\a8f")
      (func (export "kippu_export:panics") (result i32) ${PANIC})
      (func (export "kippu_export:traps") (result i32) (unreachable))
      (func (export "kippu_export:ooms") (result i32) (call $oom (f64.const 123456)) (unreachable))
      (func (export "kippu_export:schedules") (result i32) (call $schedule)
        (i32.store (i32.const ${ANSWER + 4}) (i32.const 0)) (i32.const 1))
      ${body}`,
    entries: ["panics", "traps", "ooms", "schedules"].map((name) => ({
      kind: 1,
      name,
      async: false,
    })),
    ...more,
  });

/** Checks that `instance` is over, and that `pending` was rejected for the same reason. */
const assertOver = async (instance, pending) => {
  const { trapped } = instance;
  assert.ok(trapped instanceof InstanceTrapped);
  assert.equal(trapped.code, "KIPPU_TRAPPED");
  for (const p of pending) await assert.rejects(p, (e) => e === trapped);
  await assert.rejects(instance.exports.f("x"), (e) => e === trapped);
  assert.throws(
    () => instance.exports.schedules(),
    (e) => e === trapped,
  );
};

for (const [name, check] of [
  [
    "panics",
    (cause) => {
      assert.ok(cause instanceof GuestPanic);
      assert.equal(cause.location, "src/main.rs:1:2");
      assert.equal(cause.message, "deep grièf");
    },
  ],
  ["traps", (cause) => assert.ok(cause instanceof WebAssembly.RuntimeError)],
  [
    "ooms",
    (cause) => {
      assert.ok(cause instanceof OutOfMemory);
      assert.equal(cause.bytes, 123456);
    },
  ],
])
  test(`an export that ${name} ends the instance`, async () => {
    const contexts = [];
    let settle;
    const instance = await instantiate(trapping(), {
      host: {
        f(_x, context) {
          contexts.push(context.signal);
          return new Promise((resolve) => {
            settle = resolve;
          });
        },
      },
    });
    const pending = [instance.exports.f("a"), instance.exports.f("b")];
    assert.equal(instance.trapped, undefined);
    assert.throws(
      () => instance.exports[name](),
      (e) => {
        assert.ok(e instanceof InstanceTrapped);
        check(e.cause);
        return true;
      },
    );
    assert.deepEqual(
      contexts.map(({ aborted }) => aborted),
      [true, true],
    );
    await assertOver(instance, pending);
    settle("too late");
    await tick();
    await assertOver(instance, []);
  });

test("the message of a panic tells where", async () => {
  const { exports } = await instantiate(trapping(), { host: { f() {} } });
  assert.throws(() => exports.panics(), {
    message: "the instance has trapped: panicked at src/main.rs:1:2: deep grièf",
  });
});

test("core tells of a panic too", async () => {
  const instance = await instantiateCore(trapping(), { host: { f() {} } });
  assert.throws(() => instance.exports.panics(), {
    code: "KIPPU_TRAPPED",
    message: /src\/main\.rs:1:2.*deep grièf/s,
  });
  assert.equal(instance.trapped?.code, "KIPPU_TRAPPED");
  assert.throws(() => instance.exports.schedules(), { code: "KIPPU_TRAPPED" });
});

test("a turn that traps ends the instance", async () => {
  const instance = await instantiate(trapping({ turn: PANIC }), {
    host: { f: async (x) => x },
  });
  const pending = [instance.exports.f("a"), instance.exports.f("b")];
  await Promise.allSettled(pending);
  await assertOver(instance, pending);
  assert.ok(instance.trapped.cause instanceof GuestPanic);
});

test("a scheduled turn that traps ends the instance, and nothing is unhandled", async () => {
  const instance = await instantiate(trapping({ turn: PANIC }), { host: { f() {} } });
  instance.exports.schedules();
  await tick();
  await assertOver(instance, []);
});

test("an allocation that traps ends the instance", async () => {
  const instance = await instantiate(trapping({ alloc: PANIC }), { host: { f: async (x) => x } });
  await assert.rejects(instance.exports.f("a"), InstanceTrapped);
  await assertOver(instance, []);
});

test("a result that traps the allocator ends the instance", async () => {
  // The first allocation is that of the argument.
  const alloc = `
    (if (i32.gt_u (local.get $len) (i32.const 100)) (then ${PANIC}))
    (call $bump (local.get $len))`;
  for (const f of [() => "x".repeat(20_000), async () => "x".repeat(20_000)]) {
    const instance = await instantiate(trapping({ alloc }), { host: { f } });
    await assert.rejects(instance.exports.f("a"), InstanceTrapped);
    await assertOver(instance, []);
  }
});

test("a result for which there is no memory is an error, and the guest goes on", async () => {
  const alloc = `
    (if (i32.gt_u (local.get $len) (i32.const 100)) (then
      (call $oom (f64.convert_i32_u (local.get $len)))
      (return (i32.const 0))))
    (call $bump (local.get $len))`;
  for (const wrap of [(x) => x, async (x) => x]) {
    const f = (x) => wrap(x === "big" ? "x".repeat(20_000) : x);
    const instance = await instantiate(trapping({ alloc }), { host: { f } });
    const results = [instance.exports.f("big"), instance.exports.f("small")];
    await assert.rejects(results[0], { name: "OutOfMemory", code: "KIPPU_OOM" });
    assert.equal(await results[1], "small");
    await assert.rejects(instance.exports.f("x".repeat(200)), OutOfMemory);
    assert.equal(instance.trapped, undefined);
    // What was recovered from is not blamed for a later trap.
    assert.throws(
      () => instance.exports.traps(),
      (e) => e.cause instanceof WebAssembly.RuntimeError,
    );
  }
});

test("a trap inside a host function ends the call that is around it", async () => {
  const wasm = trapping({ hostAsync: false });
  const instance = await instantiate(wasm, {
    host: {
      f() {
        try {
          instance.exports.panics();
        } catch {
          // The host function hides it, but the guest must not go on.
        }
        return "fine";
      },
    },
  });
  assert.throws(() => instance.exports.f("x"), InstanceTrapped);
  assert.ok(instance.trapped.cause instanceof GuestPanic);
});

test("a main that traps rejects start", async () => {
  for (const name of ["kippu_start", "main"]) {
    const wasm = guest({
      imports: `(import "kippu" "panic" (func $panic (param i32 i32)))`,
      body: `(data (i32.const 600) "src/main.rs:1:2\\00deep gri\\c3\\a8f")
        (func (export "${name}") ${name === "main" ? "(param i32 i32)" : ""} (result i32) ${PANIC})`,
    });
    const instance = await instantiate(wasm);
    await assert.rejects(instance.start(), InstanceTrapped);
    await assert.rejects(instance.start(), InstanceTrapped);
  }
});

test("a program is started once", async () => {
  const wasm = guest({ body: `(func (export "kippu_start") (result i32) (i32.const 0))` });
  const instance = await instantiate(wasm);
  const first = instance.start();
  await assert.rejects(instance.start(), { code: "KIPPU_STARTED" });
  await instance.dispose();
  await assert.rejects(first, { code: "KIPPU_DISPOSED" });
});

test("dispose within a host function ends the call that is around it", async () => {
  for (const give of ["x", new Promise(() => {})]) {
    const instance = await instantiate(trapping(), {
      host: {
        f() {
          instance.dispose();
          return give;
        },
      },
    });
    await assert.rejects(instance.exports.f("x"), { code: "KIPPU_DISPOSED" });
  }
});

test("a start section that traps rejects instantiate", async () => {
  const wasm = guest({ body: "(func $boom (unreachable)) (start $boom)" });
  await assert.rejects(instantiate(wasm), WebAssembly.RuntimeError);
});

test("a deadlock has a class of its own", async () => {
  // name "WouldDeadlock", message "all wait", no stack, no code.
  const wasm = guest({
    imports: `(import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))`,
    body: `(data (i32.const 600) "\\0dWouldDeadlock\\08all wait\\00\\00")
      (func (export "kippu_start") (result i32)
        (call $reply (i32.const 0) (i32.const 18) (i32.const 600) (i32.const 25) (f64.const 0))
        (i32.const 0))`,
  });
  const instance = await instantiate(wasm);
  await assert.rejects(instance.start(), (e) => {
    assert.ok(e instanceof WouldDeadlock);
    assert.deepEqual([e.code, e.message], ["KIPPU_DEADLOCK", "all wait"]);
    return true;
  });
});

test("replies to calls that nobody waits for are ignored", async () => {
  const wasm = guest({
    imports: `(import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
      (import "kippu" "cancel" (func $cancel (param i32)))`,
    body: `(func (export "kippu_export:go") (result i32)
        (call $reply (i32.const 77) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const 1))
        (call $reply (i32.const 0) (i32.const 18) (i32.const 0) (i32.const 0) (f64.const 1))
        (call $cancel (i32.const 1234))
        (call $reply (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const 7))
        (call $reply (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const 8))
        (i32.const 0))`,
    entries: [{ kind: 1, name: "go", async: false, result: "f64" }],
  });
  const { exports } = await instantiate(wasm);
  assert.equal(exports.go(), 7);
  assert.equal(exports.go(), 7);
});

test("dispose rejects what is pending, aborts operations and forbids calls", async () => {
  let signal;
  const instance = await instantiate(trapping(), {
    host: {
      f(_x, context) {
        ({ signal } = context);
        return new Promise(() => {});
      },
    },
  });
  const pending = instance.exports.f("a");
  await instance.dispose();
  await assert.rejects(pending, (e) => e instanceof KippuError && e.code === "KIPPU_DISPOSED");
  assert.equal(signal.aborted, true);
  assert.throws(() => instance.exports.schedules(), { code: "KIPPU_DISPOSED" });
  await instance[Symbol.asyncDispose]();
});
