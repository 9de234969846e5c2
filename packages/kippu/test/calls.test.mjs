// Exports with a real Rust guest: types, errors, cancellation, calls within calls.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestPanic } from "../dist/index.js";
import { deferred, macrotask, open } from "./boundary.mjs";

const JOBS = [
  { id: 1, title: "切符", urgent: true, state: "Open" },
  { id: 2, title: "", urgent: null, state: { Done: 7 } },
  { id: 3, title: "x", urgent: false, state: { Moved: ["there", -1] } },
  { id: 4, title: "y", urgent: null, state: { Failed: { code: -(2n ** 40n), why: null } } },
];
/** As they come back: a 64-bit number that is safe is a number. */
const BACK = JOBS.map((job) =>
  job.id === 4 ? { ...job, state: { Failed: { code: -(2 ** 40), why: null } } } : job,
);

test("every kind of argument crosses, and what it is made of comes back", async () => {
  const { exports } = await open();
  const [told, jobs] = await exports.everything(
    true,
    -8,
    2 ** 32 - 1,
    -0.5,
    "größer",
    "lent",
    new Uint8Array([1, 2]),
    new Uint8Array([3]).buffer,
    "some",
    JOBS,
    { a: { Done: 1 }, b: "Open" },
  );
  assert.equal(
    told,
    'true -8 4294967295 -0.5 größer lent [1, 2] [3] Some("some") {"a": Done(1), "b": Open}',
  );
  assert.deepEqual(jobs, BACK);
  assert.equal(exports.maybe("x"), "x");
  assert.equal(exports.maybe(null), null);
  assert.equal(exports.maybe(undefined), null);
  assert.deepEqual(exports.reversed(JOBS), BACK.toReversed());
  assert.deepEqual(exports.reversed([]), []);
});

test("numbers one after another are typed arrays", async () => {
  const kept = [];
  const { exports } = await open({
    amplify: async (samples, lengths) => {
      kept.push(samples, lengths);
      return samples.map((sample) => sample * 2);
    },
  });
  assert.deepEqual(
    exports.arrays(
      new Int8Array([-128, 127]),
      new Int16Array([-32768]),
      new Uint16Array([65535]),
      new Int32Array([-(2 ** 31)]),
      new Uint32Array([2 ** 32 - 1]),
      new Float32Array([0.5, Infinity]),
      new Float64Array([-0, NaN, 1e300]),
    ),
    new Float64Array([
      -128,
      127,
      -32768,
      65535,
      -(2 ** 31),
      2 ** 32 - 1,
      0.5,
      Infinity,
      -0,
      NaN,
      1e300,
    ]),
  );
  // Arrays are taken as well; so are views that begin in the middle, and other typed arrays.
  const part = new Float64Array([9, 8, 7, 6]).subarray(1, 3);
  assert.deepEqual(
    exports.arrays([1], [2], new Uint8Array([3]), [], [5], [0.25], part),
    new Float64Array([1, 2, 3, 5, 0.25, 8, 7]),
  );
  const samples = new Float32Array(100_000).fill(0.25);
  const louder = await exports.louder(samples);
  assert.ok(louder instanceof Float32Array);
  assert.equal(louder.length, 100_000);
  assert.ok(louder.every((sample) => sample === 0.5));
  assert.deepEqual(kept, [samples, new Uint32Array([100_000, 2 ** 32 - 1])]);
  assert.deepEqual(exports.pairs([["a", [1, 2]]]), [1, 2]);
});

test("numbers that do not fit are refused, by their place", async () => {
  const { exports } = await open();
  const arrays = (i, wrong) => {
    const all = [[], [], [], [], [], [], []];
    all[i] = wrong;
    return () => exports.arrays(...all);
  };
  assert.throws(arrays(0, [1, 128]), {
    name: "TypeError",
    message: "export arrays, parameter a[1]: expected i8, got 128",
  });
  assert.throws(arrays(3, [0.5]), { message: /parameter d\[0\]: expected i32, got 0.5/ });
  assert.throws(arrays(6, ["1"]), { message: /parameter g\[0\]: expected f64, got "1"/ });
  for (const wrong of [null, 5, "1", new DataView(new ArrayBuffer(8)), new Set([1])])
    assert.throws(arrays(5, wrong), { message: /parameter f: expected Float32Array or an array/ });
});

test("an error type gives its name, its text and its sources", async () => {
  const { exports } = await open();
  assert.equal(exports.configure("a.toml", "12"), 12);
  assert.throws(
    () => exports.configure("a.toml", "x"),
    (e) => {
      assert.deepEqual([e.name, e.message], ["ConfigError", "a.toml is no configuration"]);
      assert.ok(e.cause instanceof Error);
      assert.deepEqual([e.cause.name, e.cause.message], ["Error", "invalid digit found in string"]);
      assert.equal("cause" in e.cause, false);
      return true;
    },
  );
  await assert.rejects(exports.boxed("x"), {
    name: "Error",
    message: "invalid digit found in string",
  });
  await assert.rejects(exports.limited(11), {
    name: "RangeError",
    message: "too many: 11",
    code: "E_LIMIT",
  });
  assert.equal(await exports.limited(10), 10);
});

