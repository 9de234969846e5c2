// The program of the page about types.

// ANCHOR: use
import { readFile } from "node:fs/promises";
import { instantiate, type WasmSource } from "kippu";
import type { Exports, Host } from "./search.d.ts";

const host = {
  load: (path, { signal }) => readFile(path, { encoding: "utf8", signal }),
} satisfies Host;

export const search = async (wasm: WasmSource, word: string, paths: string[]) => {
  await using guest = await instantiate<Exports>(wasm, { host });
  for (const { path, line, text } of await guest.exports.find({ word, paths }))
    console.log(`${path}:${line}: ${text ?? ""}`);
};
// ANCHOR_END: use
