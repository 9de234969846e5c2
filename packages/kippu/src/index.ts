// The package for every engine: core with serde types, errors with classes, and loading.

import { readCodec } from "./codec.js";
import {
  type ExportFunction,
  type Instance,
  instantiate as instantiateCore,
  type Services,
} from "./core.js";
import { failOf, KippuError, WouldDeadlock } from "./errors.js";
import { load, type WasmSource } from "./load.js";

export type { Context, ExportFunction, HostFunction, Instance, Services } from "./core.js";
export * from "./errors.js";
export type { WasmSource } from "./load.js";

export interface Options {
  /** The functions that the guest declares with `#[kippu::host]`, by name. */
  host?: object;
  /** The services of the crate `kippu` that the guest may use. */
  services?: Services;
}

/** What every guest exports. */
const REQUIRED = ["memory", "kippu_abi", "kippu_ring", "kippu_alloc", "kippu_free", "kippu_turn"];

const guestError = (e: unknown): unknown =>
  e instanceof Error && e.name === "WouldDeadlock" && !(e instanceof WouldDeadlock)
    ? new WouldDeadlock(e.message)
    : e;

/** `instantiate` for a compiled module. */
export const open = async <E>(
  module: WebAssembly.Module,
  { host, services }: Options,
): Promise<Instance<E>> => {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const absent = REQUIRED.filter((name) => !names.has(name));
  if (absent.length)
    throw new KippuError(
      "KIPPU_NOT_A_GUEST",
      `the module was not built with the crate \`kippu\`: it does not export ${absent.join(", ")}`,
    );
  const instance = await instantiateCore<E>(module, {
    ...(host && { host }),
    ...(services && { services }),
    codec: readCodec,
    fail: failOf(module, readCodec),
  });
  const { start } = instance;
  instance.start = async () => {
    try {
      return await start();
    } catch (e) {
      throw guestError(e);
    }
  };
  return instance;
};

/**
 * Loads, compiles and links a guest; `main` does not run before `start()`.
 *
 * Rejects with MissingHostFunctions, AbiMismatch, or KippuError with code KIPPU_NOT_A_GUEST or
 * KIPPU_LOAD.
 */
export const instantiate = async <E = Record<string, ExportFunction>>(
  wasm: WasmSource | Promise<WasmSource>,
  options: Options = {},
): Promise<Instance<E>> => open<E>(await load(wasm, (from) => fetch(from)), options);
