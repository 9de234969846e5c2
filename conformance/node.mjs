// Runs the conformance guest: node node.mjs GUEST.wasm [CASE…].
import { readFile } from "node:fs/promises";
import { run } from "kippu";
import { createHost } from "./host.mjs";

const [wasm, ...args] = process.argv.slice(2);
if (!wasm) {
  console.error("usage: node node.mjs GUEST.wasm [CASE…]");
  process.exit(2);
}
process.exitCode = await run(await readFile(wasm), { args, env: process.env, host: createHost() });
