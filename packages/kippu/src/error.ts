// Errors as they cross: four strings, each with a varint length before it, then a byte that says
// whether the cause follows in the same way.

import { type Cursor, readString } from "./section.js";
import { encodeText } from "./text.js";

/** How many causes cross. */
const MOST_CAUSES = 16;

const encodeParts = (thrown: unknown): number[] => {
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
    // Not by spreading into a call: a stack may be longer than what that takes.
    out = [...out, len, ...text];
  }
  return out;
};

const causeOf = (thrown: unknown): unknown => {
  try {
    return thrown instanceof Error ? thrown.cause : undefined;
  } catch {
    return undefined;
  }
};

/** The encoding of whatever was thrown. */
export const encodeError = (thrown: unknown): Uint8Array => {
  let out: number[] = [];
  const seen = new Set<unknown>();
  for (let next = thrown; ; ) {
    seen.add(next);
    out = [...out, ...encodeParts(next)];
    next = causeOf(next);
    const more = next !== undefined && seen.size <= MOST_CAUSES && !seen.has(next);
    out.push(+more);
    if (!more) return new Uint8Array(out);
  }
};

/** The error at `at`. */
export const decodeError = (u8: Uint8Array, at: number): Error => decodeAt([u8, at], 0);

const decodeAt = (c: Cursor, depth: number): Error => {
  const name = readString(c);
  const error = new Error(readString(c));
  const stack = readString(c);
  if (stack) error.stack = stack;
  Object.assign(error, { name, code: readString(c) });
  if (c[0][c[1]++] === 1 && depth < MOST_CAUSES)
    Object.defineProperty(error, "cause", {
      value: decodeAt(c, depth + 1),
      configurable: true,
      writable: true,
    });
  return error;
};
