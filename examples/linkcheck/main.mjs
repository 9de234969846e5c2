// Runs linkcheck on Node: node main.mjs LINKCHECK.wasm ARGUMENTS...
import { run } from "kippu";

const [wasm, ...args] = process.argv.slice(2);
if (wasm === undefined) {
  console.error("usage: node main.mjs LINKCHECK.wasm ARGUMENTS...");
  process.exit(2);
}
process.exitCode = await run(wasm, { args });
