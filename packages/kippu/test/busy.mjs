// A thread whose guest has more to do than time: how late are timers, immediates and files?
// It is a thread so that the test can end it when nothing comes on time any more.

import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { instantiate } from "kippu";

const { wasm, f, tasks, steps, time } = workerData;

const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Notes the times, in ms, between its calls. Of the processor, if that is less than on the clock. */
const stopwatch = () => {
  const waits = [];
  let at = performance.now();
  let worked = processor();
  const lap = () => {
    const [now, work] = [performance.now(), processor()];
    waits.push(Math.min(now - at, work - worked));
    at = now;
    worked = work;
  };
  return { lap, waits: () => waits.sort((a, b) => a - b) };
};

const host = { lookup: async (word) => word, note: () => {} };
const guest = await instantiate(wasm, { host });
const timers = stopwatch();
const immediates = stopwatch();
let files = 0;
guest.exports[f](tasks, steps);
const timer = setInterval(timers.lap, 10);
let immediate = setImmediate(function next() {
  immediates.lap();
  immediate = setImmediate(next);
});
const reader = (async () => {
  while (immediate) {
    await readFile(new URL(import.meta.url));
    files++;
  }
})();
// Its turn comes after that of all busy tasks.
const answer = guest.exports.explain("word");
await delay(time);
clearInterval(timer);
clearImmediate(immediate);
immediate = undefined;
await reader;
const polls = guest.exports.polls();
guest.exports.rest();
parentPort.postMessage({
  answer: await answer,
  polls,
  files,
  timers: timers.waits(),
  immediates: immediates.waits(),
});
await guest.dispose();
