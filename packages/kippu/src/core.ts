// Guests whose functions take and give numbers, strings and bytes; serde types, services and
// rich errors are plugged in by index.ts.

import { type Context, hostFunction } from "./call.js";
import { type Driver, drive } from "./driver.js";
import type { Foreign } from "./foreign.js";
import { createCalls, type Entry, type ExportFunction } from "./in.js";
import { type CodecMaker, type Cursor, readSection, readString, readVarint } from "./section.js";
import type { Streams } from "./streams.js";
import { encodeText, readText, writeText } from "./text.js";
import type { Tracer } from "./trace.js";
import { type Fail, type HostFunction, type Signature, T_F64 } from "./types.js";

export type { Context, ExportFunction, Foreign, HostFunction };

/** Host functions that come with their signatures: by module, then by name. */
export type Services = Record<string, Record<string, readonly [Signature, HostFunction]>>;

export interface CoreOptions {
  /** The functions that the guest declares with `#[kippu::host]`, by name. */
  host?: object;
  /** Host functions of other modules than `host`; a function makes them anew at each restart. */
  services?: Services | (() => Services | Promise<Services>);
  /** What another tool's code in the guest imports, such as `wasmBindgen` gives. */
  foreign?: Foreign;
  /** Makes codecs for serde types. Without it a guest that has one is refused. */
  codec?: CodecMaker;
  /** For streams. Without it a guest that has one is refused. */
  streams?: () => Streams;
  /** Makes the errors. Without it they are plain ones with a `code`. */
  fail?: Fail;
  /** Records what crosses, see `kippu/trace`. */
  trace?: Tracer;
}

/** One task of a guest, as `dump` saw it. */
export interface TaskInfo {
  /** The name that the program gave it; empty without one. */
  readonly name: string;
  /** Where it was spawned, in the guest's source: file:line:column. */
  readonly location: string;
  /** In the run queue, being polled, or waiting to be woken. */
  readonly state: "runnable" | "running" | "waiting";
  /**
   * What it waits for, as far as its futures have said so: a host function by its name, a timer, a
   * task. "a wake" when they have not.
   */
  readonly waitsFor: string;
}

/**
 * A guest that runs. When it panics, traps or runs out of memory it is poisoned: everything that
 * is pending rejects with the error, host operations are aborted, and every call throws the error
 * until `restart`.
 */
