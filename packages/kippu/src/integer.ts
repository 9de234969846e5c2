// Integers of serde types. 64 and 128 bits are taken as number or bigint, and given as number
// when that is exact.

import type { Node } from "./codec.js";
import { S_I8, S_I16, S_I32, S_U8, S_U16, S_U32, SCALAR_NAMES } from "./schema.js";
import { getBigVarint, getByte, getVarint, ok, putBigVarint, putByte, putVarint } from "./wire.js";

const BITS = [0, 8, 8, 16, 32, 64, 128, 16, 32, 64, 128, 64, 64];

const small = (
  kind: number,
  low: number,
  high: number,
  put: (n: number) => void,
  get: () => number,
): Node => ({
  expected: SCALAR_NAMES[kind],
  put: (v) => {
    if (typeof v !== "number" || !(v >= low && v <= high && v % 1 === 0)) return false;
    put(v);
    return true;
  },
  get,
});

const unzigzag = (n: number): number => (n % 2 ? -(n + 1) / 2 : n / 2);

const large = (kind: number, signed: boolean): Node => {
  const bits = BITS[kind];
  const high = 1n << BigInt(signed ? bits - 1 : bits);
  const low = signed ? -high : 0n;
  const maxBytes = Math.ceil(bits / 7);
  return {
    expected: SCALAR_NAMES[kind],
    put: (v) => {
      if (typeof v === "number") {
        if (!Number.isSafeInteger(v) || (v < 0 && !signed)) return false;
        if (!signed) return ok(putVarint(v));
        // Twice the number must be exact too.
        if (Math.abs(v) < 2 ** 52) return ok(putVarint(v < 0 ? -2 * v - 1 : 2 * v));
        v = BigInt(v);
      }
      if (typeof v !== "bigint" || v < low || v >= high) return false;
      return ok(putBigVarint(!signed ? v : v < 0n ? -2n * v - 1n : 2n * v));
    },
    get: () => {
      const n = getBigVarint(maxBytes);
      if (!signed) return n;
      if (typeof n === "number") return unzigzag(n);
      const value = n & 1n ? -((n + 1n) >> 1n) : n >> 1n;
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    },
  };
};

/** The node of an integer kind. */
export const integer = (kind: number): Node => {
  if (kind === S_U8) return small(kind, 0, 255, putByte, getByte);
  if (kind === S_I8) return small(kind, -128, 127, putByte, () => (getByte() << 24) >> 24);
  const max = 2 ** BITS[kind];
  if (kind === S_U16 || kind === S_U32) return small(kind, 0, max - 1, putVarint, getVarint);
  if (kind === S_I16 || kind === S_I32)
    return small(
      kind,
      -max / 2,
      max / 2 - 1,
      (n) => putVarint(n < 0 ? -2 * n - 1 : 2 * n),
      () => unzigzag(getVarint()),
    );
  return large(kind, SCALAR_NAMES[kind][0] === "i");
};
