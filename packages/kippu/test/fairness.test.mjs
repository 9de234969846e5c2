// Node's timers, immediates and files while a guest has more to do than time.
//
// Machines that run tests do other things as well. So what counts as late is the time in which
// this process worked, and a measurement is repeated before it fails.

import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { buildGuest } from "./rust.mjs";

const ATTEMPTS = 3;
const TASKS = 10_000;
/** A measurement that takes longer, in ms, will never end. */
const LIMIT = 30_000;

let wasm;
before(() => {
  wasm = buildGuest("page-guest");
});

const measure = async (f, steps) => {
  const workerData = { wasm, f, tasks: TASKS, steps, time: 1500 };
  const worker = new Worker(new URL("./busy.mjs", import.meta.url), { workerData });
  try {
    const [found] = await once(worker, "message", { signal: AbortSignal.timeout(LIMIT) });
    return found;
  } finally {
    await worker.terminate();
  }
};

const median = (sorted) => sorted[sorted.length >> 1];
/** What happened three times: compilers and the collector may hold things up at the start. */
const worst = (sorted) => sorted.at(-3) ?? Number.POSITIVE_INFINITY;

for (const [name, f, steps] of [
  ["short polls", "busy", 100],
  ["polls of some 10 µs", "busy", 10_000],
  ["polls of some 0.5 ms", "busy", 1_000_000],
  ["calls of host functions", "busy_asking", 1000],
])
  test(`timers are on time beside ${TASKS} busy tasks: ${name}`, async (t) => {
    const faults = [];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { answer, polls, files, timers, immediates } = await measure(f, steps);
      assert.equal(answer, "word: word");
      assert.ok(polls > TASKS / 100, `only ${polls} polls`);
      const late = timers.map((wait) => wait - 10);
      t.diagnostic(
        `${polls} polls; a timer of 10 ms is late by ${median(late).toFixed(1)} ms, at most ` +
          `${late.at(-1).toFixed(1)}; immediates every ${median(immediates).toFixed(1)} ms, at ` +
          `most ${immediates.at(-1).toFixed(1)}; ${files} files read`,
      );
      const fault = [
        median(late) >= 12 && `timers are late by ${median(late)} ms`,
        worst(late) >= 25 && `timers were late by ${worst(late)} ms and more`,
        worst(immediates) >= 40 && `immediates came after ${worst(immediates)} ms and more`,
        files < 5 && `only ${files} files were read`,
      ].filter(Boolean);
      if (!fault.length) return;
      faults.push(fault.join(" and "));
    }
    assert.fail(`in each of ${ATTEMPTS} attempts: ${faults.join("; ")}`);
  });
