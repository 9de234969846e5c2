// Guests that another tool's code is linked into: the option `foreign`, and what `wasmBindgen` makes of glue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InstanceTrapped, instantiate } from "../dist/index.js";
import { wasmBindgen } from "../dist/wasm-bindgen.js";
import { guest } from "./guest.mjs";

const wasm = guest({
  imports: `
    (import "./app_bg.js" "__wbg_start" (func $start (param f64)))
    (import "./app_bg.js" "table" (table 1 externref))
    (import "./own.js" "add" (func $add (param f64 f64 f64 f64 f64) (result f64)))`,
  body: `
    (func (export "__wbindgen_start") (call $start (f64.const 7)))
    (func (export "sum") (param f64 f64 f64 f64 f64) (result f64)
      (call $add (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
    (func (export "invoke_closure") (result f64) (f64.const 3))
    (func (export "kippu_export:one") (result i32) (i32.const 1))
    (func (export "boom") unreachable)`,
  entries: [{ kind: 1, async: false, name: "one" }],
});

/** Glue as wasm-bindgen's tool writes it. */
const makeGlue = (log = []) => ({
  log,
  table: new WebAssembly.Table({ element: "externref", initial: 1 }),
  __wbg_start: (n) => log.push(n),
  __wbg_set_wasm(exports) {
    this.exports = exports;
    log.push("set");
  },
});
const own = { "./own.js": { add: (...all) => all.reduce((a, b) => a + b) } };

test("imports that are no functions are found too, and start functions run once the guest can be called", async () => {
  const glue = makeGlue();
  const { exports } = await instantiate(wasm, { foreign: wasmBindgen(glue, own) });
  assert.deepEqual(glue.log, ["set", 7]);
  assert.equal(glue.exports.sum(1, 2, 3, 4, 5), 15);
  assert.equal(exports.one(), undefined);
});

test("each import that nobody gives is named", async () => {
  const { table, ...glue } = makeGlue();
  assert.ok(table);
  await assert.rejects(instantiate(wasm, { foreign: wasmBindgen(glue) }), (e) => {
    assert.deepEqual(
      e.functions.map(({ module, name }) => `${module} ${name}`),
      ["./app_bg.js table", "./own.js add"],
    );
    return true;
  });
});

test("a trap in the other tool's entry ends the instance; what is late is ignored then", async () => {
  const glue = makeGlue();
  const instance = await instantiate(wasm, { foreign: wasmBindgen(glue, own) });
  assert.equal(glue.exports.invoke_closure(), 3);
  assert.throws(() => glue.exports.boom(), InstanceTrapped);
  assert.ok(instance.trapped instanceof InstanceTrapped);
  assert.throws(() => glue.exports.sum(1, 2, 3, 4, 5), InstanceTrapped);
  assert.deepEqual(glue.exports.invoke_closure(), []);
});

test("a start function that traps rejects", async () => {
  const glue = {
    ...makeGlue(),
    __wbg_start() {
      this.exports.boom();
    },
  };
  glue.__wbg_start = glue.__wbg_start.bind(glue);
  await assert.rejects(instantiate(wasm, { foreign: wasmBindgen(glue, own) }), InstanceTrapped);
});

test("a link is made for each guest, also by a restart", async () => {
  const glues = [];
  const foreign = wasmBindgen(() => {
    glues.push(makeGlue());
    return glues.at(-1);
  }, own);
  const instance = await instantiate(wasm, { foreign });
  await instance.restart();
  assert.equal(glues.length, 2);
  assert.throws(() => glues[0].exports.sum(1, 2, 3, 4, 5), { code: "KIPPU_RESTARTED" });
  assert.equal(glues[1].exports.sum(1, 2, 3, 4, 5), 15);

  const once = await instantiate(wasm, { foreign: wasmBindgen(makeGlue(), own) });
  await assert.rejects(once.restart(), { code: "KIPPU_GLUE" });
});
