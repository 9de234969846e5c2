// The custom section `kippu`.

import { numbersOf } from "./numbers.js";
import { readText } from "./text.js";
import {
  type Codec,
  type Fail,
  type Param,
  type Signature,
  type Stream,
  T_NUMBERS,
  T_SERDE,
  T_STREAM,
  type Type,
} from "./types.js";

/** A place in bytes that are being read. */
export type Cursor = [u8: Uint8Array, at: number];

/** Makes the codec of the schema at the cursor and moves the cursor behind it. */
export type CodecMaker = (cursor: Cursor) => Codec;

/** Behind the end of the bytes there are zeros. */
export const readVarint = (c: Cursor): number => {
  let n = 0;
  for (let unit = 1, byte = 128; byte > 127; unit *= 128) {
    byte = c[0][c[1]++];
    n += (byte & 127) * unit;
  }
  return n;
};

export const readString = (c: Cursor): string => {
  const len = readVarint(c);
  c[1] += len;
  return readText(c[0], c[1] - len, len);
};

/** The entries of version 1: signatures by name, of host functions and of exports. */
export const readSection = (
  module: WebAssembly.Module,
  fail: Fail,
  codec: CodecMaker = () => {
    throw fail("SERDE");
  },
  stream: (item: Type) => Stream = () => {
    throw fail("STREAM");
  },
): Record<string, Signature>[] => {
  const found: Record<string, Signature>[] = [Object.create(null), Object.create(null)];
  for (const section of WebAssembly.Module.customSections(module, "kippu")) {
    const u8 = new Uint8Array(section);
    const c: Cursor = [u8, 0];
    const type = (): Type => {
      const byte = readVarint(c);
      if (byte === T_STREAM) return stream(type());
      if (byte > T_SERDE) {
        const numbers = byte === T_NUMBERS && numbersOf(readVarint(c));
        if (numbers) return numbers;
        throw byte;
      }
      return byte === T_SERDE ? codec(c) : byte;
    };
    while (c[1] < u8.length) {
      let name = "";
      try {
        const end = new DataView(section).getUint32(c[1], true) + c[1] + 4;
        const [version, kind, isAsync] = u8.subarray(c[1] + 4);
        if (version === 1) {
          c[1] += 7;
          name = readString(c);
          const doc = readString(c);
          const params: Param[] = [];
          for (let n = readVarint(c); n-- && c[1] < end; ) params.push([readString(c), type()]);
          found[kind][name] = [name, !!isAsync, params, type(), doc];
          if (c[1] !== end || end > u8.length) throw end;
        }
        c[1] = end;
      } catch (e) {
        throw /^KIPPU_S(ERDE|TREAM)$/.test((e as { code: string }).code)
          ? e
          : fail("SECTION", name);
      }
    }
  }
  return found;
};
