// The guest of the tests about the life cycle, leaks and traces.

import { readFile } from "node:fs/promises";
import { instantiate } from "kippu";
import { buildGuest } from "./rust.mjs";

export const path = buildGuest("life-guest");
export const module = await WebAssembly.compile(await readFile(path));

const wrong = Object.assign(new RangeError("wrong"), { stack: "" });

/**
 * What `ask` answers by its argument: 0 never, 1 later, 2 at once, 3 and 4 with an error, 8 and 9
 * when the guest has dropped the call (9 knows by the signal); others after so many milliseconds.
 */
export const ask = (what, context) => {
  if (what === 0) return new Promise(() => {});
  if (what === 1) return Promise.resolve(1);
  if (what === 2) return 2;
  if (what === 3) return Promise.reject(wrong);
  if (what === 4) throw wrong;
  if (what === 8) return new Promise((resolve) => setImmediate(resolve, 8));
  if (what === 9)
    return new Promise((_, reject) => {
      const { signal } = context;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  return new Promise((resolve) => setTimeout(resolve, what, what));
};

/** Gives back what it gets. */
const same = (value) => value;

export const host = {
  ask,
  call_back() {},
  text: async (text) => text,
  // The bytes are lent.
  bytes: async (bytes) => bytes.slice(),
  row: async (row) => row,
  number: same,
  *numbers(n) {
    for (let i = 0; i < n; i++) yield i;
  },
};

export const open = (given = {}, options = {}) =>
  instantiate(module, { host: { ...host, ...given }, ...options });

export const macrotask = () => new Promise((resolve) => setTimeout(resolve, 2));
