// Calls in: exports of the guest as JavaScript functions.

import type { Driver, RawFunction, Receiver } from "./driver.js";
import { decodeError } from "./error.js";
import { encodeText, writeText } from "./text.js";
import { BYTES, ERROR, isStream, NUMBER, type Raw, type Signature, type Type } from "./types.js";
import { fromBytes, fromNumber, toRaw } from "./value.js";

// biome-ignore lint/suspicious/noExplicitAny: what an export takes and gives is the guest's matter
export type ExportFunction = (...args: any[]) => any;

/** In the number of a call: it may be cancelled. */
const CANCELLABLE = 2 ** 30;

/** What is to be called when a signal aborts. One listener for all: engines warn when there are many. */
const listening = new WeakMap<AbortSignal, [calls: Set<() => void>, listener: () => void]>();

const listen = (signal: AbortSignal, call: () => void): void => {
  let entry = listening.get(signal);
  if (!entry) {
    const calls = new Set<() => void>();
    const listener = (): void => {
      listening.delete(signal);
      for (const call of calls) call();
    };
    signal.addEventListener("abort", listener, { once: true });
    entry = [calls, listener];
    listening.set(signal, entry);
  }
  entry[0].add(call);
};

const unlisten = (signal: AbortSignal, call: () => void): void => {
  const entry = listening.get(signal);
  if (entry?.[0].delete(call) && !entry[0].size) {
    signal.removeEventListener("abort", entry[1]);
    listening.delete(signal);
  }
};

const isSignal = (v: unknown): v is AbortSignal =>
  typeof (v as AbortSignal | undefined)?.aborted === "boolean" &&
  typeof (v as AbortSignal).addEventListener === "function";

const scratch = /* @__PURE__ */ new Uint8Array(256);

/** `text` in UTF-8, good until the next call. */
const stage = (text: string): Uint8Array => {
  const len = writeText(scratch, 0, scratch.length, text);
  return len < 0 ? encodeText(text) : scratch.subarray(0, len);
};

/** What is known of one call; used again by later calls with the same number. */
interface Call {
  readonly id: number;
  type: Type;
  /** 0: still to come; 1: `value` is the result; 2: it is the error. */
  state: number;
  value: unknown;
  /** Set while JavaScript waits. */
  wake: (() => void) | undefined;
  readonly receive: Receiver;
}

/** An export as the guest has it. After a restart it is the new guest's. */
export interface Entry {
  f: RawFunction;
}

export interface Calls {
  /** The function that JavaScript calls for an export. */
  wrap(signature: Signature, entry: Entry): ExportFunction;
  /** Calls `f` as call 0, whose result is a number. */
  start(f: RawFunction, raw: number[], type: Type): Promise<unknown>;
}

export const createCalls = (driver: Driver): Calls => {
  const idle: Call[] = [];
  let ids = 0;

  const makeCall = (id: number): Call => {
    const call: Call = {
      id,
      type: 0,
      state: 0,
      value: undefined,
      wake: undefined,
      receive(tag, at, len, value, error) {
        call.state = 1;
        call.value = undefined;
        try {
          if (error) throw error;
          const u8 = driver.memory();
          if (tag & ERROR) throw decodeError(u8, at);
          if (tag & NUMBER) call.value = fromNumber(call.type, value);
          if (tag & BYTES) call.value = fromBytes(call.type, u8, at, len, true);
        } catch (e) {
          call.state = 2;
          call.value = e;
        }
        call.wake?.();
      },
    };
    return call;
  };

  /** Gives the outcome, and the call back. */
  const take = (call: Call): unknown => {
    const { value, state } = call;
    call.state = 0;
    call.value = call.wake = undefined;
    if (call.id > 0) idle.push(call);
    if (state === 2) throw value;
    return value;
  };

  const run = (call: Call, f: RawFunction, raw: number[], type: Type): void => {
    call.type = type;
    driver.call(call.id, f, raw, call.receive);
  };

  /** The outcome, unless `signal` aborts first: then the guest drops the future. */
  const outcome = (call: Call, signal?: AbortSignal): Promise<unknown> =>
    new Promise((ok, no) => {
      const abort = (): void => {
        no(signal?.reason);
        call.wake = undefined;
        driver.cancel(call.id);
        call.state = 0;
        call.value = undefined;
        idle.push(call);
      };
      call.wake = () => {
        if (signal) unlisten(signal, abort);
        try {
          ok(take(call));
        } catch (e) {
          no(e);
        }
      };
      if (call.state) call.wake();
      // While the guest took its first steps, too.
      else if (signal?.aborted) abort();
      else if (signal) listen(signal, abort);
    });

  return {
    wrap([name, isAsync, params, result], entry) {
      const types = params.map(([, type]) => type);
      const places = params.map(([param]) => `export ${name}, parameter ${param}`);
      const lower = (args: unknown[], raw: number[]): number[] => {
        const values: Raw[] = [];
        const given: [at: number, len: number][] = [];
        try {
          for (let i = 0; i < types.length; i++) {
            const value = toRaw(places[i], types[i], args[i]);
            // A codec uses its buffer again.
            values[i] =
              typeof types[i] === "object" && typeof value === "object" ? value.slice() : value;
          }
          for (const value of values)
            if (typeof value === "number") raw.push(value);
            else if (value !== undefined) {
              const bytes = driver.give(typeof value === "string" ? stage(value) : value);
              given.push(bytes);
              raw.push(...bytes);
            }
        } catch (e) {
          // The guest takes all arguments or none.
          if (!driver.dead()) for (const bytes of given) driver.exports.kippu_free(...bytes);
          types.forEach((type, i) => {
            if (isStream(type) && typeof values[i] === "number") type.drop(values[i] as number);
          });
          throw e;
        }
        return raw;
      };
      if (!isAsync)
        return (...args) => {
          const dead = driver.dead();
          if (dead) throw dead;
          const call = makeCall(-1);
          run(call, entry.f, lower(args, []), result);
          return take(call);
        };
      const count = types.length;
      return (...args) => {
        const signal = args.length > count && isSignal(args[count]) ? args[count] : undefined;
        if (signal?.aborted) return Promise.reject(signal.reason);
        // Before anything is taken of the arguments.
        const dead = driver.dead();
        if (dead) return Promise.reject(dead);
        const call = idle.pop() ?? makeCall(++ids);
        try {
          run(call, entry.f, lower(args, [signal ? call.id + CANCELLABLE : call.id]), result);
          if (call.state === 1) return Promise.resolve(take(call));
        } catch (e) {
          call.state = 0;
          call.value = undefined;
          idle.push(call);
          return Promise.reject(e);
        }
        return outcome(call, signal);
      };
    },
    start(f, raw, type) {
      const call = makeCall(0);
      run(call, f, raw, type);
      return outcome(call);
    },
  };
};