test("an error of the host's passes through Rust with its cause", async () => {
  const { exports, questions } = await open();
  const call = exports.pass_on("why");
  const root = Object.assign(new RangeError("deep"), { code: "E_DEEP" });
  questions[0].reject(new TypeError("shallow", { cause: root }));
  await assert.rejects(call, (e) => {
    assert.equal(e.message, "asked in vain; RangeError: deep");
    assert.deepEqual([e.cause.name, e.cause.message], ["TypeError", "shallow"]);
    assert.deepEqual(
      [e.cause.cause.name, e.cause.cause.message, e.cause.cause.code],
      ["RangeError", "deep", "E_DEEP"],
    );
    return true;
  });
});

test("causes in a circle, endless ones and ones that throw end somewhere", async () => {
  const { exports, questions } = await open();
  const circle = new Error("circle");
  circle.cause = new Error("and back", { cause: circle });
  let endless = new Error("0");
  for (let i = 1; i < 50; i++) endless = new Error(String(i), { cause: endless });
  const nasty = new Error("nasty");
  Object.defineProperty(nasty, "cause", {
    get() {
      throw new Error("no");
    },
  });
  const depth = (e) => (e ? 1 + depth(e.cause) : 0);
  for (const [thrown, expected] of [
    [circle, 2],
    [endless, 16],
    [nasty, 1],
  ]) {
    const call = exports.pass_on("why");
    questions.pop().reject(thrown);
    await assert.rejects(call, (e) => {
      assert.equal(depth(e.cause), expected, thrown.message);
      return true;
    });
  }
});

test("a signal may serve many calls at once", async () => {
  const { exports, notes } = await open();
  const warnings = [];
  const warn = (warning) => warnings.push(warning);
  process.on("warning", warn);
  const controller = new AbortController();
  const calls = Array.from({ length: 100 }, () => exports.sleeps(controller.signal));
  const done = await exports.at_once(1, controller.signal);
  controller.abort("all");
  const settled = await Promise.allSettled(calls);
  assert.ok(settled.every(({ reason }) => reason === "all"));
  await macrotask();
  assert.equal(done, 1);
  assert.equal(notes.filter((note) => note === "dropped").length, 100);
  assert.deepEqual(warnings, []);
  process.off("warning", warn);
});

test("aborting rejects with the reason and drops the Rust future", async () => {
  const { exports, notes, questions } = await open();
  const controller = new AbortController();
  const call = exports.guarded("why", controller.signal);
  assert.deepEqual(notes, ["started"]);
  assert.equal(questions[0].signal.aborted, false);
  const reason = new Error("changed my mind");
  controller.abort(reason);
  await assert.rejects(call, (e) => e === reason);
  await macrotask();
  assert.deepEqual(notes, ["started", "dropped"]);
  assert.equal(questions[0].signal.aborted, true, "the operation that it waited for is aborted");
  questions[0].resolve("too late");
  await macrotask();
  assert.deepEqual(notes, ["started", "dropped"]);
});

test("AbortSignal.timeout ends a call that sleeps", async () => {
  const { exports, notes } = await open();
  await assert.rejects(exports.sleeps(AbortSignal.timeout(5)), { name: "TimeoutError" });
  await macrotask();
  assert.deepEqual(notes, ["dropped"]);
});

test("a signal that has aborted already keeps the call from starting", async () => {
  const { exports, notes } = await open();
  await assert.rejects(exports.at_once(1, AbortSignal.abort("no")), (e) => e === "no");
  assert.deepEqual(notes, []);
});

test("a signal does nothing to a call that is over", async () => {
  const { exports, questions, notes } = await open();
  const controller = new AbortController();
  assert.equal(await exports.at_once(3, controller.signal), 3);
  const call = exports.guarded("why", controller.signal);
  questions[0].resolve("because");
  assert.equal(await call, "because");
  controller.abort();
  await macrotask();
  assert.deepEqual(notes, ["at once", "started", "answered", "dropped"]);
});

test("a host function may abort the call that is in its first poll", async () => {
  const controller = new AbortController();
  const { exports, notes, questions } = await open({
    ask: () => {
      controller.abort("from inside");
      return new Promise(() => {});
    },
  });
  await assert.rejects(exports.guarded("why", controller.signal), (e) => e === "from inside");
  await macrotask();
  assert.deepEqual(notes, ["started", "dropped"]);
  assert.equal(questions.length, 0);
});

test("numbers of aborted calls are used again, and nothing gets mixed up", async () => {
  const { exports, questions } = await open();
  for (let round = 0; round < 50; round++) {
    const calls = Array.from({ length: 20 }, (_, i) => {
      const controller = new AbortController();
      return { controller, outcome: exports.guarded(`${round}.${i}`, controller.signal) };
    });
    const asked = questions.splice(0);
    calls.forEach(({ controller }, i) => {
      if (i % 3 === 0) controller.abort(i);
    });
    const more = exports.guarded("more");
    asked.forEach(({ question, resolve }) => {
      resolve(`re ${question}`);
    });
    questions.splice(0)[0].resolve("re more");
    const settled = await Promise.allSettled([...calls.map(({ outcome }) => outcome), more]);
    assert.deepEqual(
      settled.map(({ value, reason }) => value ?? reason),
      [...calls.map((_, i) => (i % 3 === 0 ? i : `re ${round}.${i}`)), "re more"],
    );
  }
});

