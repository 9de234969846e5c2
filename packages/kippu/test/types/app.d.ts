// Made by `kippu types` from types_guest.wasm. Do not edit.

import type { Context, GuestStream, StreamSource } from "kippu";

export interface Config {
  name: Name;
  retries: number | null;
  nested: number | bigint | null;
  tags: string[];
  ids: number[];
  data: Uint8Array<ArrayBuffer>;
  key: [number, number, number, number];
  samples: Fixed<number, 16>;
  limits: Record<string, number | bigint>;
  shapes: Map<number, Shape[]>;
  marker: Marker;
  empty: Empty;
}

export interface Config2 {
  verbose: boolean;
}

/** A {@link Config} as JavaScript may give it. */
export interface ConfigInput {
  name: Name;
  retries?: number | null | undefined;
  nested?: number | bigint | null | undefined;
  tags: List2<string>;
  ids: List2<number> | Uint16Array;
  data: Bytes;
  key: [number, number, number, number] | Uint8Array;
  samples: Fixed<number, 16> | Float32Array;
  limits: Dict<number | bigint>;
  shapes: ReadonlyMap<number, List2<Shape>>;
  marker: Marker;
  empty: Empty;
}

export interface Cursor {
  at: number | bigint;
}

export type Empty = object;

export interface Host2 {
  port: number;
}

export type Level = "Low" | "very high";

export type List = string[];

/** A {@link List} as JavaScript may give it. */
export type ListInput = List2<string>;

export interface Map2 {
  host: Host2;
  list: List;
}

/** A {@link Map2} as JavaScript may give it. */
export interface Map2Input {
  host: Host2;
  list: ListInput;
}

export type Marker = null;

export type Name = string;

export interface Page {
  items: number[];
  next: Cursor | null;
}

export interface Page2 {
  items: string[];
  next: Cursor | null;
}

/** A {@link Page} as JavaScript may give it. */
export interface PageInput {
  items: List2<number> | Uint32Array;
  next?: Cursor | null | undefined;
}

export type Pair = [number, string];

export interface Query {
  text?: string | null | undefined;
  levels: List2<Level>;
}

export interface Scalars {
  flag: boolean;
  small: [number, number, number, number];
  medium: [number, number];
  large: [number | bigint, number | bigint];
  huge: [number | bigint, number | bigint];
  real: [number, number];
  letter: string;
  text: string;
  type: null;
}

export type Shape =
  | "Point"
  | { Circle: number }
  | { Line: [number, number] }
  | { Rect: { w: number; h: number | bigint } }
  | { Pair: Pair }
  | { Nothing: [] };

/** The functions that the program needs: give them as `host`. */
export interface Host {
  /**
   * Bytes are lent.
   *
   * @param bytes Lent until the first `await`: copy it (`bytes.slice()`) to keep it.
   * @param more Lent until the first `await`: copy it (`more.slice()`) to keep it.
   */
  bytes: (
    bytes: Uint8Array<ArrayBuffer>,
    more: Uint8Array<ArrayBuffer>,
    context: Context,
  ) => Awaitable<ArrayBuffer | ArrayBufferView>;
  config: (value: Config, context: Context) => Awaitable<ConfigInput>;
  consume: (
    shapes: GuestStream<Shape>,
    parts: GuestStream<Uint8Array<ArrayBuffer>>,
    context: Context,
  ) => Awaitable<number>;
  flag: (x: boolean) => boolean;
  /** Lines, as long as somebody asks for them. */
  lines: (path: string) => StreamSource<string>;
  /** Numbers one after another. */
  measure: (
    samples: Int16Array<ArrayBuffer>,
    context: Context,
  ) => Awaitable<Float32Array | readonly number[]>;
  nothing: () => void;
  nothing_later: (context: Context) => Awaitable<unknown>;
  /** Numbers of every size. */
  numbers: (
    a: boolean,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
    h: number,
    i: number,
  ) => number;
  other_config: (config: Config2) => Config2;
  outcome: (
    value: { Ok: number | null } | { Err: [Level, string] },
    context: Context,
  ) => Awaitable<{ Ok: number | null | undefined } | { Err: [Level, string] }>;
  /**
   * Ends no comment: *\/ export const broken = `${1}`; /*
   *
   * ```js
   * await host["page.load"]("ünï→🦀");
   * ```
   * A \*\/ and a \ and <b>tags</b>, {@link nothing}.
   */
  "page.load": (
    default_: string,
    context: number,
    in_: boolean,
    context_: Context,
  ) => Awaitable<unknown>;
  scalars: (value: Scalars, context: Context) => Awaitable<Scalars>;
  shapes: (value: Shape[]) => List2<Shape>;
  taken: (value: Map2) => Host2;
  text: (text: string, context: Context) => Awaitable<string>;
}

/** The functions that the program offers. */
export interface Exports {
  /** Calls them all. */
  call_plain: (
    data: ArrayBuffer | ArrayBufferView,
    signal?: AbortSignal,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  delete: (this_: number, void_: number) => number;
  /** At once. */
  length: (text: string, data: ArrayBuffer | ArrayBufferView) => number;
  /** A stream of the host's, and numbers of JavaScript's. */
  number_lines: (path: string, numbers: StreamSource<number>) => GuestStream<[number, string]>;
  /** The cursor is in a box on one way and in none on the other. */
  pages: (page: PageInput, start: Cursor) => Page;
  /** Streams into the host. */
  produce: (count: number, signal?: AbortSignal) => Promise<number>;
  /**
   * One block
   *     of two lines.
   */
  "read-all": (
    new_: string,
    signal: number,
    arguments_: boolean,
    signal_?: AbortSignal,
  ) => Promise<void>;
  relay_config: (value: ConfigInput, signal?: AbortSignal) => Promise<Config>;
  relay_other_config: (config: Config2) => Config2;
  relay_outcome: (
    value: { Ok: number | null | undefined } | { Err: [Level, string] },
    signal?: AbortSignal,
  ) => Promise<{ Ok: number | null } | { Err: [Level, string] }>;
  relay_samples: (
    samples: Int16Array | readonly number[],
    signal?: AbortSignal,
  ) => Promise<Float32Array<ArrayBuffer>>;
  /** Back as they came. */
  relay_scalars: (value: Scalars, signal?: AbortSignal) => Promise<Scalars>;
  relay_shapes: (value: List2<Shape>) => Shape[];
  relay_taken: (value: Map2Input) => Host2;
  search: (
    query: Query,
    limit?: number | null | undefined,
    level?: Level | null | undefined,
    signal?: AbortSignal,
  ) => Promise<Page2>;
  /** How many bytes there are. */
  total: (
    parts: StreamSource<ArrayBuffer | ArrayBufferView>,
    signal?: AbortSignal,
  ) => Promise<number>;
  typeof: (type: number) => number;
}

/** An answer at once, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Bytes, or numbers from 0 to 255. */
export type Bytes = Uint8Array | ArrayBuffer | DataView | readonly number[] | ReadonlySet<number>;

/** Values by name. */
export type Dict<T> = { readonly [name: string]: T } | ReadonlyMap<string, T>;

/** An array of N items. */
export type Fixed<T, N extends number> = T[] & { length: N };

/** Items in order. */
export type List2<T> = readonly T[] | ReadonlySet<T>;
