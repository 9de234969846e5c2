// What it costs a guest to wait for JavaScript, in nanoseconds per operation. The guest is
// written by hand, so this is the host's share alone.

import { instantiate } from "../dist/core.js";
import { ANSWER, guest, RING } from "../test/guest.mjs";

/** Calls `op` until `n` answers have come, `wide` of them at a time, then replies. */
const wasm = (args, params, result) =>
  guest({
    imports: `
      (import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
      (import "host" "op" (func $op (param i32 ${args.type}) (result i32)))`,
    turn: `
      (local $i i32)
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
        (global.set $sum (f64.add (global.get $sum)
          (f64.load offset=8 (i32.add (i32.const ${RING}) (i32.mul (local.get $i) (i32.const 16))))))
        (call $one)
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (f64.const -1)`,
    body: `
      (global $sum (mut f64) (f64.const 0))
      (global $todo (mut i32) (i32.const 0))
      (global $open (mut i32) (i32.const 0))
      (data (i32.const 512) "a string of 20 bytes")
      (func $one
        (global.set $open (i32.sub (global.get $open) (i32.const 1)))
        (call $start))
      (func $start
        (block $pending (loop $again
          (if (i32.eqz (global.get $todo)) (then
            (if (i32.eqz (global.get $open)) (then
              (call $reply (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0) (global.get $sum))))
            (return)))
          (global.set $todo (i32.sub (global.get $todo) (i32.const 1)))
          (global.set $open (i32.add (global.get $open) (i32.const 1)))
          (br_if $pending (i32.eqz (call $op (i32.const 7) ${args.value})))
          (global.set $sum (f64.add (global.get $sum) (f64.load (i32.const ${ANSWER + 8}))))
          (global.set $open (i32.sub (global.get $open) (i32.const 1)))
          (br $again))))
      (func (export "kippu_export:run") (param $call i32) (param $n i32) (param $wide i32) (result i32)
        (local $i i32)
        (global.set $todo (local.get $n))
        (loop $more
          (call $start)
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $i) (local.get $wide))))
        (i32.const 0))
      (func (export "kippu_export:eager") (param $call i32) (param $n i32) (result i32)
        (i32.store (i32.const ${ANSWER + 4}) (i32.const 1))
        (f64.store (i32.const ${ANSWER + 8}) (f64.const 1))
        (i32.const 1))`,
    entries: [
      { name: "op", params, result },
      { kind: 1, name: "run", params: { n: "u32", wide: "u32" }, result: "f64" },
      { kind: 1, name: "eager", params: { n: "u32" }, result: "f64" },
    ],
  });

const number = wasm({ type: "f64", value: "(f64.const 2)" }, { x: "f64" }, "f64");
const string = wasm(
  { type: "i32 i32", value: "(i32.const 512) (i32.const 20)" },
  { s: "string" },
  "string",
);

const measure = async (name, n, run) => {
  await run(n);
  await run(n);
  let best = Infinity;
  for (let i = 0; i < 7; i++) {
    const t = performance.now();
    await run(n);
    best = Math.min(best, ((performance.now() - t) * 1e6) / n);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(1).padStart(8)} ns`);
};

const N = 300_000;
const asyncOp = async (x) => x;
await measure("floor: plain JS await", N, async (n) => {
  for (let i = 0; i < n; i++) await asyncOp(i);
});
await measure("floor: 10,000 settled in a later macrotask", 10_000, async (n) => {
  const waiting = [];
  const op = () => new Promise((resolve) => waiting.push(resolve));
  const one = async () => (await op()) + 1;
  const all = Promise.all(Array.from({ length: n }, one));
  await new Promise((resolve) => setTimeout(resolve, 1));
  for (const resolve of waiting.splice(0)) resolve(1);
  await all;
});
{
  const { exports } = await instantiate(number, { host: { op: (x) => x } });
  await measure("async host function, plain answer", N, (n) => exports.run(n, 1));
}
{
  const { exports } = await instantiate(number, { host: { op: asyncOp } });
  await measure("async number, one at a time", N, (n) => exports.run(n, 1));
  await measure("async number, 100 at a time", N, (n) => exports.run(n, 100));
}
{
  const { exports } = await instantiate(string, { host: { op: async (s) => s } });
  await measure("async string of 20 bytes, there and back", N, (n) => exports.run(n, 1));
}
{
  const waiting = [];
  const { exports } = await instantiate(number, {
    host: { op: () => new Promise((resolve) => waiting.push(resolve)) },
  });
  await measure("10,000 awaits settled in a later macrotask", 10_000, async (n) => {
    const done = exports.run(n, n);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const resolve of waiting.splice(0)) resolve(1);
    await done;
  });
}
{
  const { exports } = await instantiate(number, { host: { op: (x) => x } });
  await measure("await of an export that answers at once", N, async (n) => {
    for (let i = 0; i < n; i++) await exports.eager(i);
  });
}
