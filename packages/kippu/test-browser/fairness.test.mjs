// A page stays alive while a guest has more to do than time: no long tasks, frames, timers.
//
// What is measured is measured on machines that do other things as well. So a long task is a
// fault when the page's thread itself worked for so long, by the browser's own trace, and
// a measurement is repeated before it fails.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, serve } from "../../../conformance/browsers.mjs";
import { buildGuest } from "../test/rust.mjs";

/** What browsers call a long task, in milliseconds. */
const LONG = 50;
/** What 30 frames a second leave for each. */
const FRAME = 1000 / 30;
const ATTEMPTS = 3;
const TASKS = 10_000;
/** What is traced: tasks of threads, frames and timers, and marks. */
const CATEGORIES = [
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
  "blink.user_timing",
];

let server;
let browser;
before(async () => {
  server = await serve({
    "/": "<!doctype html><meta charset=utf-8><title>busy</title><p>",
    "/favicon.ico": (_, response) => response.writeHead(204).end(),
    "/guest.wasm": buildGuest("page-guest"),
    "/kippu/": new URL("../dist/", import.meta.url),
  });
  browser = await launch("chromium");
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** In the page: what happens while the guest is busy. Times are in milliseconds. */
const measure = async (f, tasks, steps, time) => {
  const { instantiate } = await import("/kippu/browser.js");
  const host = { lookup: async (word) => word, note: () => {} };
  const guest = await instantiate("/guest.wasm", { host });
  const long = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) long.push(duration);
  });
  observer.observe({ type: "longtask" });
  await new Promise(requestAnimationFrame);

  performance.mark("busy");
  guest.exports[f](tasks, steps);
  const start = performance.now();
  const frames = [];
  const timers = [];
  const note = (times) => times.push(performance.now() - start);
  let frame = requestAnimationFrame(function next() {
    note(frames);
    document.querySelector("p").textContent = String(frames.length);
    frame = requestAnimationFrame(next);
  });
  const timer = setInterval(note, 10, timers);
  // Its turn comes after that of all busy tasks.
  const answered = guest.exports.explain("word");
  await new Promise((done) => setTimeout(done, time));
  performance.mark("rest");
  cancelAnimationFrame(frame);
  clearInterval(timer);
  const polls = guest.exports.polls();
  guest.exports.rest();
  const answer = await answered;
  await guest.dispose();
  // What was observed last comes later.
  await new Promise((done) => setTimeout(done, 100));
  observer.disconnect();
  const waits = (times) => times.map((at, i) => at - (times[i - 1] ?? 0)).sort((a, b) => a - b);
  return { answer, polls, long, frames: waits(frames), timers: waits(timers) };
};

const median = (sorted) => sorted[sorted.length >> 1];

/**
 * In ms of the processor, sorted: how long tasks of the page took between its two marks, and how
 * much it worked between two frames and between two runs of its timer.
 */
const worked = (trace) => {
  const { traceEvents } = JSON.parse(Buffer.from(trace).toString());
  const [busy, rest] = ["busy", "rest"].map((mark) =>
    traceEvents.find(({ name, cat }) => name === mark && cat.includes("blink.user_timing")),
  );
  const events = traceEvents.filter(
    // The task that the first mark is in began before.
    ({ pid, tid, ts, dur = 0 }) =>
      pid === busy.pid && tid === busy.tid && ts + dur >= busy.ts && ts <= rest.ts,
  );
  const named = (wanted) =>
    events.filter(({ name }) => name === wanted).sort((a, b) => a.tts - b.tts);
  const between = (wanted) =>
    named(wanted).map(({ tts }, i, all) => tts - (all[i - 1] ?? busy).tts);
  const sorted = (times) => times.map((us) => us / 1000).sort((a, b) => a - b);
  return {
    tasks: sorted(named("RunTask").map(({ tdur }) => tdur)),
    frames: sorted(between("FireAnimationFrame")),
    timers: sorted(between("TimerFire")),
  };
};

/** Measures and traces on a page of its own. */
const traced = async (...given) => {
  const page = await browser.newPage(server.url);
  try {
    await page.tracing.start({ categories: CATEGORIES });
    const found = await page.evaluate(...given);
    return { found, ...worked(await page.tracing.stop()) };
  } finally {
    await page.close();
  }
};

test("what is measured sees a poll that takes long, which nothing can interrupt", async () => {
  const { found, tasks } = await traced(measure, "hog", 500, 0, 1000);
  assert.ok(tasks.at(-1) >= LONG, `${tasks.at(-1)} ms`);
  assert.ok(
    found.long.some((duration) => duration >= 100),
    `${found.long}`,
  );
  assert.ok(found.frames.at(-1) >= 100 && found.timers.at(-1) >= 100);
});

for (const [name, f, steps] of [
  ["short polls", "busy", 100],
  ["polls of some 10 µs", "busy", 10_000],
  ["polls of some 0.5 ms", "busy", 1_000_000],
  ["calls of host functions", "busy_asking", 1000],
])
  test(`a page with ${TASKS} busy tasks: ${name}`, async (t) => {
    const faults = [];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { found, tasks, frames, timers } = await traced(measure, f, TASKS, steps, 2000);
      assert.equal(found.answer, "word: word");
      assert.ok(found.polls > TASKS / 100, `only ${found.polls} polls`);
      const ms = (time) => time.toFixed(1);
      t.diagnostic(
        `${found.polls} polls; ${tasks.length} tasks, of at most ${ms(tasks.at(-1))} ms; ` +
          `work between frames ${ms(median(frames))} ms, at most ${ms(frames.at(-1))}; ` +
          `between timers ${ms(median(timers))} ms, at most ${ms(timers.at(-1))}. On the clock: ` +
          `long tasks ${found.long.map(Math.round).join(", ") || "none"}; ` +
          `${(1000 / median(found.frames)).toFixed()} frames/s, at most ` +
          `${ms(found.frames.at(-1))} ms apart; a timer of 10 ms every ` +
          `${ms(median(found.timers))} ms, at most ${ms(found.timers.at(-1))}`,
      );
      const fault = [
        (frames.length < 10 || timers.length < 10) &&
          `${frames.length} frames and ${timers.length} timers`,
        tasks.at(-1) >= LONG && `a task of ${tasks.at(-1)} ms`,
        median(frames) >= FRAME && `${median(frames)} ms of work between frames`,
        median(timers) >= 25 && `${median(timers)} ms of work between timers of 10 ms`,
      ].filter(Boolean);
      if (!fault.length) return;
      faults.push(fault.join(" and "));
    }
    assert.fail(`in each of ${ATTEMPTS} attempts: ${faults.join("; ")}`);
  });
