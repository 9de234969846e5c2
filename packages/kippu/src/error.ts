// Errors as they cross: four strings, each with a varint length before it.

import { type Cursor, readString } from "./section.js";
import { encodeText } from "./text.js";

/** The encoding of whatever was thrown. */
export const encodeError = (thrown: unknown): Uint8Array => {
  let out: number[] = [];
  const e = thrown as Error & { code?: unknown };
  let parts: unknown[];
  try {
    parts = e?.message === undefined ? ["Error", e, "", ""] : [e.name, e.message, e.stack, e.code];
    parts = parts.map((part) => String(part ?? ""));
  } catch {
    // A getter or a `toString` that throws itself: there is nothing to tell.
    parts = ["Error", "", "", ""];
  }
  for (const part of parts) {
    const text = encodeText(part as string);
    let len = text.length;
    for (; len > 127; len >>>= 7) out.push((len & 127) | 128);
    out = [...out, len, ...text];
  }
  return new Uint8Array(out);
};

/** The error at `at`. */
export const decodeError = (u8: Uint8Array, at: number): Error => {
  const c: Cursor = [u8, at];
  const name = readString(c);
  const error = new Error(readString(c));
  const stack = readString(c);
  if (stack) error.stack = stack;
  return Object.assign(error, { name, code: readString(c) });
};
