// Streams across the boundary: section 11 of abi/spec.md.

import { answerError, completeError } from "./call.js";
import type { Driver } from "./driver.js";
import type { Calls, Entry } from "./in.js";
import {
  isStream,
  type Raw,
  type Signature,
  type Stream,
  T_U32,
  T_UNIT,
  type Type,
} from "./types.js";
import { toRaw, wrongType } from "./value.js";

/** What JavaScript may give where Rust wants a `HostStream<T>`. */
export type StreamSource<T> = AsyncIterable<T> | (Iterable<T> & object) | ReadableStream<T>;

/** A stream of the guest's. It is pulled: Rust makes an item when `next` is called. */
export interface GuestStream<T> extends AsyncIterableIterator<T, undefined, void> {
  next(): Promise<IteratorResult<T, undefined>>;
  /** Drops the Rust stream; what `next` is waiting for ends as well. */
  return(): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): GuestStream<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What both kinds of iterators and readers have in common. */
interface Source {
  readonly item: Type;
  readonly iterable: StreamSource<unknown>;
  /** Made at the first pull. */
  next?: () => unknown;
  stop?: () => unknown;
  /** Gives back at the end what `open` took. */
  release?: () => void;
}

const DONE = { done: true, value: undefined } as const;

const isPromise = (v: unknown): v is PromiseLike<unknown> =>
  typeof (v as PromiseLike<unknown> | undefined)?.then === "function";

/** Nobody is left to hear of an error. */
const ignore = (f: (() => unknown) | undefined): void => {
  try {
    Promise.resolve(f?.()).catch(() => {});
  } catch {}
};

const open = (source: Source): (() => unknown) => {
  const iterable = source.iterable as Partial<AsyncIterable<unknown>> &
    Partial<Iterable<unknown>> &
    Partial<ReadableStream<unknown>>;
  if (iterable.getReader) {
    const reader = iterable.getReader();
    source.release = () => reader.releaseLock();
    source.stop = () => {
      const cancelled = reader.cancel();
      reader.releaseLock();
      return cancelled;
    };
    return () => reader.read();
  }
  const iterator = (iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.()) as
    | AsyncIterator<unknown>
    | Iterator<unknown>;
  source.stop = () => iterator.return?.();
  return () => iterator.next();
};

/** The streams of one instance, both ways. */
export interface Streams {
  /** The type of a stream with items of type `item`. */
  type(item: Type): Stream;
  /** A service's signature with the types of its streams made those of this instance. */
  bind(signature: Signature): Signature;
  /** What the guest of `driver` imports of module `kippu` by this name. */
  import(driver: Driver, name: string): unknown;
  /** To be called once, with the exports `kippu_stream_next` and `kippu_stream_close`. */
  connect(calls: Calls, next: Entry, close: Entry): void;
  /** Ends all of them: the guest has ended, or another one takes its place. */
  end(error: Error): void;
}

