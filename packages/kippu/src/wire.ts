// postcard's wire format: the bytes under the codecs. One writer and one reader serve all codecs;
// a codec that is entered while another one writes appends behind it.

import { encodeText, readText, writeText } from "./text.js";

let out = new Uint8Array(1024);
let view = new DataView(out.buffer);
/** Where the next byte is written. */
let end = 0;

let source: Uint8Array = new Uint8Array();
let at = 0;
let limit = 0;

const reserve = (len: number): void => {
  if (end + len <= out.length) return;
  const larger = new Uint8Array(Math.max(out.length * 2, end + len));
  larger.set(out);
  out = larger;
  view = new DataView(out.buffer);
};

/** What `write` writes. The bytes are good until the next call. */
export const written = (write: () => void): Uint8Array => {
  const start = end;
  try {
    write();
    return out.subarray(start, end);
  } finally {
    end = start;
  }
};

/** What a node gives after it has written. */
export const ok = (_written: unknown): true => true;

export const putByte = (n: number): void => {
  reserve(1);
  out[end++] = n;
};

/** `n` is an integer from 0 to 2^53 - 1. */
export const putVarint = (n: number): void => {
  reserve(8);
  while (n > 127) {
    out[end++] = (n & 127) | 128;
    n = n > 0x7fffffff ? Math.floor(n / 128) : n >>> 7;
  }
  out[end++] = n;
};

export const putBigVarint = (n: bigint): void => {
  reserve(19);
  while (n > 127n) {
    out[end++] = Number(n & 127n) | 128;
    n >>= 7n;
  }
  out[end++] = Number(n);
};

export const putF32 = (n: number): void => {
  reserve(4);
  view.setFloat32(end, n, true);
  end += 4;
};

export const putF64 = (n: number): void => {
  reserve(8);
  view.setFloat64(end, n, true);
  end += 8;
};

export const putBytes = (bytes: Uint8Array): void => {
  putVarint(bytes.length);
  reserve(bytes.length);
  out.set(bytes, end);
  end += bytes.length;
};

export const putString = (text: string): void => {
  // Up to here the length takes one byte for certain.
  if (text.length > 42) putBytes(encodeText(text));
  else {
    reserve(128);
    const len = writeText(out, end + 1, 127, text);
    out[end] = len;
    end += len + 1;
  }
};

/** What `read` reads from the `len` bytes at `from`. Throws RangeError when they are too few. */
export const read = <T>(u8: Uint8Array, from: number, len: number, read: () => T): T => {
  source = u8;
  at = from;
  limit = from + len;
  const value = read();
  need(0);
  return value;
};

/** Throws when fewer than `len` bytes are left. */
export const need = (len: number): void => {
  if (at + len > limit) throw new RangeError("postcard: the bytes end too early");
};

export const getByte = (): number => source[at++];

/** A varint of at most 32 bits. */
export const getVarint = (): number => {
  let n = source[at++];
  if (n < 128) return n;
  n &= 127;
  for (let unit = 128; unit <= 2 ** 28; unit *= 128) {
    const byte = source[at++];
    n += (byte & 127) * unit;
    if (byte < 128) return n;
  }
  throw new RangeError("postcard: a number has too many bytes");
};

/** A varint of at most `bytes` bytes: a number when it is safe, else a bigint. */
export const getBigVarint = (bytes: number): number | bigint => {
  let n = 0;
  let unit = 1;
  for (let i = 0; i < 7; i++, unit *= 128) {
    const byte = source[at++];
    n += (byte & 127) * unit;
    if (byte < 128) return n;
  }
  let big = BigInt(n);
  for (let i = 7; i < bytes; i++) {
    const byte = source[at++];
    big += BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) return big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
  }
  throw new RangeError("postcard: a number has too many bytes");
};

const scratch = new DataView(new ArrayBuffer(8));

export const getF32 = (): number => {
  for (let i = 0; i < 4; i++) scratch.setUint8(i, source[at++]);
  return scratch.getFloat32(0, true);
};

export const getF64 = (): number => {
  for (let i = 0; i < 8; i++) scratch.setUint8(i, source[at++]);
  return scratch.getFloat64(0, true);
};

const take = (len: number): number => {
  need(len);
  at += len;
  return at - len;
};

export const getBytes = (): Uint8Array => {
  const len = getVarint();
  const from = take(len);
  return source.slice(from, from + len);
};

export const getString = (): string => {
  const len = getVarint();
  return readText(source, take(len), len);
};
