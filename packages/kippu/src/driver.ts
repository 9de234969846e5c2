// The loop driver: one instance's memory, ring, turns, tickets and calls, and what happens when
// it traps. It knows nothing of types; core.ts puts them on top.

import { createLoop } from "./loop.js";
import { BYTES, type Fail, NUMBER, OWNED, type Raw, type TextCodec } from "./types.js";

/** The version of abi/spec.md that this package keeps to. */
export const VERSION = 2;

export type RawFunction = (...raw: number[]) => number;

/**
 * Takes the result of a call as the boundary carries it; lent bytes are gone when it returns.
 * Called a last time, with `error`, when the instance ends first.
 */
export type Receiver = (tag: number, at: number, len: number, value: number, error?: Error) => void;

export interface Driver {
  /** What the guest exports. */
  exports: Record<string, RawFunction>;
  /** Why the instance is over; undefined while it lives. */
  dead(): Error | undefined;
  /** The guest's memory. The view is good until the guest runs again. */
  memory(): Uint8Array;
  /** Copies `bytes` to memory that the guest is to free. Throws when there is none. */
  give(bytes: Uint8Array): [at: number, len: number];
  /** Fills the answer record. With `flag` ERROR the bytes are an encoded error. */
  answer(value: Raw, flag: number): 1;
  /** A ticket stays pending; `abort` is called when the guest drops it or the instance ends. */
  open(ticket: number, abort?: () => void): void;
  /** Whether the guest has dropped a pending ticket. */
  dropped(ticket: number): boolean;
  /** Completes a pending ticket. Throws when the payload has no room: the ticket stays pending. */
  complete(ticket: number, value: Raw, flag: number): void;
  /** Calls `f(id, ...raw)`; the receiver is called once. Without `id` a call of a sync export. */
  call(id: number, f: RawFunction, raw: number[], receive: Receiver): void;
  /** Forgets a call that may be cancelled, and lets the guest drop its future. */
  cancel(id: number): void;
  /** Called once when the instance ends. */
  ended?: (error: Error) => void;
  /** Ends the instance because an entry of the guest has thrown `e`; gives the error that says so. */
  trap(e: unknown): Error;
  /** Ends the instance. */
  end(error: Error): Error;
}

/**
 * Links `module` with what `resolve` gives for each of its imports; `text` is for strings. `entries`
 * may put functions of its own around what the guest exports.
 */
