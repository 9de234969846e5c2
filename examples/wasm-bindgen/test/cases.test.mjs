// What can go wrong when wasm-bindgen's crates and Kippu are in one guest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InstanceTrapped, instantiate, run } from "kippu";
import { wasmBindgen } from "kippu/wasm-bindgen";
import { counterClass } from "../counter.mjs";
import { built, glueOf } from "./built.mjs";

const wasm = new URL("cases/cases_bg.wasm", built);
const outside = await import(new URL("cases/outside.mjs", built).href);

const open = async (given = {}) => {
  const glue = await glueOf("cases");
  const said = [];
  const instance = await instantiate(wasm, {
    host: {
      ask: async (question) => `${question}!`,
      say(word) {
        if (word === "bad")
          throw Object.assign(new TypeError("not that", { cause: new RangeError("too bad") }), {
            code: "E_BAD",
          });
        said.push(word);
      },
      ...given,
    },
    foreign: wasmBindgen(glue, { "./outside.mjs": outside }),
  });
  return { glue, said, instance, exports: instance.exports };
};

const sleep = (ms) => new Promise((ok) => setTimeout(ok, ms));

test("a promise is awaited in a task, resolved at once, later or with a thenable's value", async () => {
  const { exports } = await open();
  assert.equal(await exports.wait("now"), "now");
  assert.equal(await exports.wait("later"), "later");
  assert.deepEqual(await Promise.all(["later", "now", "later"].map((n) => exports.wait(n))), [
    "later",
    "now",
    "later",
  ]);
});

test("a dump says that a task waits for a promise", async () => {
  const { exports, instance } = await open();
  exports.wait("never").catch(() => {});
  const [{ name, state, waitsFor }] = instance.dump();
  assert.deepEqual([name, state, waitsFor], ["wait", "waiting", "a promise"]);
  await instance.dispose();
});

test("what a promise rejects with arrives with name, message, code, stack and causes", async () => {
  const { exports } = await open();
  await assert.rejects(exports.wait("error"), (e) => {
    assert.equal(e.name, "TypeError");
    assert.equal(e.message, "no");
    assert.equal(e.code, "E_NO");
    assert.match(e.stack, /outside\.mjs/);
    assert.equal(e.cause.name, "RangeError");
    assert.equal(e.cause.message, "why");
    return true;
  });
  await assert.rejects(exports.wait("text"), { name: "Error", message: "just text" });
  await assert.rejects(exports.wait("nothing"), { name: "Error", message: "" });
  await assert.rejects(exports.wait("circle"), (e) => e.cause.cause.cause.message === "circle");
  await assert.rejects(exports.wait("nasty"), { name: "Error" });
});

test("what a function throws arrives the same way, and errors of host functions go on to it", async () => {
  const { exports, glue } = await open();
  assert.throws(() => exports.throws("error"), {
    name: "TypeError",
    message: "no",
    code: "E_NO",
  });
  assert.throws(
    () => glue.sayTheirs("bad"),
    (e) =>
      e instanceof Error &&
      e.name === "TypeError" &&
      e.message === "not that" &&
      e.code === "E_BAD" &&
      e.cause.message === "too bad",
  );
});

test("functions of the program's own modules are found, and start functions have run", async () => {
  const { exports, said } = await open();
  assert.deepEqual(said, ["started"]);
  assert.equal(exports.sum(40, 2), 42);
});

test("timers of both sides fire in one task", async () => {
  const { exports } = await open();
  assert.ok((await exports.both_timers()) >= 38);
});

test("tasks of both queues wake each other", async () => {
  const { exports } = await open();
  assert.equal(await exports.ping_pong(1000), 1000);
});

test("a busy task of Kippu's leaves time to the other queue and its timers", async () => {
  const { exports } = await open();
  assert.ok((await exports.beside_busy(200)) >= 5);
});

test("an async export of wasm-bindgen's may use Kippu's time, tasks and host functions", async () => {
  const { glue, exports } = await open();
  // Nothing else turns Kippu meanwhile.
  assert.equal(await glue.theirs("really"), "really!");
  assert.deepEqual(await Promise.all([glue.theirs("a"), exports.wait("later"), glue.theirs("b")]), [
    "a!",
    "later",
    "b!",
  ]);
});

test("a promise that settles after its future was dropped is harmless", async () => {
  const { exports } = await open();
  const controller = new AbortController();
  const call = exports.wait_and_count("later", controller.signal);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(exports.dropped(), 1);
  await sleep(20);
  assert.equal(await exports.wait("now"), "now");
});

test("classes, and JavaScript's exceptions on their way through them, do not end the instance", async () => {
  const { glue, exports, instance } = await open();
  const counter = new glue.Counter(1);
  assert.equal(
    counter.step(() => {}),
    2,
  );
  const mine = new Error("mine");
  assert.throws(
    () =>
      counter.step(() => {
        throw mine;
      }),
    (e) => e === mine,
  );
  counter.free();
  assert.throws(() => glue.throwTheirs(), { message: "theirs" });
  assert.equal(instance.trapped, undefined);
  assert.equal(await exports.wait("now"), "now");
});

test("a class that has moved over keeps its state in Rust", async () => {
  const { exports } = await open();
  const Counter = counterClass(exports);
  const [one, ten] = [new Counter(1), new Counter(10)];
  assert.deepEqual([one.step(), ten.step(), one.step()], [2, 11, 3]);
  one.free();
  assert.throws(() => one.step(), { message: "it was freed" });
  assert.equal(ten.step(), 12);
});

