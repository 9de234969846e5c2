// Guests whose functions take and give numbers, strings and bytes; serde types, services and
// rich errors are plugged in by index.ts.

import { type Context, hostFunction } from "./call.js";
import { drive, type RawFunction } from "./driver.js";
import { createCalls, type ExportFunction } from "./in.js";
import { type CodecMaker, readSection } from "./section.js";
import { encodeText, readText, writeText } from "./text.js";
import { type Fail, type HostFunction, type Signature, T_F64 } from "./types.js";

export type { Context, ExportFunction, HostFunction };

/** Host functions that come with their signatures: by module, then by name. */
export type Services = Record<string, Record<string, readonly [Signature, HostFunction]>>;

export interface CoreOptions {
  /** The functions that the guest declares with `#[kippu::host]`, by name. */
  host?: object;
  /** Host functions of other modules than `host`. */
  services?: Services;
  /** Makes codecs for serde types. Without it a guest that has one is refused. */
  codec?: CodecMaker;
  /** Makes the errors. Without it they are plain ones with a `code`. */
  fail?: Fail;
}

export interface Instance<E = Record<string, ExportFunction>> {
  /** The functions that the guest exports. Async ones give promises. */
  readonly exports: E;
  /** The error that every call throws since the instance trapped or was disposed of. */
  readonly trapped: Error | undefined;
  /** Runs `main`; settles with its exit code. To be called once. */
  start(): Promise<number>;
  /** Ends the instance: rejects what is pending, aborts host operations, clears timers. */
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
  { host = {}, services = {}, codec, fail = plainFail }: CoreOptions = {},
): Promise<Instance<E>> => {
  const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
  const [hostEntries, exportEntries] = readSection(module, fail, codec);
  const driver = await drive(module, fail, [writeText, encodeText], (driver, from, name) => {
    const [signature, fn] =
      from === "host"
        ? [hostEntries[name], (host as Record<string, HostFunction>)[name]]
        : Object.hasOwn(services, from) && Object.hasOwn(services[from], name)
          ? services[from][name]
          : [];
    return (
      signature &&
      typeof fn === "function" &&
      // What every object has, such as `toString`, was not given as a host function.
      fn !== Object.prototype[name as keyof object] &&
      hostFunction(driver, signature, fn.bind(host))
    );
  });
  const { kippu_start, main } = driver.exports;

  const calls = createCalls(driver);
  const exports = { __proto__: null } as unknown as Record<string, ExportFunction>;
  for (const name in exportEntries) {
    const f = driver.exports[`kippu_export:${name}`];
    if (f) exports[name] = calls.wrap(exportEntries[name], f);
  }
  let started = false;
  const dispose = async (): Promise<void> => {
    driver.end(fail("DISPOSED"));
  };
  return {
    exports: exports as E,
    get trapped() {
      return driver.dead();
    },
    async start() {
      const f: RawFunction = kippu_start ?? main;
      if (!f) throw fail("NO_MAIN");
      if (started && !driver.dead()) throw fail("STARTED");
      started = true;
      return calls.start(f, f === kippu_start ? [] : [0, 0], T_F64) as Promise<number>;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
};
