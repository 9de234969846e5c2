// The package and the crate together: a real Rust guest, and what JavaScript sees of it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { GuestPanic, InstanceTrapped, instantiate, OutOfMemory, run, WouldDeadlock } from "kippu";
import { hostFor, rustGuest } from "./rust.mjs";

let module;
before(async () => {
  module = await rustGuest();
});

const open = (given) => instantiate(module, { host: hostFor(module, given) });

/** Logs what crosses the boundary while `body` runs. */
const traced = async (given, body) => {
  const log = [];
  const { instantiate: real } = WebAssembly;
  const spy = (prefix, name, f) =>
    typeof f !== "function"
      ? f
      : (...raw) => {
          log.push(`${prefix} ${name}`);
          return f(...raw);
        };
  const spies = (prefix, object) =>
    Object.fromEntries(Object.entries(object).map(([name, f]) => [name, spy(prefix, name, f)]));
  WebAssembly.instantiate = async (compiled, imports) => {
    const outward = Object.entries(imports).map(([from, fns]) => [from, spies("rust→js", fns)]);
    const { exports } = await real(compiled, Object.fromEntries(outward));
    return { exports: spies("js→rust", exports) };
  };
  try {
    const instance = await open(given);
    log.length = 0;
    await body(instance, log);
  } finally {
    WebAssembly.instantiate = real;
  }
  // The clock and memory are not what a trace is about.
  return log.filter((line) => !/ (now|kippu_alloc|kippu_free)$/.test(line));
};

describe("the life of a wake", () => {
  test("two awaits of one call, each settled alone, are turned at once", async () => {
    const trace = await traced({ ask: async (question) => `${question}!` }, async (guest, log) => {
      const result = guest.exports.ask_twice("why");
      log.push("js: has a promise");
      assert.equal(await result, "why!!");
    });
    assert.deepEqual(trace, [
      "js→rust kippu_export:ask_twice",
      "rust→js ask", // ticket 0 crosses
      "js: has a promise",
      "js→rust kippu_turn", // ticket 0 is complete: the task is woken and polled
      "rust→js ask", // ticket 1 crosses
      "js→rust kippu_turn",
      "rust→js reply", // the call is settled
    ]);
  });

  test("an answer within the call needs no turn", async () => {
    const trace = await traced({ ask: (question) => `${question}!` }, async (guest) => {
      assert.equal(await guest.exports.ask_twice("why"), "why!!");
    });
    assert.deepEqual(trace, [
      "js→rust kippu_export:ask_twice",
      "rust→js ask",
      "rust→js ask",
      "rust→js reply",
    ]);
  });

  test("a spawned task asks for a turn, once", async () => {
    const trace = await traced({ ask: (question) => `${question}!` }, async (guest) => {
      assert.equal(await guest.exports.ask_in_task("why"), "why!");
    });
    assert.deepEqual(trace, [
      "js→rust kippu_export:ask_in_task",
      "rust→js schedule_turn", // the run queue became non-empty outside a turn
      "js→rust kippu_turn",
      "rust→js ask",
      "rust→js reply",
    ]);
  });

  test("completions of several tickets share a turn", async () => {
    const ask = async (question) => question;
    const trace = await traced({ ask }, async (guest) => {
      await Promise.all(["a", "b", "c"].map((text) => guest.exports.ask_in_task(text)));
    });
    assert.deepEqual(trace, [
      "js→rust kippu_export:ask_in_task",
      "rust→js schedule_turn",
      "js→rust kippu_export:ask_in_task",
      "js→rust kippu_export:ask_in_task",
      "js→rust kippu_turn",
      "rust→js ask",
      "rust→js ask",
      "rust→js ask",
      "js→rust kippu_turn",
      "rust→js reply",
      "rust→js reply",
      "rust→js reply",
    ]);
  });

  test("a timer is armed once and fires in a turn", async () => {
    const trace = await traced({}, async (guest) => {
      assert.equal(await guest.exports.after_sleep(20, 1.5), 1.5);
    });
    assert.deepEqual(trace.slice(0, 3), [
      "js→rust kippu_export:after_sleep",
      "rust→js schedule_turn", // the host must arm its timer
      "js→rust kippu_turn", // and is told when
    ]);
    assert.equal(trace.at(-1), "rust→js reply");
    assert.ok(trace.length <= 6, `at most one early firing: ${trace.join(", ")}`);
  });

  test("a dropped future cancels its ticket", async () => {
    const trace = await traced({ ask: () => new Promise(() => {}) }, async (guest) => {
      await guest.exports.give_up(2);
    });
    assert.deepEqual(trace, [
      "js→rust kippu_export:give_up",
      "rust→js ask",
      "rust→js cancel",
      "rust→js ask",
      "rust→js cancel",
    ]);
  });
});

