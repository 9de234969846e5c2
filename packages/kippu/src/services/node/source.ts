// Where standard input comes from.

import type { Readable } from "node:stream";

/**
 * Bytes, or the text of bytes: from a stream of Node or the web, an iterable, a function that
 * gives the next piece and null at the end, or all at once.
 */
export type Input =
  | (() => Piece | null | Promise<Piece | null>)
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Piece>
  | Iterable<Piece>
  | Piece;
type Piece = Uint8Array | string;

export interface Source {
  /** Up to `max` bytes; none at the end. What an aborted read would have got stays for the next. */
  read(max: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Lets go of the stream, so that it does not keep the process alive. */
  close(): void;
}

const toBytes = (chunk: unknown): Uint8Array =>
  typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Uint8Array);

const open = (input: Input): Source => {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  let rest: Uint8Array = new Uint8Array();
  let ended = false;
  let pending: Promise<void> | undefined;

  async function* pieces(next: () => unknown): AsyncGenerator<unknown> {
    for (let piece = await next(); piece !== null; piece = await next()) yield piece;
  }
  const start = (): AsyncIterator<unknown> | Iterator<unknown> => {
    if (typeof input === "string" || input instanceof Uint8Array) return [input].values();
    if (typeof input === "function") return pieces(input);
    if (Symbol.asyncIterator in input) return input[Symbol.asyncIterator]();
    return (input as Iterable<unknown>)[Symbol.iterator]();
  };
  const more = async (): Promise<void> => {
    try {
      iterator ??= start();
      const { value, done } = await iterator.next();
      if (done) ended = true;
      else rest = toBytes(value);
    } finally {
      pending = undefined;
    }
  };
  const hold = (on: boolean): void => {
    const stream = input as { ref?(): void; unref?(): void };
    if (typeof input === "object") stream[on ? "ref" : "unref"]?.();
  };
  return {
    async read(max, signal) {
      hold(true);
      while (!rest.length && !ended) {
        pending ??= more();
        await pending;
      }
      // An aborted read must not take what the next one is waiting for.
      if (signal.aborted) return new Uint8Array();
      const chunk = rest.subarray(0, max);
      rest = rest.subarray(max);
      return chunk;
    },
    close: () => hold(false),
  };
};

/** What was read ahead belongs to the stream, not to one program: runs may follow each other. */
const sources = new WeakMap<object, Source>();

export const sourceOf = (input: Input): Source => {
  if (typeof input === "string") return open(input);
  let source = sources.get(input);
  if (!source) {
    source = open(input);
    sources.set(input, source);
  }
  return source;
};
