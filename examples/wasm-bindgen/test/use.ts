// Compiled by types.test.mjs beside the folder `pkg`.

import { instantiate } from "kippu";
import { wasmBindgen } from "kippu/wasm-bindgen";
// ANCHOR: use
import * as glue from "./pkg/checksums_bg.js";

type Old = typeof import("./pkg/checksums.js");
const { onProgress } = glue as typeof glue & Old;
// ANCHOR_END: use

interface Exports {
  check(files: { url: string; sha256: string }[], seconds: number): Promise<unknown[]>;
}

export const open = async (): Promise<Exports> => {
  const guest = await instantiate<Exports>(new URL("./pkg/checksums_bg.wasm", import.meta.url), {
    host: { download: async (url: string) => (await fetch(url)).arrayBuffer() },
    foreign: wasmBindgen(glue),
  });
  onProgress((done: number, total: number) => console.log(done, total));
  // @ts-expect-error: the glue has no such function.
  glue.onRegress;
  return guest.exports;
};
