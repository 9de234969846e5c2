// Guests that wasm-bindgen's crates are linked into, for programs that move over step by step.

import type { Driver } from "./driver.js";
import { KippuError } from "./errors.js";
import type { Foreign } from "./foreign.js";

/** The module `NAME_bg.js` that wasm-bindgen's tool writes with `--target bundler`. */
export interface Glue {
  __wbg_set_wasm(exports: unknown): void;
}

type Raw = (...args: unknown[]) => unknown;

/** What only keeps memory, and runs no code of the program's. */
const INTERNAL = /^__(externref_|wbindgen_(malloc|realloc|free|exn_store)$)/;
/** The exports that JavaScript's garbage collector and callbacks come in by. */
const LATE = /_free$|closure/;

/** `f` for the glue: a trap ends the instance, as it does anywhere else. */
const guard = (driver: Driver, name: string, f: Raw): Raw => {
  const late = LATE.test(name);
  const enter = (): boolean => {
    const dead = driver.dead();
    // Whoever frees a value or fires a callback late has nobody to tell.
    if (dead && !late) throw dead;
    return !dead;
  };
  // Other exceptions are JavaScript's own, on their way through the guest.
  const failed = (e: unknown): unknown =>
    e instanceof WebAssembly.RuntimeError ? driver.trap(e) : e;
  // Most functions have few parameters, and lists of arguments are slow. The result of a callback
  // that is late is a list.
  if (f.length < 5)
    return (a, b, c, d) => {
      try {
        return enter() ? f(a, b, c, d) : [];
      } catch (e) {
        throw failed(e);
      }
    };
  return (...args) => {
    try {
      return enter() ? f(...args) : [];
    } catch (e) {
      throw failed(e);
    }
  };
};

/** The guest's exports as the glue gets them. */
const guarded = (driver: Driver): Record<string, unknown> => {
  const exports: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(driver.exports as Record<string, unknown>))
    exports[name] =
      typeof item === "function" && !INTERNAL.test(name) ? guard(driver, name, item as Raw) : item;
  return exports;
};

/** Glue that has an instance. */
const taken = new WeakSet<Glue>();

/**
 * The option `foreign` for a guest that went through wasm-bindgen's tool (`--target bundler`).
 *
 * `glue` is the module `NAME_bg.js` beside `NAME_bg.wasm`. It keeps its instance in variables, so it
 * serves one: for more, or to restart, give a function that imports a fresh copy (by another query
 * behind its name). `modules` are those that the program itself names with
 * `#[wasm_bindgen(module = "…")]`, by that name.
 *
 * Functions with `#[wasm_bindgen(start)]` run when the instance is made.
 */
export const wasmBindgen =
  (
    glue: Glue | (() => Glue | Promise<Glue>),
    modules: Record<string, Record<string, unknown>> = {},
  ): Foreign =>
  async () => {
    const own = typeof glue === "function" ? await glue() : glue;
    if (taken.has(own))
      throw new KippuError(
        "KIPPU_GLUE",
        "this copy of wasm-bindgen's glue has an instance already: give wasmBindgen a function that imports a fresh one",
      );
    return {
      resolve: (from, name) =>
        Object.hasOwn(modules, from)
          ? modules[from][name]
          : from.endsWith("_bg.js")
            ? (own as unknown as Record<string, unknown>)[name]
            : undefined,
      linked(driver) {
        taken.add(own);
        const exports = guarded(driver);
        own.__wbg_set_wasm(exports);
        (exports.__wbindgen_start as Raw | undefined)?.();
      },
    };
  };
