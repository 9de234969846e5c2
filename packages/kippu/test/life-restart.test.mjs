// A guest that takes the place of another, and the end of both.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { GuestPanic, InstanceTrapped, instantiate, nodeServices, OutOfMemory } from "kippu";
import { instantiate as instantiateCore } from "../dist/core.js";
import { guest } from "./guest.mjs";
import { host, macrotask, module, open, path } from "./life.mjs";

const RESTARTED = { code: "KIPPU_RESTARTED" };
const DISPOSED = { code: "KIPPU_DISPOSED" };

describe("restart", () => {
  test("of a healthy instance: fresh state behind the same functions", async () => {
    const instance = await open();
    const { exports } = instance;
    const { count, asked } = exports;
    assert.equal(count() + count(), 3);
    await instance.restart();
    assert.equal(instance.exports, exports);
    assert.equal(instance.trapped, undefined);
    assert.equal(count(), 1, "a function that was kept calls the new guest");
    assert.equal(exports.count(), 2);
    assert.equal(await asked(1), 1);
    await instance.restart();
    assert.equal(count(), 1);
  });

  for (const [how, why] of [
    ["panics", (e) => e.cause instanceof GuestPanic && e.cause.message === "on purpose"],
    ["traps", (e) => e.cause instanceof WebAssembly.RuntimeError],
    ["exhausts", (e) => e.cause instanceof OutOfMemory],
  ])
    test(`of an instance that ${how}`, async () => {
      const instance = await open();
      const { count, asked } = instance.exports;
      assert.equal(count(), 1);
      const pending = asked(0);
      assert.throws(instance.exports[how], (e) => e instanceof InstanceTrapped && why(e));
      const { trapped } = instance;
      assert.ok(trapped instanceof InstanceTrapped);
      await assert.rejects(pending, (e) => e === trapped);
      assert.throws(count, (e) => e === trapped);
      assert.throws(
        () => instance.dump(),
        (e) => e === trapped,
      );
      await instance.restart();
      assert.equal(instance.trapped, undefined);
      assert.equal(count(), 1);
      assert.equal(await asked(1), 1);
      // Again and again.
      assert.throws(instance.exports[how], InstanceTrapped);
      await instance.restart();
      assert.equal(count(), 1);
    });

  test("rejects what is pending, aborts host operations, and ignores their late answers", async () => {
    const signals = [];
    const late = [];
    const instance = await open({
      ask(_what, { signal }) {
        signals.push(signal);
        return new Promise((resolve) => late.push(resolve));
      },
    });
    const { asked, count_twice, waits, stream_of } = instance.exports;
    const controller = new AbortController();
    const pending = [asked(7), asked(8), count_twice(60_000), waits(controller.signal)];
    const ends = pending.map((call) => assert.rejects(call, RESTARTED));
    const stream = stream_of(10);
    assert.equal((await stream.next()).value, 0);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false, false],
    );
    const done = instance.restart();
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true],
    );
    await Promise.all(ends);
    await done;
    // Nothing of the old guest reaches the new one, which uses the same numbers again.
    const fresh = asked(9);
    controller.abort();
    await assert.rejects(stream.next(), RESTARTED);
    await stream.return();
    late[0](1);
    late[1](2);
    await macrotask();
    late[2](3);
    assert.equal(await fresh, 3);
    assert.deepEqual(instance.dump(), []);
  });

  test("calls in the meantime fail, and calls of restart share one", async () => {
    let made = 0;
    const services = () => {
      made++;
      return nodeServices().services;
    };
    const instance = await open({}, { services });
    const all = [instance.restart(), instance.restart(), instance.restart()];
    assert.throws(() => instance.exports.count(), RESTARTED);
    assert.equal(instance.trapped.code, "KIPPU_RESTARTED");
    await Promise.all(all);
    assert.equal(made, 2);
    assert.equal(instance.exports.count(), 1);
  });

  test("a failed one leaves the instance dead, and may be tried again", async () => {
    let fail = false;
    const services = () => {
      if (fail) throw new Error("no services");
      return nodeServices().services;
    };
    const instance = await open({}, { services });
    fail = true;
    await assert.rejects(instance.restart(), { message: "no services" });
    assert.throws(() => instance.exports.count(), RESTARTED);
    fail = false;
    await instance.restart();
    assert.equal(instance.exports.count(), 1);
  });

  test("from a host function: the old guest ends, the new one is not harmed", async () => {
    let restarted;
    const instance = await open({
      call_back() {
        restarted = instance.restart();
      },
    });
    await assert.rejects(instance.exports.call_in_task(), RESTARTED);
    await restarted;
    assert.equal(instance.exports.count(), 1);
    assert.throws(() => instance.exports.call(), RESTARTED);
    await restarted;
    assert.equal(instance.exports.count(), 1);
  });

  test("main may be started once more", async () => {
    const instance = await open();
    assert.equal(await instance.start(), 3);
    await assert.rejects(instance.start(), { code: "KIPPU_STARTED" });
    await instance.restart();
    const first = assert.rejects(instance.start(), RESTARTED);
    await instance.restart();
    await first;
    assert.equal(await instance.start(), 3);
    await instance.dispose();
  });

  test("timers of the old guest are gone", async () => {
    const instance = await open();
    const pending = assert.rejects(instance.exports.count_twice(20), RESTARTED);
    await instance.restart();
    await pending;
    assert.equal(await instance.exports.count_twice(40), 3);
  });

  test("services are closed and made anew", async () => {
    const log = [];
    const { open: openModule } = await import("../dist/index.js");
    const make = () => {
      const n = log.push("made");
      return { ...nodeServices(), close: async () => void log.push(`closed ${n}`) };
    };
    const instance = await openModule(module, { host }, make);
    assert.deepEqual(log, ["made"]);
    await instance.restart();
    assert.deepEqual(log, ["made", "closed 1", "made"]);
    await instance.dispose();
    await instance.dispose();
    assert.deepEqual(log, ["made", "closed 1", "made", "closed 3"]);
  });

  test("after dispose it is an error, also when dispose came in between", async () => {
    const gone = await open();
    await gone.dispose();
    await assert.rejects(gone.restart(), DISPOSED);
    const instance = await open();
    const restarting = instance.restart();
    const disposing = instance.dispose();
    await assert.rejects(restarting, DISPOSED);
    await disposing;
    assert.throws(
      () => instance.exports.count(),
      (e) => /KIPPU_(RESTARTED|DISPOSED)/.test(e.code),
    );
    await assert.rejects(instance.restart(), DISPOSED);
  });

  test("core has it, too", async () => {
    const instance = await instantiateCore(guest());
    await instance.restart();
    assert.equal(instance.trapped, undefined);
    assert.throws(() => instance.dump(), { code: "KIPPU_NO_DUMP" });
  });
});

