// A guest with one function `f` that hands what it gets to the host function `f`, and what comes
// back to its caller: whatever crosses does so in both directions.

import { ANSWER, guest, RING, TYPES } from "./guest.mjs";

const RAW = { f32: "f32", f64: "f64" };
const raw = (type) =>
  typeof type !== "string" || type === "string" || type === "bytes"
    ? ["i32", "i32"]
    : [RAW[type] ?? "i32"];

const fromRecord = (at) => `
  (i32.and (i32.load offset=4 ${at}) (i32.const 31))
  (i32.load offset=8 ${at})
  (i32.load offset=12 ${at})
  (f64.load offset=8 ${at})`;

/**
 * `hostAsync` and `exportAsync` say which side is async. The ticket of a call is its number.
 * `next` is what turns give. `more` goes to `guest`.
 */
export const relay = ({
  params = {},
  result = "unit",
  hostAsync = true,
  exportAsync = hostAsync,
  turn,
  next = "(f64.const -1)",
  ...more
} = {}) => {
  const types = Object.values(params).flatMap(raw);
  const locals = types.map((type, i) => `(param $a${i} ${type})`).join(" ");
  const args = types.map((_, i) => `(local.get $a${i})`).join(" ");
  const call = exportAsync ? "(local.get $call)" : "(i32.const -1)";
  return guest({
    ...more,
    imports: `
      (import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
      (import "host" "f" (func $f (param ${hostAsync ? "i32" : ""} ${types.join(" ")}) (result i32)))
      ${more.imports ?? ""}`,
    turn:
      turn ??
      `(local $i i32) (local $at i32)
      (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $at (i32.add (i32.const ${RING}) (i32.mul (local.get $i) (i32.const 16))))
        (global.set $owned (i32.add (global.get $owned)
          (i32.and (i32.const 1) (i32.shr_u (i32.load offset=4 (local.get $at)) (i32.const 5)))))
        (call $reply (i32.load (local.get $at)) ${fromRecord("(local.get $at)")})
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      ${next}`,
    body: `
      (global $turns (export "turns") (mut i32) (i32.const 0))
      (global $owned (export "owned") (mut i32) (i32.const 0))
      (func (export "kippu_export:f") ${exportAsync ? "(param $call i32)" : ""} ${locals} (result i32)
        (if (call $f ${hostAsync ? (exportAsync ? "(local.get $call)" : "(i32.const 9)") : ""} ${args})
          (then (call $reply ${call} ${fromRecord(`(i32.const ${ANSWER})`)})))
        (i32.const 0))
      ${more.body ?? ""}`,
    entries: [
      { name: "f", async: hostAsync, params, result },
      { kind: 1, name: "f", async: exportAsync, params, result },
      ...(more.entries ?? []),
    ],
  });
};

export const NUMBER_TYPES = Object.keys(TYPES).slice(1, 10);
