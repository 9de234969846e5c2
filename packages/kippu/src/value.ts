// Checks and conversions of single values, the same for both directions.

import { readText } from "./text.js";
import {
  type Codec,
  isStream,
  type Raw,
  T_BOOL,
  T_STRING,
  T_U32,
  T_UNIT,
  TYPE_NAMES,
  type Type,
} from "./types.js";

const describe = (v: unknown): string =>
  typeof v === "object" && v
    ? (v.constructor?.name ?? "object")
    : typeof v === "function"
      ? "function"
      : typeof v === "string"
        ? JSON.stringify(v.slice(0, 40))
        : String(v);

/** The error for a value that does not belong to a type. */
export const wrongType = (where: string, type: string, v: unknown): TypeError =>
  Object.assign(new TypeError(`${where}: expected ${type}, got ${describe(v)}`), {
    code: "KIPPU_TYPE",
  });

/** `v` as it crosses as `type`. Throws TypeError, naming `where`, when it does not belong there. */
export const toRaw = (where: string, type: Type, v: unknown): Raw => {
  if (typeof type !== "number") return isStream(type) ? type.take(v, where) : type.encode(v, where);
  if (type === T_UNIT) return;
  if (type > T_STRING) {
    if (v instanceof Uint8Array) return v;
    if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
    if (v instanceof ArrayBuffer) return new Uint8Array(v);
  } else if (type === T_STRING) {
    if (typeof v === "string") return v;
  } else if (type === T_BOOL) {
    if (typeof v === "boolean") return +v;
  } else if (typeof v === "number") {
    if (type > T_U32) return v;
    // 2, 3: 8 bits; 4, 5: 16; 6, 7: 32; the odd ones are unsigned. A value that does not
    // survive the cast does not belong to the type.
    const unused = 32 - (4 << (type >> 1));
    const bits = v << unused;
    if ((type & 1 ? bits >>> unused : bits >> unused) === v) return v;
  }
  throw wrongType(where, TYPE_NAMES[type], v);
};

/** The JavaScript value of a number that crossed as `type`. */
export const fromNumber = (type: Type, v: number): unknown =>
  typeof type === "object" && isStream(type)
    ? type.open(v >>> 0)
    : type === T_BOOL
      ? !!v
      : type === T_U32
        ? v >>> 0
        : v;

/** The value of bytes that crossed as `type`; of type bytes it is a view unless `copy`. */
export const fromBytes = (
  type: Type,
  u8: Uint8Array,
  at: number,
  len: number,
  copy?: boolean,
): unknown =>
  typeof type === "object"
    ? (type as Codec).decode(u8, at, len)
    : type === T_STRING
      ? readText(u8, at, len)
      : u8[copy ? "slice" : "subarray"](at, at + len);