test("a panic in a callback ends the instance and rejects what waits", async () => {
  const { glue, exports, instance } = await open();
  const callback = glue.callback();
  assert.equal(callback(false), 7);
  const pending = exports.wait("never");
  assert.throws(() => callback(true), InstanceTrapped);
  await assert.rejects(pending, (e) => {
    assert.ok(e instanceof InstanceTrapped);
    assert.equal(e.cause.message, "the callback was given true");
    assert.match(e.cause.location, /cases.src.lib\.rs/);
    return true;
  });
  assert.ok(instance.trapped);
  assert.throws(() => glue.sayTheirs("more"), InstanceTrapped);
});

test("an exception that passes an export of Kippu's ends the instance", async () => {
  const { exports, instance } = await open();
  assert.throws(() => exports.throw_through(), /thrown through/);
  assert.ok(instance.trapped instanceof InstanceTrapped);
});

test("after dispose late callbacks do nothing and calls throw", async () => {
  const { glue, exports, instance } = await open();
  const callback = glue.callback();
  const counter = new glue.Counter(1);
  const pending = exports.both_timers();
  const rejected = assert.rejects(pending, { code: "KIPPU_DISPOSED" });
  await instance.dispose();
  await rejected;
  // The timer of gloo fires after this.
  await sleep(40);
  assert.doesNotThrow(() => callback(true));
  counter.free();
  assert.throws(() => glue.sayTheirs("more"), { code: "KIPPU_DISPOSED" });
});

test("glue serves one instance, and a function makes a fresh one for each", async () => {
  const glue = await glueOf("cases");
  const options = {
    host: { ask: async () => "", say() {} },
    foreign: wasmBindgen(glue, { "./outside.mjs": outside }),
  };
  // An instance that is never made does not take it.
  await assert.rejects(instantiate(wasm, { ...options, host: {} }), {
    code: "KIPPU_MISSING_HOST",
  });
  await instantiate(wasm, options);
  await assert.rejects(instantiate(wasm, options), { code: "KIPPU_GLUE" });

  const glues = [];
  const fresh = wasmBindgen(
    async () => {
      glues.push(await glueOf("cases"));
      return glues.at(-1);
    },
    { "./outside.mjs": outside },
  );
  const pair = await Promise.all(
    [0, 1].map(() => instantiate(wasm, { ...options, foreign: fresh })),
  );
  assert.equal(glues.length, 2);
  const waits = pair.map(({ exports }) => exports.wait("later"));
  await pair[0].dispose();
  await assert.rejects(waits[0], { code: "KIPPU_DISPOSED" });
  assert.equal(await waits[1], "later");
});

test("a restart takes fresh glue, and leaves what is late to the old one", async () => {
  const glues = [];
  const instance = await instantiate(wasm, {
    host: { ask: async () => "", say() {} },
    foreign: wasmBindgen(
      async () => {
        glues.push(await glueOf("cases"));
        return glues.at(-1);
      },
      { "./outside.mjs": outside },
    ),
  });
  const { wait } = instance.exports;
  const [old, unused] = [glues[0].callback(), glues[0].callback()];
  assert.throws(() => old(true), InstanceTrapped);
  await assert.rejects(wait("now"), InstanceTrapped);
  await instance.restart();
  assert.equal(glues.length, 2);
  assert.equal(await wait("later"), "later");
  assert.doesNotThrow(() => unused(true));
  assert.equal(glues[1].callback()(false), 7);
  assert.equal(instance.trapped, undefined);
});

test("a missing function of wasm-bindgen's is named with the others", async () => {
  const glue = await glueOf("cases");
  await assert.rejects(
    instantiate(wasm, { host: { ask: async () => "", say() {} }, foreign: wasmBindgen(glue) }),
    (e) => {
      assert.equal(e.code, "KIPPU_MISSING_HOST");
      assert.deepEqual(
        e.functions.map(({ module, name }) => [module, name]),
        [["./outside.mjs", "add"]],
      );
      return true;
    },
  );
});

test("many awaits leave no values behind", async () => {
  const glue = await glueOf("cases");
  let raw;
  const watched = {
    ...glue,
    __wbg_set_wasm(exports) {
      raw = exports;
      glue.__wbg_set_wasm(exports);
    },
  };
  const { exports } = await instantiate(wasm, {
    host: { ask: async () => "", say() {} },
    foreign: wasmBindgen(watched, { "./outside.mjs": outside }),
  });
  const sizes = () => [raw.memory.buffer.byteLength, raw.__wbindgen_externrefs.length];
  assert.equal(await exports.wait_often("now", 1000), 1000);
  const before = sizes();
  assert.equal(await exports.wait_often("now", 20_000), 20_000);
  assert.deepEqual(sizes(), before);
});

const program = async (steps) => ({
  host: { note: (word) => steps.push(word) },
  foreign: wasmBindgen(await glueOf("program")),
});
const programWasm = new URL("program/program_bg.wasm", built);

test("a program starts when it is told to, once, and no callback is taken for a deadlock", async () => {
  const steps = [];
  const instance = await instantiate(programWasm, await program(steps));
  await sleep(5);
  assert.deepEqual(steps, []);
  assert.equal(await instance.start(), 42);
  assert.deepEqual(steps, ["begin", "timer", "promise"]);
  await assert.rejects(instance.start(), { code: "KIPPU_STARTED" });
  await instance.dispose();

  assert.equal(await run(programWasm, await program(steps)), 42);
  assert.equal(steps.length, 6);
});
