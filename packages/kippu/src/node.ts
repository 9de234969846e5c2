// The package for Node, Bun and Deno: files are read by path, and guests get the services.

import { readFile } from "node:fs/promises";
import type { ExportFunction, Instance } from "./core.js";
import { type Options, open } from "./index.js";
import { load, type WasmSource } from "./load.js";
import { nodeServices, type ServiceOptions } from "./services/node/index.js";

export * from "./index.js";
export { nodeServices, type ServiceOptions } from "./services/node/index.js";

const read = (from: URL | string): Promise<Response | BufferSource> =>
  /^(https?|data|blob):/.test(String(from))
    ? fetch(from)
    : (readFile(String(from).startsWith("file:") ? new URL(from) : from) as Promise<BufferSource>);

/**
 * Loads, compiles and links a guest, with the services of the crate `kippu` unless `services` are
 * given; `main` does not run before `start()`. A string is a path or a URL.
 *
 * Rejects with MissingHostFunctions, AbiMismatch, KippuError with code KIPPU_NOT_A_GUEST or
 * KIPPU_LOAD, or the error of the file system.
 */
export const instantiate = async <E = Record<string, ExportFunction>>(
  wasm: WasmSource | Promise<WasmSource>,
  options: Options & ServiceOptions = {},
): Promise<Instance<E>> => open<E>(await load(wasm, read), options, () => nodeServices(options));

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
  // A program may wait for what keeps no process alive, such as a signal.
  const alive = setInterval(() => {}, 2 ** 31 - 1);
  try {
    return await instance.start();
  } finally {
    clearInterval(alive);
    await instance.dispose();
  }
};
