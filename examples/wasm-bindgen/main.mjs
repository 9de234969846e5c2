// Checks the downloads that a list names, in the format of sha256sum: `node main.mjs WHERE LIST`.
// WHERE is the folder that wasm-bindgen's tool wrote, or the module as cargo wrote it.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { openAfter, openBefore } from "./open.mjs";

const [where, list] = process.argv.slice(2);
if (!list) {
  console.error("usage: node main.mjs WHERE LIST");
  process.exit(2);
}
const files = (await readFile(list, "utf8"))
  .split("\n")
  .map((line) => /^(\w{64}) [ *](\S+)$/.exec(line))
  .filter(Boolean)
  .map(([, sha256, url]) => ({ url, sha256 }));

const progress = (done, total) => console.error(`${done} of ${total}`);
const guest = where.endsWith(".wasm")
  ? await openAfter(pathToFileURL(where), progress)
  : await openBefore(pathToFileURL(`${where}/`), progress);
const verdicts = await guest.exports.check(files, 10);
await guest.dispose();

for (const [i, verdict] of verdicts.entries()) {
  const { Changed, Unreachable } = verdict;
  const text = Changed ? `has ${Changed.sha256}` : Unreachable ? Unreachable.reason : "good";
  console.log(`${files[i].url}: ${text}`);
}
process.exitCode = verdicts.every((verdict) => verdict === "Good") ? 0 : 1;
