// Made by `kippu types` from search_guest.wasm. Do not edit.

import type { Context } from "kippu";

export interface Hit {
  path: string;
  line: number | bigint;
  text: string | null;
}

export interface Query {
  word: string;
  paths: List<string>;
  limit?: number | null | undefined;
}

/** The functions that the program needs: give them as `host`. */
export interface Host {
  /** The text of a file. */
  load: (path: string, context: Context) => Awaitable<string>;
}

/** The functions that the program offers. */
export interface Exports {
  /** The lines that have the word, file by file. */
  find: (query: Query, signal?: AbortSignal) => Promise<Hit[]>;
}

/** An answer at once, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Items in order. */
export type List<T> = readonly T[] | ReadonlySet<T>;
