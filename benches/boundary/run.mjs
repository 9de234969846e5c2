// Measures all contestants in one process, in turns, and prints one JSON line per case:
// {case, unit, values: [[contestant, minimum]]}. Arguments: kippu's guest, wasm-bindgen's folder.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { instantiate } from "kippu";
import * as floor from "./floor.mjs";
import * as host from "./wasm-bindgen-guest/host.mjs";

const ROUNDS = 15;
const WARM_UP_ROUNDS = 5;

const [kippuFile, bindgenFolder] = process.argv.slice(2);
const kippu = await instantiate(await readFile(kippuFile), { host });
const glue = pathToFileURL(`${bindgenFolder}/boundary_wasm_bindgen`);
const bindgen = await import(`${glue}.js`);
bindgen.initSync({ module: await readFile(new URL(`${glue}_bg.wasm`)) });

const contestants = { kippu: kippu.exports, "wasm-bindgen-futures": bindgen, "plain JS": floor };

/** Calls from JavaScript: the loop is on this side. */
const calls = async (contestant, n) => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await contestant.echo(1);
  return sum;
};
/** JavaScript makes the items, by an async generator. */
const streamIn = (contestant, n) => contestant.stream_in(floor.stream_out(n));
/** The guest makes the items. */
const streamOut = (contestant, n) => floor.stream_in(contestant.stream_out(n));
const loop = (name) => (contestant, n) => contestant[name](n);

// The result is n times `each`, which shows that the work was done.
const cases = [
  { case: "async number", run: loop("numbers"), n: 20_000, each: 1 },
  { case: "async string of 20 bytes", run: loop("texts"), n: 20_000, each: 20 },
  { case: "64 KiB out", run: loop("bytes_out"), n: 2_000, each: 65_536 },
  { case: "64 KiB in", run: loop("bytes_in"), n: 2_000, each: 65_536 },
  { case: "1,000 in flight", run: loop("in_flight"), n: 1_000, each: 1 },
  { case: "10,000 in flight", run: loop("in_flight"), n: 10_000, each: 1 },
  { case: "async call from JS", run: calls, n: 20_000, each: 1 },
  { case: "sync number", run: loop("sync_numbers"), n: 100_000, each: 1 },
  { case: "stream into Rust, an item", run: streamIn, n: 10_000, each: 1 },
  { case: "stream out of Rust, an item", run: streamOut, n: 10_000, each: 1 },
  { case: "spawn", run: loop("spawns"), n: 10_000, each: 1 },
];

for (const { case: name, run, n, each } of cases) {
  const names = Object.keys(contestants);
  const values = Object.fromEntries(names.map((contestant) => [contestant, Infinity]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    // Another one begins in every round: nobody always runs after the same neighbour.
    names.push(names.shift());
    for (const contestant of names) {
      const started = performance.now();
      const sum = await run(contestants[contestant], n);
      const took = ((performance.now() - started) * 1e6) / n;
      if (sum !== n * each) throw new Error(`${name}, ${contestant}: ${sum} is not ${n * each}`);
      if (round >= 0) values[contestant] = Math.min(values[contestant], took);
    }
  }
  console.log(JSON.stringify({ case: name, unit: "ns", values: Object.entries(values) }));
}