export interface Instance<E = Record<string, ExportFunction>> {
  /** The functions that the guest exports. Async ones give promises. */
  readonly exports: E;
  /** The error that every call throws; undefined while the guest can be called. */
  readonly trapped: Error | undefined;
  /** Runs `main`; settles with its exit code. To be called once, and once more after a restart. */
  start(): Promise<number>;
  /**
   * A fresh guest of the same module, with the same host functions, in the place of this one,
   * whether that has trapped or not. What is pending rejects with code KIPPU_RESTARTED, unless it
   * has rejected already; host operations are aborted. `exports` stays the same object and its
   * functions, also those that somebody keeps, call the new guest.
   *
   * Calls while it is under way share one restart. Rejects with code KIPPU_DISPOSED after `dispose`. When it
   * rejects for another reason (there is no memory, say) the instance stays dead and it may be tried again.
   */
  restart(): Promise<void>;
  /**
   * Every live task of the guest, newest first; also while the guest runs, from a host function.
   *
   * Throws with code KIPPU_NO_DUMP when the guest was built without the feature `dump` of the crate
   * `kippu`, and what every call throws when the instance is dead.
   */
  dump(): TaskInfo[];
  /**
   * Ends the instance for good: rejects what is pending with code KIPPU_DISPOSED, aborts host operations,
   * clears timers. A second call does nothing more.
   */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const plainFail: Fail = (code, detail) => {
  const text = detail instanceof Uint8Array ? readText(detail, 0, detail.length) : detail;
  return Object.assign(new Error(`KIPPU_${code}: ${text}`, { cause: detail }), {
    code: `KIPPU_${code}`,
  });
};

/** Compiles and links a guest; `main` does not run yet. */
export const instantiate = async <E = Record<string, ExportFunction>>(
  wasm: BufferSource | WebAssembly.Module,
  { host = {}, services = {}, foreign, codec, streams, fail = plainFail, trace }: CoreOptions = {},
): Promise<Instance<E>> => {
  const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
  const own = streams?.();
  const [hostEntries, exportEntries] = readSection(module, fail, codec, own?.type);
  const hooks = trace?.attach();

  /** A fresh guest. */
  const link = async (): Promise<Driver> => {
    const given = typeof services === "function" ? await services() : services;
    const others = await foreign?.();
    const driver = await drive(
      module,
      fail,
      [writeText, encodeText],
      (driver, from, name) => {
        if (from === "kippu")
          return name === "trace"
            ? (hooks?.record(driver) ?? (() => 0))
            : own?.import(driver, name);
        const [signature, fn] =
          from === "host"
            ? [hostEntries[name], (host as Record<string, HostFunction>)[name]]
            : Object.hasOwn(given, from) && Object.hasOwn(given[from], name)
              ? given[from][name]
              : [];
        return signature
          ? typeof fn === "function" &&
              // What every object has, such as `toString`, was not given as a host function.
              fn !== Object.prototype[name as keyof object] &&
              (hooks?.host ?? hostFunction)(
                driver,
                own?.bind(signature) ?? signature,
                fn.bind(host),
              )
          : others?.resolve(from, name);
      },
      hooks?.entries,
    );
    if (own) driver.ended = own.end;
    others?.linked(driver);
    return driver;
  };

  // What calls the guest holds this object, and a restart puts the new guest's driver into it. Host
  // functions hold the driver of the guest that called them, so late answers find it dead.
  const driver = { ...(await link()) };
  const calls = createCalls(driver);
  const entries: Record<string, Entry> = {};
  const entry = (name: string): Entry => {
    entries[name] ??= { f: driver.exports[name] };
    return entries[name];
  };
  const exports = { __proto__: null } as unknown as Record<string, ExportFunction>;
  for (const name in exportEntries) {
    const at = `kippu_export:${name}`;
    if (driver.exports[at]) {
      const signature = exportEntries[name];
      const f = calls.wrap(signature, entry(at));
      exports[name] = hooks ? hooks.exported(signature, f) : f;
    }
  }
  own?.connect(calls, entry("kippu_stream_next"), entry("kippu_stream_close"));
  let started = false;
  let disposed: Error | undefined;
  let restarting: Promise<void> | undefined;

  /** Has all entries be those of the guest in `driver`. */
  const aim = (): void => {
    for (const name in entries) entries[name].f = driver.exports[name];
  };
  /** Ends the guest, and lets go of it: its memory may be large. */
  const end = (error: Error): void => {
    driver.end(error);
    driver.exports = {};
    aim();
  };
  const renew = async (): Promise<void> => {
    if (disposed) throw disposed;
    end(fail("RESTARTED"));
    const next = await link();
    if (disposed) throw next.end(disposed);
    Object.assign(driver, next);
    aim();
    started = false;
  };
  const dispose = async (): Promise<void> => {
    disposed ??= fail("DISPOSED");
    end(disposed);
    await restarting?.catch(() => {});
  };
  const start = async (): Promise<number> => {
    const { kippu_start: f, main } = driver.exports as Partial<Driver["exports"]>;
    const either = f ?? main;
    if (!either) throw driver.dead() ?? fail("NO_MAIN");
    started = true;
    return calls.start(either, f ? [] : [0, 0], T_F64) as Promise<number>;
  };
  const startMain = hooks?.exported(["main", true, [], T_F64], start) ?? start;

  return {
    exports: exports as E,
    get trapped() {
      return driver.dead();
    },
    async start() {
      if (started && !driver.dead()) throw fail("STARTED");
      return startMain();
    },
    restart() {
      restarting ??= renew().finally(() => {
        restarting = undefined;
      });
      return restarting;
    },
    dump() {
      const { kippu_dump: f } = driver.exports as Partial<Driver["exports"]>;
      if (!f) throw driver.dead() ?? fail("NO_DUMP");
      const tasks: TaskInfo[] = [];
      driver.call(-1, f, [], (_tag, at, len) => {
        const c: Cursor = [driver.memory(), at];
        for (let n = len && readVarint(c); n--; ) {
          const [name, location, state, waitsFor] = [0, 0, 0, 0].map(() => readString(c));
          tasks.push({ name, location, state: state as TaskInfo["state"], waitsFor });
        }
      });
      return tasks;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
};