export const drive = async (
  module: WebAssembly.Module,
  fail: Fail,
  [writeText, encodeText]: TextCodec,
  resolve: (driver: Driver, from: string, name: string) => unknown,
  entries = (exports: Record<string, RawFunction>) => exports,
): Promise<Driver> => {
  let wasm!: Record<string, RawFunction>;
  let kippu_turn: RawFunction | undefined;
  let kippu_alloc: RawFunction | undefined;
  let main: RawFunction | undefined;
  let u8 = new Uint8Array();
  let u32!: Uint32Array;
  let f64!: Float64Array;
  /** Indices in `u32` of the answer record and of record 0. */
  let answer = 0;
  let ring = 0;
  let capacity = 0;
  let arena = 0;
  let arenaLen = 0;
  /** How many records, and bytes of the arena, wait for the next turn. */
  let count = 0;
  let top = 0;
  let inFlight = 0;
  /** How many entries of the guest are on the stack. */
  let inside = 0;
  let dead: Error | undefined;
  /** What the guest said before it trapped. */
  let notice: Error | undefined;
  /** Who waits for the result of a call, by its number; -1 is the sync one that runs. */
  const calls: Record<number, Receiver | undefined> = {};
  /** How to abort a ticket; 0 once the guest has dropped it. */
  const aborts = new Map<number, (() => void) | 0>();
  /** Records that the ring had no room for. */
  const late: number[][] = [];
  /** How many records of the ring came late: the guest may drop their tickets until it has them. */
  let refilled = 0;

  const memory = (): Uint8Array => {
    if (!u8.length && wasm.memory) {
      const { buffer } = wasm.memory as unknown as WebAssembly.Memory;
      u8 = new Uint8Array(buffer);
      u32 = new Uint32Array(buffer);
      f64 = new Float64Array(buffer);
    }
    return u8;
  };
  const check = (): void => {
    if (dead) throw dead;
  };
  const end = (error: Error): Error => {
    if (!dead) {
      dead = error;
      disarm();
      driver.ended?.(error);
      for (const id in calls) calls[id]?.(0, 0, 0, 0, error);
      for (const abort of aborts.values()) if (abort) abort();
      leave();
    }
    return dead;
  };
  /** Lets go of a guest that is dead: promises that never settle would keep its memory. */
  const leave = (): void => {
    if (dead && !inside) {
      wasm = driver.exports = {};
      kippu_turn = kippu_alloc = main = undefined;
      u8 = new Uint8Array();
      u32 = new Uint32Array();
      f64 = new Float64Array();
      aborts.clear();
    }
  };
  const enter = (f: RawFunction, raw: number[]): number => {
    check();
    notice = undefined;
    inside++;
    try {
      return f(...raw);
    } catch (e) {
      throw trap(e);
    } finally {
      inside--;
      if (dead) leave();
    }
  };
  const trap = (e: unknown): Error => end(fail("TRAPPED", notice ?? e));
  const { turn, schedule, disarm } = createLoop(() => {
    if (refilled) memory();
    while (refilled) aborts.delete(u32[ring + --refilled * 4]);
    const records = count;
    count = top = 0;
    if (!dead)
      try {
        notice = undefined;
        inside++;
        return (kippu_turn as RawFunction)(records);
      } catch (e) {
        trap(e);
      } finally {
        inside--;
        if (dead) leave();
        else if (late.length) refill();
      }
    return -1;
  });

  /** Fills the ring, which is empty, with what came late. */
  const refill = (): void => {
    memory();
    for (const record of late.splice(0, capacity)) u32.set(record, ring + count++ * 4);
    refilled = count;
    schedule();
  };

  const give = (bytes: Uint8Array): [at: number, len: number] => {
    const len = bytes.length;
    // What is lent from this memory is gone when it grows.
    const kept = bytes.buffer === u8.buffer ? bytes.slice() : bytes;
    const at = enter(kippu_alloc as RawFunction, [len]) >>> 0;
    if (!at) throw fail("OOM", len);
    memory().set(kept, at);
    return [at, len];
  };

  /** Fills all of the record at index `i` but the ticket. */
  const store = (i: number, flag: number, value: Raw): void => {
    memory();
    u32[i + 1] = 0;
    if (typeof value === "number") {
      u32[i + 1] = NUMBER;
      f64[i / 2 + 1] = value;
    } else if (value !== undefined) {
      const room = arenaLen - top;
      let at = arena + top;
      let len = value.length;
      if (typeof value === "string") len = writeText(u8, at, room, value);
      else if (len > room) len = -1;
      else u8.set(value, at);
      if (len < 0) {
        [at, len] = give(typeof value === "string" ? encodeText(value) : value);
        flag |= OWNED;
      } else top += len;
      u32[i + 1] = flag | BYTES;
      u32[i + 2] = at;
      u32[i + 3] = len;
    }
  };

  const own: Record<string, unknown> = {
    __proto__: null,
    now: () => performance.now(),
    unix: Date.now,
    schedule_turn: schedule,
    cancel(ticket: number) {
      const abort = aborts.get(ticket);
      aborts.set(ticket, 0);
      if (abort) abort();
      check();
    },
    reply(id: number, tag: number, at: number, len: number, value: number) {
      calls[id]?.(tag, at >>> 0, len >>> 0, value);
    },
    panic(at: number, len: number) {
      at >>>= 0;
      notice = fail("PANIC", memory().slice(at, at + len));
    },
    oom(bytes: number) {
      notice = fail("OOM", bytes);
    },
  };

  const driver: Driver = {
    exports: {},
    dead: () => dead,
    memory,
    give,
    answer(value, flag) {
      check();
      const before = top;
      store(answer, flag, value);
      // The guest copies the answer before anything else can use the arena.
      top = before;
      return 1;
    },
    open(ticket, abort) {
      check();
      inFlight++;
      if (abort) aborts.set(ticket, abort);
    },
    dropped: (ticket) => aborts.size > 0 && aborts.get(ticket) === 0,
    complete(ticket, value, flag) {
      if (dead) return;
      if (inside) {
        // The guest cannot be turned here. What is lent would be gone later.
        const kept = typeof value === "object" ? value.slice() : value;
        queueMicrotask(() => driver.complete(ticket, kept, flag));
        return;
      }
      // Pages are to paint before the guest goes on. The answer record is free; the arena is not.
      const full = count === capacity;
      if (full) top = arenaLen;
      const at = full ? answer : ring + count * 4;
      try {
        store(at, flag, value);
      } catch (e) {
        // The arena has room for an error once it is empty, and the ring has.
        do turn(true);
        while (count === capacity);
        throw e;
      }
      inFlight--;
      if (full) {
        late.push([ticket, ...u32.subarray(at + 1, at + 4)]);
        return;
      }
      u32[at] = ticket;
      count++;
      if (aborts.size) aborts.delete(ticket);
      if (inFlight && count < capacity) schedule();
      else turn();
    },
    call(id, f, raw, receive) {
      if (count) turn(true);
      check();
      const outer = calls[id];
      calls[id] = (tag, at, len, value, error) => {
        calls[id] = outer;
        memory();
        receive(tag, at, len, value, error);
      };
      if (enter(f, raw) && f !== main) {
        memory();
        calls[id]?.(u32[answer + 1], u32[answer + 2], u32[answer + 3], f64[answer / 2 + 1]);
      }
      // A function without a result, such as `kippu_stream_close`, has not replied.
      else if (id < 0) calls[id] = outer;
    },
    cancel(id) {
      calls[id] = undefined;
      try {
        // As before any entry: the guest must not drop a ticket whose record is in the ring.
        if (count) turn(true);
        if (!dead) enter(driver.exports.kippu_cancel_call, [id]);
      } catch {
        // It has trapped: whoever waits for the others hears of it.
      }
    },
    trap,
    end,
  };

  // Without prototypes: the names come from the module.
  const imports = { __proto__: null } as unknown as Record<string, Record<string, unknown>>;
  const missing: [from: string, name: string][] = [];
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= { __proto__: null } as unknown as Record<string, unknown>;
    imports[from][name] = (from === "kippu" && own[name]) || resolve(driver, from, name);
    if (!imports[from][name]) missing.push([from, name]);
  }
  if (missing[0]) throw fail("MISSING_HOST", missing);

  const { exports } = await WebAssembly.instantiate(module, imports as WebAssembly.Imports);
  wasm = entries(exports as Record<string, RawFunction>);
  ({ kippu_turn, kippu_alloc, main } = wasm);
  const { kippu_abi, kippu_ring } = wasm;
  const version = kippu_abi?.();
  if (version !== VERSION) throw fail("ABI_MISMATCH", version);
  const header = kippu_ring() >>> 2;
  memory();
  [capacity, ring, arena, arenaLen] = u32.subarray(header);
  ring >>>= 2;
  answer = header + 4;
  driver.exports = wasm;
  return driver;
};
