// The package for pages and their workers: modules are fetched, and guests get the services.

import type { ExportFunction, Instance } from "./core.js";
import { type Options, open } from "./index.js";
import { load, type WasmSource } from "./load.js";
import { browserServices, type ServiceOptions } from "./services/browser/index.js";

export * from "./index.js";
export { browserServices, type ServiceOptions, type Stdio } from "./services/browser/index.js";

/**
 * Loads, compiles and links a guest, with the services of the crate `kippu` unless `services` are
 * given; `main` does not run before `start()`. A string is a URL.
 *
 * Rejects with MissingHostFunctions, AbiMismatch, KippuError with code KIPPU_NOT_A_GUEST or
 * KIPPU_LOAD, or the error of `fetch`.
 */
export const instantiate = async <E = Record<string, ExportFunction>>(
  wasm: WasmSource | Promise<WasmSource>,
  options: Options & ServiceOptions = {},
): Promise<Instance<E>> =>
  open<E>(await load(wasm, (from) => fetch(from)), options, () => browserServices(options));

export interface RunOptions extends Omit<Options, "services">, ServiceOptions {}

/**
 * Runs a program with the services of the crate `kippu` and gives its exit code. Everything that
 * the program left running ends with it.
 *
 * Rejects as `instantiate` does, with InstanceTrapped when the program panics, and with
 * WouldDeadlock when nothing could ever wake it.
 */
export const run = async (
  wasm: WasmSource | Promise<WasmSource>,
  options: RunOptions = {},
): Promise<number> => {
  const instance = await instantiate(wasm, options);
  try {
    return await instance.start();
  } finally {
    await instance.dispose();
  }
};
