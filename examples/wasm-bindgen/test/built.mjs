// What `cargo xtask test --step interop` has built: NAME/ by wasm-bindgen's tool, NAME.wasm by cargo alone.

import { pathToFileURL } from "node:url";

if (!process.env.KIPPU_INTEROP)
  throw new Error("run these tests by `cargo xtask test --step interop`, which builds the guests");

export const built = pathToFileURL(`${process.env.KIPPU_INTEROP}/`);

let copies = 0;

/** A fresh copy of the glue of `name`. */
export const glueOf = (name) => import(new URL(`${name}/${name}_bg.js?${copies++}`, built).href);