describe("exports", () => {
  test("take and give values of every kind", async () => {
    const { exports } = await open();
    assert.equal(exports.add(-5, 255), 250);
    assert.equal(exports.not(true), false);
    assert.equal(exports.shout("straße 切"), "STRASSE 切");
    assert.deepEqual(exports.reverse(new Uint8Array([1, 2, 3])), new Uint8Array([3, 2, 1]));
    const points = { a: { x: 1.5, y: -2 }, ключ: { x: 0.5, y: 0.25 } };
    assert.deepEqual(await exports.mirror(points), {
      a: { x: -1.5, y: 2 },
      ключ: { x: -0.5, y: -0.25 },
    });
    assert.equal(await exports.eager(4_000_000_000), 4_000_000_000);
  });

  test("refuse arguments of wrong types, naming function and parameter", async () => {
    const { exports } = await open();
    assert.throws(() => exports.add("1", 2), { name: "TypeError", message: /add.*a/s });
    assert.throws(() => exports.add(1, 256), { message: /add.*b/s });
    assert.throws(() => exports.shout(7), { name: "TypeError", message: /shout.*text/s });
    await assert.rejects(exports.mirror({ a: { x: 1 } }), { message: /mirror.*points/s });
    assert.equal(exports.add(1, 2), 3, "and go on working");
  });

  test("may overlap", async () => {
    const { exports } = await open();
    const order = [];
    const one = exports.after_sleep(30, 1).then((value) => order.push(value));
    const two = exports.after_sleep(5, 2).then((value) => order.push(value));
    await Promise.all([one, two]);
    assert.deepEqual(order, [2, 1]);
  });

  test("may nest: Rust calls JavaScript calls Rust", async () => {
    const guest = await open({ call_back: (depth) => guest.exports.nest(depth) });
    assert.equal(guest.exports.nest(50), 50);
    const other = await open({
      call_back(depth) {
        let result;
        // An async export that completes at once has its outcome in a resolved promise; its effect is what
        // this test looks at.
        other.exports.nest_async(depth).then((value) => {
          result = value;
        });
        return result ?? depth;
      },
    });
    assert.equal(await other.exports.nest_async(3), 3);
  });

  test("errors have the guest's message, name and code", async () => {
    const { exports } = await open();
    assert.throws(() => exports.refuse("kaputt 🎫"), { name: "Error", message: "kaputt 🎫" });
    await assert.rejects(exports.refuse_later("far"), {
      name: "RangeError",
      message: "far",
      code: "E_REFUSED",
    });
  });

  test("block_on completes what needs no host, and says so when it cannot", async () => {
    const { exports } = await open({ ask: () => new Promise(() => {}) });
    assert.equal(exports.blocking(false), "done");
    assert.throws(() => exports.blocking(true), { message: /cannot wait.*async/s });
  });
});

describe("host errors", () => {
  test("keep message, name, stack and code through Rust and back", async () => {
    const failure = Object.assign(new RangeError("too far"), { code: "E_FAR" });
    const guest = await open({
      async ask() {
        throw failure;
      },
    });
    const found = await guest.exports.ask_twice("x").catch((error) => error);
    assert.equal(found.name, "RangeError");
    assert.equal(found.message, "too far");
    assert.equal(found.code, "E_FAR");
    assert.match(found.stack, /rust\.test\.mjs/, "the host function's own stack");
  });

  test("a value that is no Error is told too", async () => {
    const guest = await open({ ask: () => Promise.reject("just text") });
    await assert.rejects(guest.exports.ask_twice("x"), { message: /just text/ });
  });

  test("a wrong type names the function and both types", async () => {
    const guest = await open({ ask: async () => 12 });
    await assert.rejects(guest.exports.ask_twice("x"), {
      name: "TypeError",
      message: /ask.*string.*12/s,
    });
  });

  test("missing host functions are named all at once", async () => {
    const error = await instantiate(module, { host: { add: () => 0 } }).catch((e) => e);
    assert.equal(error.code, "KIPPU_MISSING_HOST");
    for (const name of ["ask", "call_back", "double_later", "echo_person"])
      assert.match(error.message, new RegExp(`\\b${name}\\b`));
    assert.doesNotMatch(error.message, /\badd\b/);
  });
});

