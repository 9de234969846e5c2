// Errors as they cross: four strings, each with a varint length before it, then a byte that says
// whether the cause follows in the same way.

import { type Cursor, readString } from "./section.js";
import { encodeText } from "./text.js";

/** How many causes cross, */
const MOST_CAUSES = 16;
/** how long each text may be, in UTF-16 units, */
const LONGEST = 2 ** 20;
/** and after how many bytes no cause follows. */
const MOST_BYTES = 2 ** 22;

/** Name, message, stack and code of whatever was thrown. */
const partsOf = (thrown: unknown): string[] => {
  const e = thrown as Error & { code?: unknown };
  try {
    const parts =
      e?.message === undefined ? ["Error", String(e)] : [e.name, e.message, e.stack, e.code];
    return [0, 1, 2, 3].map((i) => String(parts[i] ?? "").slice(0, LONGEST));
  } catch {
    // A getter or a `toString` that throws itself: there is nothing to tell.
    return ["Error", "", "", ""];
  }
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
  const chunks: ArrayLike<number>[] = [];
  let size = 0;
  const put = (chunk: ArrayLike<number>): void => {
    chunks.push(chunk);
    size += chunk.length;
  };
  const seen = new Set<unknown>();
  for (let next: unknown = thrown, more = true; more; ) {
    seen.add(next);
    for (const part of partsOf(next)) {
      const text = encodeText(part);
      const head: number[] = [];
      let len = text.length;
      for (; len > 127; len >>>= 7) head.push((len & 127) | 128);
      put([...head, len]);
      put(text);
    }
    next = causeOf(next);
    more =
      next !== undefined &&
      next !== null &&
      seen.size <= MOST_CAUSES &&
      !seen.has(next) &&
      size < MOST_BYTES;
    put([+more]);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
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