describe("dispose", () => {
  test("ends calls, host operations, streams and timers; a second one changes nothing", async () => {
    let aborted = false;
    const instance = await open({
      ask: (_what, { signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
        }),
    });
    const { asked, count_twice, stream_of } = instance.exports;
    const pending = [asked(5), count_twice(10_000), instance.start()];
    const ends = pending.map((call) => assert.rejects(call, DISPOSED));
    const stream = stream_of(3);
    await instance[Symbol.asyncDispose]();
    await Promise.all(ends);
    await assert.rejects(stream.next(), DISPOSED);
    assert.equal(aborted, true);
    const { trapped } = instance;
    await instance.dispose();
    assert.equal(instance.trapped, trapped);
    assert.throws(() => instance.exports.count(), DISPOSED);
  });

  test("within a call: the call fails", async () => {
    const instance = await open({
      call_back() {
        instance.dispose();
      },
    });
    await assert.rejects(instance.exports.call_in_task(), DISPOSED);
    assert.throws(() => instance.exports.count(), DISPOSED);
  });

  test("of a trapped instance keeps the reason", async () => {
    const instance = await open();
    assert.throws(instance.exports.panics);
    await instance.dispose();
    assert.ok(instance.trapped instanceof InstanceTrapped);
  });

  test("a process ends by itself when it has disposed of everything", async () => {
    const here = fileURLToPath(new URL(".", import.meta.url));
    const program = `
      import { readFile } from "node:fs/promises";
      import { instantiate } from "kippu";
      const host = { ask: () => new Promise(() => {}) };
      for (const name of ${JSON.stringify(Object.keys(host))}) host[name] ??= () => {};
      const instance = await instantiate(await readFile(new URL(${JSON.stringify(pathToFileURL(path))})), { host });
      const calls = Promise.allSettled([
        instance.exports.count_twice(600_000),
        instance.exports.asked(1),
        instance.start(),
      ]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (process.argv[1] === "restart") await instance.restart();
      await instance.dispose();
      const ends = await calls;
      console.log(ends.map((end) => end.reason.code).join());`;
    const run = async (how) => {
      const args = ["--input-type=module", "--eval", program, how];
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        cwd: here,
        timeout: 20_000,
      });
      return stdout.trim();
    };
    assert.equal(await run("plain"), Array(3).fill("KIPPU_DISPOSED").join());
    assert.equal(await run("restart"), Array(3).fill("KIPPU_RESTARTED").join());
  });
});

test("instantiate by path restarts with the services of Node", async () => {
  const lines = [];
  const stdout = new WritableStream({ write: (bytes) => void lines.push(bytes) });
  const instance = await instantiate(path, { host, stdio: { stdout } });
  await instance.restart();
  await instance.restart();
  assert.equal(instance.exports.count(), 1);
  await instance.dispose();
  stdout.getWriter().releaseLock();
});