describe("a guest that ends badly", () => {
  test("panic: message and place reach JavaScript, and all that is pending rejects", async () => {
    let aborted = false;
    const guest = await open({
      ask: (_question, { signal }) =>
        new Promise(() => {
          signal.onabort = () => {
            aborted = true;
          };
        }),
    });
    const pending = [guest.exports.ask_twice("x"), guest.exports.after_sleep(60_000, 1)];
    const settled = Promise.allSettled(pending);
    const error = await guest.exports.panics(true).catch((e) => e);
    assert.ok(error instanceof InstanceTrapped);
    assert.ok(error.cause instanceof GuestPanic);
    assert.match(error.cause.message, /on purpose: 42/);
    assert.match(error.cause.location, /exports\.rs:\d+:\d+/);
    for (const { status, reason } of await settled) {
      assert.equal(status, "rejected");
      assert.ok(reason instanceof InstanceTrapped);
    }
    assert.ok(aborted, "the host's operation is aborted");
    assert.throws(() => guest.exports.add(1, 1), InstanceTrapped);
    await assert.rejects(guest.exports.eager(1), InstanceTrapped);
    assert.ok(guest.trapped instanceof InstanceTrapped);
  });

  test("a panic within the call rejects it", async () => {
    const guest = await open();
    await assert.rejects(guest.exports.panics(false), (error) => error.cause instanceof GuestPanic);
  });

  test("memory that has run out is told, with the size asked for", async () => {
    const guest = await open();
    assert.throws(
      () => guest.exports.exhaust(),
      (error) => error.cause instanceof OutOfMemory && error.cause.bytes === 64 << 20,
    );
    assert.throws(() => guest.exports.add(1, 1), InstanceTrapped);
  });

  test("a deadlock is an error that names who waits, not a hang", async () => {
    const started = performance.now();
    const ends = run(module, { args: ["--deadlock"], host: hostFor(module) });
    await assert.rejects(ends, (error) => {
      assert.ok(error instanceof WouldDeadlock);
      assert.match(error.message, /"stuck".*program\.rs/s);
      assert.match(error.message, /"main"/);
      return true;
    });
    assert.ok(performance.now() - started < 10_000);
  });

  test("other instances of the module go on", async () => {
    const [one, two] = [await open(), await open()];
    await assert.rejects(one.exports.panics(false));
    assert.equal(two.exports.add(1, 1), 2);
  });
});

describe("memory", () => {
  test("is flat over 100,000 calls, cancelled ones included", async () => {
    let settle = [];
    const guest = await open({
      ask: (question) =>
        question === "never mind" ? new Promise((done) => settle.push(done)) : question,
    });
    const rounds = async (count) => {
      for (let i = 0; i < count; i++) {
        await guest.exports.give_up(50);
        for (const done of settle) done("");
        settle = [];
        for (let j = 0; j < 50; j++) await guest.exports.ask_twice("x".repeat(j));
        await delay(0);
      }
      globalThis.gc();
      return process.memoryUsage();
    };
    const before = await rounds(100);
    const after = await rounds(1000);
    const grown = after.heapUsed - before.heapUsed;
    assert.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`);
    assert.ok(after.arrayBuffers - before.arrayBuffers < 1_000_000, "guest memory did not grow");
  });
});

describe("names and fairness", () => {
  test("functions and parameters may have the names that the macros use themselves", async () => {
    const seen = [];
    const guest = await open({
      refund: async (ticket) => {
        seen.push(ticket);
        return ticket;
      },
    });
    assert.equal(guest.exports.entry(20), 21);
    assert.equal(await guest.exports.dial(77), 77);
    assert.deepEqual(seen, [77]);
  });

  test("microtask completions beside a busy task let macrotasks run", async () => {
    let stop = false;
    const guest = await open({
      ask: async (question) => (stop ? "stop" : question),
    });
    const done = guest.exports.ask_until_stopped();
    const started = performance.now();
    await delay(20);
    const took = performance.now() - started;
    stop = true;
    assert.ok((await done) > 0);
    assert.ok(took < 2000, `a host timer of 20 ms took ${took} ms`);
  });

  test("completing a ticket within the call that opened it is allowed", async () => {
    let settle;
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: that is what this is about
      then(ok) {
        settle = ok;
        ok("now");
      },
    };
    const guest = await open({ ask: () => thenable });
    assert.equal(await guest.exports.ask_twice("x"), "now");
    assert.ok(settle);
  });
});
