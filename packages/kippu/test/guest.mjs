// Small guests written by hand, so that the host is tested against the boundary itself.

import wabtInit from "wabt";

const wabt = await wabtInit();

/** Where the guests keep things. */
export const HEADER = 1024;
export const RING = 2048;
export const ARENA = 20480;
export const CAPACITY = 1024;
export const ARENA_LEN = 16384;
const HEAP = 65536;

const varint = (n) => {
  const out = [];
  for (; n > 127; n >>>= 7) out.push((n & 127) | 128);
  return [...out, n];
};
const text = (s) => {
  const bytes = new TextEncoder().encode(s);
  return [...varint(bytes.length), ...bytes];
};

export const TYPES = {
  unit: 0,
  bool: 1,
  i8: 2,
  u8: 3,
  i16: 4,
  u16: 5,
  i32: 6,
  u32: 7,
  f32: 8,
  f64: 9,
  string: 10,
  bytes: 11,
};

/** A type by name, or the bytes of a type. */
const type = (t) => (typeof t === "string" ? [TYPES[t]] : t);

/** One entry of the custom section. */
export const entry = ({
  version = 1,
  kind = 0,
  async = true,
  name,
  doc = "",
  params = {},
  result = "unit",
}) => {
  const body = [
    version,
    kind,
    +async,
    ...text(name),
    ...text(doc),
    ...varint(Object.keys(params).length),
    ...Object.entries(params).flatMap(([n, t]) => [...text(n), ...type(t)]),
    ...type(result),
  ];
  return [...new Uint8Array(new Uint32Array([body.length]).buffer), ...body];
};

/** `wasm` with one more custom section. */
export const withSection = (wasm, bytes, name = "kippu") => {
  const body = [...text(name), ...bytes];
  return new Uint8Array([...wasm, 0, ...varint(body.length), ...body]);
};

/** The binary of WAT text. */
export const compile = (wat) => {
  const module = wabt.parseWat("guest.wat", wat);
  const { buffer } = module.toBinary({});
  module.destroy();
  return new Uint8Array(buffer);
};

/** The parts that each guest has; `without` names exports to leave out. */
const base = ({ abi = 2, turn, alloc, without = [], pages = 2, capacity = CAPACITY }) => {
  const parts = {
    memory: `(memory (export "memory") ${pages})`,
    kippu_abi: `(func (export "kippu_abi") (result i32) (i32.const ${abi}))`,
    kippu_ring: `(func (export "kippu_ring") (result i32) (i32.const ${HEADER}))`,
    kippu_alloc: `(func $alloc (export "kippu_alloc") (param $len i32) (result i32)
      ${alloc ?? "(call $bump (local.get $len))"})`,
    kippu_free: `(func (export "kippu_free") (param i32 i32)
      (global.set $freed (i32.add (global.get $freed) (i32.const 1))))`,
    kippu_turn: `(func (export "kippu_turn") (param $n i32) (result f64) ${turn ?? "(f64.const -1)"})`,
  };
  return `
    (global $heap (mut i32) (i32.const ${HEAP}))
    (global $freed (export "freed") (mut i32) (i32.const 0))
    (data (i32.const ${HEADER}) "${le(capacity)}${le(RING)}${le(ARENA)}${le(ARENA_LEN)}")
    (func $bump (param $len i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $heap))
      (global.set $heap (i32.and (i32.add (i32.add (local.get $at) (local.get $len)) (i32.const 7)) (i32.const -8)))
      (block $ok
        (br_if $ok (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.add (i32.div_u (local.get $len) (i32.const 65536)) (i32.const 1)))))
      (local.get $at))
    ${Object.entries(parts)
      .filter(([name]) => !without.includes(name))
      .map(([, part]) => part)
      .join("\n")}`;
};

const le = (n) =>
  [0, 8, 16, 24].map((s) => `\\${((n >>> s) & 255).toString(16).padStart(2, "0")}`).join("");

/**
 * A guest: `imports` and `body` are WAT, `entries` goes into the custom section, the rest is
 * what `base` takes.
 */
export const guest = ({ imports = "", body = "", entries = [], ...rest } = {}) =>
  withSection(
    compile(`(module ${imports} ${base(rest)} ${body})`),
    entries.flatMap((e) => entry(e)),
  );

/** WAT: index of the answer record's fields. */
export const ANSWER = HEADER + 16;