test("a panic while an aborted future is dropped poisons the instance", async () => {
  const { instance, exports } = await open();
  const controller = new AbortController();
  const call = exports.panics_on_drop(controller.signal);
  const other = exports.sleeps();
  controller.abort("why not");
  await assert.rejects(call, (e) => e === "why not");
  await assert.rejects(other, { name: "InstanceTrapped" });
  assert.ok(instance.trapped.cause instanceof GuestPanic);
  assert.equal(instance.trapped.cause.message, "dropped too early");
});

test("calls nest and overlap: Rust, JavaScript, Rust again, each waiting by itself", async () => {
  const pending = [];
  const { exports, questions } = await open({
    call_back: (depth) => {
      // Not awaited by the caller, which wants its answer now.
      pending.push(exports.nested(depth));
      return depth;
    },
  });
  const top = exports.nested(5);
  assert.equal(questions.length, 5);
  questions.reverse().forEach(({ resolve }) => {
    resolve("");
  });
  assert.equal(await top, 5);
  // The innermost came back first.
  assert.deepEqual(await Promise.all(pending), [0, 1, 2, 3, 4]);
});

test("synchronous calls nest as deep as the engine's stack allows", async () => {
  const { exports } = await open({ call_back: (depth) => exports.nested_sync(depth) });
  assert.equal(exports.nested_sync(300), 300);
});

test("an exception of the innermost call passes through every level", async () => {
  const { exports, instance } = await open({
    call_back: (depth) => {
      if (depth === 0) throw new SyntaxError("at the bottom");
      return exports.nested_sync(depth);
    },
  });
  assert.throws(() => exports.nested_sync(20), { name: "SyntaxError", message: "at the bottom" });
  assert.equal(instance.trapped, undefined);
});

test("a call that the host function of another one starts is answered within it", async () => {
  const inner = deferred();
  const { exports, notes } = await open({
    ask: async (question) => {
      inner.resolve(exports.at_once(9));
      return question;
    },
  });
  assert.equal(await exports.guarded("x"), "x");
  assert.equal(await inner.promise, 9);
  assert.deepEqual(notes, ["started", "at once", "answered", "dropped"]);
});

test("slices, and a parameter with the name of its function", async () => {
  const { exports } = await open();
  assert.equal(exports.joined(["a", "b"], [JOBS[0]]), "a b 切符");
  assert.equal(await exports.same(7), 7);
  assert.throws(
    () => exports.sent("x"),
    (e) => {
      assert.equal(e.message, "sent is no configuration");
      assert.equal(e.cause.message, "invalid digit found in string");
      return true;
    },
  );
});

test("after a trap and a restart nothing of the old guest is left in an answer", async () => {
  const { instance, exports } = await open();
  await assert.rejects(exports.boom(), { name: "InstanceTrapped" });
  await instance.restart();
  assert.equal(await exports.nothing(), undefined);
});

test("calls of a dead instance cost no memory, and take nothing of their arguments", async () => {
  const { instance, exports } = await open();
  await assert.rejects(exports.boom());
  let cancelled = false;
  const stream = new ReadableStream({
    cancel() {
      cancelled = true;
    },
  });
  await assert.rejects(exports.sum(stream), { name: "InstanceTrapped" });
  let thrown = 0;
  const count = () => {
    thrown++;
  };
  const used = async () => {
    for (let i = 0; i < 50_000; i++) {
      try {
        exports.joined([], []);
      } catch {
        thrown++;
      }
      exports.nothing().catch(count);
    }
    await macrotask();
    globalThis.gc();
    return process.memoryUsage().heapUsed;
  };
  // The first rounds warm the engine up.
  for (let i = 0; i < 2; i++) await used();
  const before = await used();
  const grown = (await used()) - before;
  assert.equal(thrown, 400_000);
  assert.ok(grown < 1_000_000, `${grown} bytes`);
  await instance.restart();
  await instance.dispose();
  assert.equal(cancelled, false, "it was never the guest's");
});

test("an error that is larger than memory should hold crosses cut short", async () => {
  const { exports, questions } = await open();
  const call = exports.guarded("x");
  questions[0].reject(new Error("é".repeat(4_000_000)));
  await assert.rejects(call, (e) => {
    assert.equal(e.message, "é".repeat(2 ** 20));
    return true;
  });
});

test("what is thrown and is no error has its text; null is no cause", async () => {
  const { exports, questions } = await open();
  for (const [thrown, message] of [
    [null, "null"],
    [undefined, "undefined"],
    ["text", "text"],
    [7, "7"],
  ]) {
    const call = exports.guarded("x");
    questions.pop().reject(thrown);
    await assert.rejects(call, { name: "Error", message });
  }
  const call = exports.guarded("x");
  questions.pop().reject(new Error("x", { cause: null }));
  await assert.rejects(call, (e) => !("cause" in e));
});
