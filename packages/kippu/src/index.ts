// The package for every engine: core with serde types, errors with classes, and loading.

import { readCodec } from "./codec.js";
import {
  type ExportFunction,
  type Foreign,
  type Instance,
  instantiate as instantiateCore,
  type Services,
} from "./core.js";
import { failOf, KippuError, WouldDeadlock } from "./errors.js";
import { load, type WasmSource } from "./load.js";
import { createStreams } from "./streams.js";
import type { Tracer } from "./trace.js";

export type {
  Context,
  ExportFunction,
  Foreign,
  HostFunction,
  Instance,
  Services,
  TaskInfo,
} from "./core.js";
export * from "./errors.js";
export type { WasmSource } from "./load.js";
export { type GuestStream, type StreamSource, toReadableStream } from "./streams.js";

export interface Options {
  /** The functions that the guest declares with `#[kippu::host]`, by name. */
  host?: object;
  /**
   * The services of the crate `kippu` that the guest may use. A function makes them anew at each
   * restart.
   */
  services?: Services | (() => Services | Promise<Services>);
  /** What another tool's code in the guest imports, such as `wasmBindgen` gives. */
  foreign?: Foreign;
  /** Records what crosses; made by `createTrace` of `kippu/trace`. */
  trace?: Tracer;
}

/** Services that hold state, and how to end them. */
export interface ServiceSet {
  services: Services;
  /** Lets go of whatever the guest has left open. */
  close(): Promise<void>;
}

/** What every guest exports. */
const REQUIRED = ["memory", "kippu_abi", "kippu_ring", "kippu_alloc", "kippu_free", "kippu_turn"];

const guestError = (e: unknown): unknown =>
  e instanceof Error && e.name === "WouldDeadlock" && !(e instanceof WouldDeadlock)
    ? new WouldDeadlock(e.message)
    : e;

/**
 * `instantiate` for a compiled module. Unless services are given `make` gives them, anew at each
 * restart, when the ones before it are closed.
 */
export const open = async <E>(
  module: WebAssembly.Module,
  options: Options,
  make?: () => ServiceSet,
): Promise<Instance<E>> => {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const absent = REQUIRED.filter((name) => !names.has(name));
  if (absent.length)
    throw new KippuError(
      "KIPPU_NOT_A_GUEST",
      `the module was not built with the crate \`kippu\`: it does not export ${absent.join(", ")}`,
    );
  let own: ServiceSet | undefined;
  const close = async (): Promise<void> => {
    const last = own;
    own = undefined;
    await last?.close();
  };
  const renew = async (make: () => ServiceSet): Promise<Services> => {
    await close();
    own = make();
    return own.services;
  };
  const services = options.services ?? (make && (() => renew(make)));
  let instance: Instance<E>;
  try {
    instance = await instantiateCore<E>(module, {
      ...options,
      ...(services && { services }),
      codec: readCodec,
      streams: createStreams,
      fail: failOf(module, readCodec, createStreams().type),
    });
  } catch (e) {
    await close();
    throw e;
  }
  const { start, dispose } = instance;
  let disposed: Promise<void> | undefined;
  instance.dispose = instance[Symbol.asyncDispose] = () => {
    disposed ??= dispose().then(close);
    return disposed;
  };
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