export const createStreams = (): Streams => {
  let sources = new Map<number, Source>();
  let last = 0;
  let pull!: (item: Type) => (stream: number) => Promise<unknown>;
  let close!: (stream: number) => void;
  /** Why streams of the guest's that were made before are over. Each guest has an object of its own. */
  let life: { over?: Error } = {};
  // What is held for a stream must not lead to its object.
  const forgotten = new FinalizationRegistry<[of: { over?: Error }, stream: number]>(
    ([of, stream]) => {
      // Nobody has called, so nobody can be told of a trap here; the pending calls are.
      try {
        drop(of, stream);
      } catch {}
    },
  );
  const drop = (of: { over?: Error }, stream: number): void => {
    if (!of.over) close(stream);
  };

  const stop = (from: Map<number, Source>, stream: number): void => {
    const source = from.get(stream);
    from.delete(stream);
    if (source)
      ignore(
        source.next
          ? source.stop
          : // Of what was never begun, only a ReadableStream holds something.
            () => {
              const stream = source.iterable as Partial<ReadableStream>;
              return stream.getReader && stream.cancel?.();
            },
      );
  };

  const make = (stream: number, item: Type): GuestStream<unknown> => {
    const next = pull(item);
    const mine = life;
    let ended = false;
    /** A pull is under way; later ones wait for it, in order. */
    let busy = false;
    const queue: (() => void)[] = [];
    const token = {};
    const finish = (): void => {
      ended = true;
      forgotten.unregister(token);
    };
    // It runs up to the first `await` at once: the guest has it in the call of `next`.
    const one = async (): Promise<IteratorResult<unknown, undefined>> => {
      if (busy) await new Promise<void>((go) => queue.push(go));
      busy = true;
      try {
        if (ended) return DONE;
        if (mine.over) throw mine.over;
        const value = await next(stream);
        if (value !== undefined) return { done: false, value };
        finish();
        return DONE;
      } catch (e) {
        if (!ended) {
          finish();
          // The guest has dropped it already, unless it was an item that could not be read.
          ignore(() => drop(mine, stream));
        }
        throw e;
      } finally {
        const go = queue.shift();
        if (go) go();
        else busy = false;
      }
    };
    const self: GuestStream<unknown> = {
      next: one,
      async return() {
        if (!ended) {
          finish();
          drop(mine, stream);
        }
        return DONE;
      },
      [Symbol.asyncIterator]: () => self,
      async [asyncDispose]() {
        await self.return();
      },
    } as GuestStream<unknown>;
    forgotten.register(self, [mine, stream], token);
    return self;
  };

  /** One pull at a stream of the host's. */
  const next = (driver: Driver, ticket: number, stream: number): number => {
    const from = sources;
    const source = from.get(stream);
    if (!source) return driver.answer(undefined, 0);
    /** The outcome as it crosses: `undefined` is the end. */
    const outcome = (result: IteratorResult<unknown>): Raw => {
      if (typeof result === "object" && result !== null && !result.done)
        return toRaw("stream item", source.item, result.value);
      from.delete(stream);
      source.release?.();
      if (typeof result !== "object" || result === null)
        throw wrongType("stream", "an iterator's result", result);
      return undefined;
    };
    const complete = (result: IteratorResult<unknown>): void => {
      try {
        driver.complete(ticket, driver.dropped(ticket) ? undefined : outcome(result), 0);
      } catch (e) {
        stop(from, stream);
        completeError(driver, ticket, e);
      }
    };
    let result: IteratorResult<unknown>;
    try {
      source.next ??= open(source);
      result = source.next() as IteratorResult<unknown>;
    } catch (e) {
      // An iterator that has thrown is over: it is not told to return.
      from.delete(stream);
      return answerError(driver, e);
    }
    // A sync iterator may give promises, as it may to `for await`.
    const value =
      !isPromise(result) && !result?.done && isPromise(result?.value) ? result.value : undefined;
    if (isPromise(result) || value) {
      const later = value ? value.then((value) => ({ done: false, value })) : result;
      Promise.resolve(later as PromiseLike<IteratorResult<unknown>>).then(complete, (e) => {
        if (value) stop(from, stream);
        from.delete(stream);
        completeError(driver, ticket, e);
      });
      driver.open(ticket);
      return 0;
    }
    try {
      return driver.answer(outcome(result), 0);
    } catch (e) {
      stop(from, stream);
      return answerError(driver, e);
    }
  };

  const streams: Streams = {
    bind: ([name, isAsync, params, result]) => [
      name,
      isAsync,
      params.map(([param, type]) => [param, isStream(type) ? streams.type(type.stream) : type]),
      result,
    ],
    type: (item) => ({
      stream: item,
      name: "stream",
      take(value, where) {
        const v = value as Partial<AsyncIterable<unknown> & Iterable<unknown> & ReadableStream>;
        if (
          (typeof v !== "object" && typeof v !== "function") ||
          !(v?.[Symbol.asyncIterator] || v?.[Symbol.iterator] || v?.getReader)
        )
          throw wrongType(where, "an async iterable, an iterable or a ReadableStream", value);
        do last = (last + 1) >>> 0;
        while (!last || sources.has(last));
        sources.set(last, { item, iterable: value as StreamSource<unknown> });
        return last;
      },
      drop: (stream) => stop(sources, stream),
      open: (stream) => make(stream, item),
    }),
    import: (driver, name) =>
      name === "stream_next"
        ? (ticket: number, stream: number) => next(driver, ticket, stream >>> 0)
        : name === "stream_close" && ((stream: number) => stop(sources, stream >>> 0)),
    connect(calls, nextEntry, closeEntry) {
      const params = [["stream", T_U32]] as const;
      pull = (item) => calls.wrap(["stream", true, params, item], nextEntry);
      close = calls.wrap(["stream", false, params, T_UNIT], closeEntry);
    },
    end(error) {
      const ended = sources;
      sources = new Map();
      life.over = error;
      life = {};
      for (const stream of ended.keys()) stop(ended, stream);
    },
  };
  return streams;
};

// Older engines lack it.
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("asyncDispose");

/**
 * A `ReadableStream` of what `source` gives, pulled item by item; cancelling it calls the iterator's `return()`.
 */
export const toReadableStream = <T>(source: AsyncIterable<T> | Iterable<T>): ReadableStream<T> => {
  let iterator: AsyncIterator<T> | Iterator<T>;
  return new ReadableStream<T>(
    {
      start() {
        iterator =
          (source as AsyncIterable<T>)[Symbol.asyncIterator]?.() ??
          (source as Iterable<T>)[Symbol.iterator]();
      },
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(await value);
      },
      async cancel(reason) {
        await iterator.return?.(reason);
      },
    },
    // Nothing is asked for before somebody reads.
    { highWaterMark: 0 },
  );
};
