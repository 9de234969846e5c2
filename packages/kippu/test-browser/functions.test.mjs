// Functions both ways on a page: streams, signals, errors, arrays, restarts and dumps in real browsers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BROWSER_NAMES, launch, serve } from "../../../conformance/browsers.mjs";
import { buildGuest } from "../test/rust.mjs";

let server;
before(async () => {
  server = await serve({
    "/": "<!doctype html><meta charset=utf-8><title>functions</title><p>",
    "/favicon.ico": (_, response) => response.writeHead(204).end(),
    "/chunks": (_, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      response.write("x".repeat(1000));
      setTimeout(() => response.end("y".repeat(500)), 20);
    },
    "/guest.wasm": buildGuest("boundary-guest"),
    "/kippu/": new URL("../dist/", import.meta.url),
  });
});
after(() => server?.close());

/** In the page: a fresh instance, and what it noted. */
const prepare = () => {
  globalThis.open = async (host = {}) => {
    const { instantiate } = await import("/kippu/browser.js");
    const notes = [];
    const module = await WebAssembly.compileStreaming(fetch("/guest.wasm"));
    const names = WebAssembly.Module.imports(module).filter(({ module }) => module === "host");
    const unused = Object.fromEntries(names.map(({ name }) => [name, () => undefined]));
    const note = (what) => {
      notes.push(what);
    };
    const instance = await instantiate(module, { host: { ...unused, note, ...host } });
    return { instance, exports: instance.exports, notes };
  };
  globalThis.later = () => new Promise((done) => setTimeout(done, 5));
};

for (const name of BROWSER_NAMES)
  describe(name, () => {
    let browser;
    let page;
    before(async () => {
      browser = await launch(name);
      page = await browser.newPage(server.url);
      await page.evaluate(prepare);
    });
    after(() => browser?.close());

    test("the body of a response is an AsyncRead, piece by piece", async () => {
      const lengths = await page.evaluate(async () => {
        const { exports } = await open();
        const { body } = await fetch("/chunks");
        return [...(await exports.read_pieces(body, 400))];
      });
      assert.equal(
        lengths.reduce((sum, len) => sum + len, 0),
        1500,
      );
      assert.ok(lengths.every((len) => len <= 400));
    });

    test("streams go through Rust, and end when the page leaves the loop", async () => {
      const log = await page.evaluate(async () => {
        const { exports, notes } = await open();
        const log = [];
        async function* numbers() {
          try {
            for (let n = 1; ; n++) yield n;
          } finally {
            log.push("closed");
          }
        }
        for await (const n of exports.doubled(numbers())) {
          log.push(n);
          if (n === 6) break;
        }
        for await (const n of exports.count(100)) if (n === 2) break;
        await later();
        return [...log, ...notes];
      });
      const made = ["made 0", "made 1", "made 2", "count dropped"];
      assert.deepEqual(log, [2, 4, 6, "closed", ...made]);
    });

    test("a Rust stream is the body of a Response", async () => {
      const length = await page.evaluate(async () => {
        const { exports } = await open();
        const { toReadableStream } = await import("/kippu/browser.js");
        const body = toReadableStream(exports.chunks(10, 100_000));
        return (await new Response(body).arrayBuffer()).byteLength;
      });
      assert.equal(length, 1_000_000);
    });

    test("a signal that aborts drops the future and aborts the host's operation", async () => {
      const seen = await page.evaluate(async () => {
        let signal;
        const { exports, notes } = await open({
          ask: (_, context) => {
            signal = context.signal;
            return new Promise(() => {});
          },
        });
        const controller = new AbortController();
        const call = exports.guarded("x", controller.signal);
        controller.abort(new RangeError("enough"));
        const reason = await call.catch((e) => e);
        const timed = await exports.sleeps(AbortSignal.timeout(5)).catch((e) => e.name);
        await later();
        return { notes, reason: `${reason}`, aborted: signal.aborted, timed };
      });
      assert.deepEqual(seen, {
        notes: ["started", "dropped", "dropped"],
        reason: "RangeError: enough",
        aborted: true,
        timed: "TimeoutError",
      });
    });

    test("errors have names and causes; numbers are typed arrays", async () => {
      const seen = await page.evaluate(async () => {
        const { exports } = await open({ amplify: (samples) => samples.map((s) => s * 2) });
        let error;
        try {
          exports.configure("a.toml", "x");
        } catch (e) {
          error = e;
        }
        const louder = await exports.louder(new Float32Array([0.25, 0.5]));
        return [`${error}`, `${error.cause}`, louder.constructor.name, ...louder];
      });
      const cause = "Error: invalid digit found in string";
      assert.deepEqual(seen, [
        "ConfigError: a.toml is no configuration",
        cause,
        "Float32Array",
        0.5,
        1,
      ]);
    });

    test("a panic poisons, a restart heals", async () => {
      const seen = await page.evaluate(async () => {
        const { instance, exports } = await open();
        const pending = exports.sleeps().catch((e) => e.name);
        const panic = await exports.boom().catch((e) => `${e.name}: ${e.cause.message}`);
        const trapped = instance.trapped.name;
        await instance.restart();
        return [await pending, panic, trapped, instance.trapped ?? "alive", await exports.same(3)];
      });
      assert.deepEqual(seen, [
        "InstanceTrapped",
        "InstanceTrapped: boom",
        "InstanceTrapped",
        "alive",
        3,
      ]);
    });
  });
