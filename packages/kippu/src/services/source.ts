// Where standard input comes from, for every engine.

type Piece = Uint8Array | string;

/**
 * Bytes, or the text of bytes: from a stream (of the web or of Node), an iterable, a function that
 * gives the next piece and null at the end, or all at once.
 */
export type Input =
  | (() => Piece | null | Promise<Piece | null>)
  | ReadableStream<Uint8Array>
  | AsyncIterable<Piece>
  | Iterable<Piece>
  | Piece;

export interface Source {
  /** Up to `max` bytes; none at the end. What an aborted read would have got stays for the next. */
  read(max: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Lets go of the stream, so that it does not keep the process alive. */
  close(): void;
}

const toBytes = (chunk: unknown): Uint8Array =>
  typeof chunk === "string" ? new TextEncoder().encode(chunk) : (chunk as Uint8Array);

async function* pieces(next: () => unknown): AsyncGenerator<unknown> {
  for (let piece = await next(); piece !== null; piece = await next()) yield piece;
}

/** The chunks of a stream, where streams cannot be iterated. */
const chunks = (stream: ReadableStream<Uint8Array>): AsyncIterator<unknown> => {
  const reader = stream.getReader();
  return pieces(async () => {
    const { value, done } = await reader.read();
    return done ? null : value;
  });
};

const iterate = (input: Input): AsyncIterator<unknown> | Iterator<unknown> => {
  if (typeof input === "string" || input instanceof Uint8Array) return [input].values();
  if (typeof input === "function") return pieces(input);
  if (Symbol.asyncIterator in input) return input[Symbol.asyncIterator]();
  if ("getReader" in input) return chunks(input as unknown as ReadableStream<Uint8Array>);
  return input[Symbol.iterator]();
};

const open = (input: Input): Source => {
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  let rest: Uint8Array = new Uint8Array();
  let ended = false;
  let pending: Promise<void> | undefined;

  const more = async (): Promise<void> => {
    try {
      iterator ??= iterate(input);
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
