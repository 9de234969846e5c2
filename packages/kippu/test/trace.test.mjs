// What is recorded of turns, calls and spans, and that trace viewers can read it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createTrace } from "kippu/trace";
import { macrotask, module, open } from "./life.mjs";

/** The rules of the Trace Event Format, as far as events of these kinds have any. Gives the events. */
const check = (trace) => {
  const { traceEvents, displayTimeUnit } = JSON.parse(JSON.stringify(trace));
  assert.equal(displayTimeUnit, "ms");
  const begun = new Map();
  /** Ends of the slices that enclose the next one, by thread. */
  const enclosing = {};
  let last = 0;
  for (const event of traceEvents) {
    const { name, cat, ph, ts, dur, pid, tid, id2, args } = event;
    assert.ok(typeof name === "string" && typeof cat === "string", JSON.stringify(event));
    assert.ok(Number.isInteger(pid) && Number.isInteger(tid));
    assert.equal(typeof args, "object");
    if (ph === "M") continue;
    assert.ok(Number.isFinite(ts) && ts >= last, `${ts} comes after ${last}`);
    last = ts;
    const key = `${cat}:${id2?.local}`;
    if (ph === "X") {
      assert.ok(Number.isFinite(dur) && dur >= 0);
      enclosing[tid] ??= [];
      const ends = enclosing[tid];
      // Times are rounded to nanoseconds.
      while (ends.length && ends.at(-1) <= ts + 0.001) ends.pop();
      assert.ok(!ends.length || ts + dur <= ends.at(-1) + 0.002, `${name} overlaps another slice`);
      ends.push(ts + dur);
    } else if (ph === "b") {
      assert.match(id2.local, /^0x[0-9a-f]+$/);
      assert.ok(!begun.has(key), `${key} begins twice`);
      begun.set(key, name);
    } else if (ph === "e") {
      assert.equal(begun.get(key), name, `${key} ends, and has not begun`);
      begun.delete(key);
    } else {
      assert.equal(ph, "i");
      assert.equal(event.s, "t");
    }
  }
  assert.deepEqual([...begun], [], "begun, and not ended");
  return traceEvents;
};

const select = (events, ph, cat, name) =>
  events.filter((e) => e.ph === ph && (!cat || e.cat === cat) && (!name || e.name === name));

/** Whether `inner` lies within one of `outer`. */
const within = (inner, outer) =>
  outer.some((o) => o.ts - 0.002 <= inner.ts && inner.ts + inner.dur <= o.ts + o.dur + 0.002);

test("turns, calls both ways, and spans across awaits", async () => {
  const trace = createTrace();
  const answers = [];
  const ask = (what) => new Promise((resolve) => answers.push(() => resolve(what)));
  const instance = await open({ ask }, { trace });
  instance.exports.record_spans();
  const sum = instance.exports.report(3);
  await macrotask();
  for (const answer of answers) answer();
  assert.equal(await sum, 6);
  await instance.dispose();
  const events = check(trace);

  const names = events.filter(({ ph }) => ph === "M").map(({ name, args }) => [name, args.name]);
  assert.deepEqual(names, [
    ["process_name", "Kippu"],
    ["thread_name", "guest"],
  ]);

  const turns = select(events, "X", "turn");
  const calls = select(events, "X", "export", "report");
  assert.ok(turns.length >= 3);
  assert.ok(
    turns.some(({ args }) => args.records === 3),
    "three answers in one turn",
  );
  assert.equal(calls.length, 1);
  const [call] = select(events, "b", "export", "report");
  assert.deepEqual(call.args, { outcome: "ok" });

  const asked = select(events, "b", "host function", "ask");
  assert.deepEqual(
    asked.map(({ args }) => args.outcome),
    ["ok", "ok", "ok"],
  );
  assert.equal(new Set(asked.map(({ args }) => args.ticket)).size, 3);
  const crossings = select(events, "X", "host function", "ask");
  assert.equal(crossings.length, 3);

  // A span lives from its making to its end, and is entered only while it is polled.
  const rows = select(events, "b", "span", "load_row");
  assert.deepEqual(
    rows.map(({ args }) => args.id),
    ["1", "2", "3"],
  );
  for (const { args } of rows) {
    assert.equal(args.target, "life_guest::spans");
    assert.equal(args.level, "INFO");
    assert.match(args.place, /spans\.rs:\d+$/);
    const polls = select(events, "X", "span", "load_row").filter((e) => e.args.id === args.id);
    assert.ok(polls.length >= 3, "polled when made, when answered, and after the sleep");
    const apart = polls[1].ts - (polls[0].ts + polls[0].dur);
    assert.ok(apart > 1000, `not entered while it waits: ${apart} µs`);
    for (const poll of polls) assert.ok(within(poll, turns));
  }
  const polls = select(events, "X", "span", "load_row");
  for (const crossing of crossings)
    assert.ok(within(crossing, polls), "the call is inside its span");
  const parsed = select(events, "X", "span", "parse");
  assert.equal(parsed.length, 3);
  for (const slice of parsed) {
    assert.ok(within(slice, polls));
    assert.equal(slice.args.level, "DEBUG");
  }
  const [report] = select(events, "b", "span", "report");
  assert.equal(report.args.rows, "3");
  assert.equal(report.args.sum, "6.0", "a field that was recorded later");
  const [mark] = select(events, "i", "event");
  assert.equal(mark.name, "all rows are here");
  assert.equal(mark.args.sum, "6.0");
});

test("how calls end: with an error, cancelled, in a trap, not at all", async () => {
  const trace = createTrace();
  const instance = await open({}, { trace });
  const { exports } = instance;
  assert.equal(await exports.asks(1, 3), 1);
  await exports.dropped(1, 9);
  await assert.rejects(exports.fails(true));
  const unfinished = exports.asked(0).catch(() => {});
  const during = check(trace);
  assert.deepEqual(
    select(during, "b").map(({ name, args }) => `${name} ${args.outcome}`),
    [
      "asks ok",
      "ask error",
      "dropped ok",
      "ask cancelled",
      "ask ok",
      "fails error",
      "asked unfinished",
      "ask unfinished",
    ],
  );
  assert.throws(exports.panics);
  await unfinished;
  const events = check(trace);
  assert.equal(select(events, "X", "export", "panics").length, 1);
  const ends = select(events, "b").map(({ name, args }) => `${name} ${args.outcome}`);
  assert.deepEqual(ends.slice(-2), ["asked error", "ask cancelled"]);
  await instance.restart();
  assert.equal(exports.count(), 1);
  assert.equal(select(check(trace), "X", "export", "count").length, 1);
  await instance.dispose();
});

test("main, and instances beside each other", async () => {
  const trace = createTrace();
  const [one, two] = [await open({}, { trace }), await open({}, { trace })];
  assert.deepEqual(await Promise.all([one.start(), two.start()]), [3, 3]);
  await Promise.all([one.dispose(), two.dispose()]);
  const mains = select(check(trace), "b", "export", "main");
  assert.deepEqual(
    mains.map(({ tid, args }) => [tid, args.outcome]),
    [
      [1, "ok"],
      [2, "ok"],
    ],
  );
});

test("memory is bounded: the latest records are kept, and the others counted", async () => {
  const trace = createTrace({ limit: 100 });
  const { exports } = await open({}, { trace });
  for (let i = 0; i < 250; i++) exports.count();
  assert.equal(trace.dropped, 150);
  const slices = select(check(trace), "X");
  assert.equal(slices.length, 100);
  assert.equal(JSON.parse(JSON.stringify(trace)).otherData.dropped, 150);
  trace.clear();
  assert.equal(trace.dropped, 0);
  assert.deepEqual(select(check(trace), "X"), []);
  exports.count();
  assert.equal(select(check(trace), "X").length, 1);
  assert.throws(() => createTrace({ limit: 0 }), RangeError);
});

test("results and errors are those of an instance without a trace", async () => {
  const trace = createTrace();
  const instance = await open({}, { trace });
  const { exports } = instance;
  assert.equal(await exports.echo_text("größer"), "größer");
  assert.deepEqual(exports.echo_bytes(new Uint8Array([1, 2])), new Uint8Array([1, 2]));
  await assert.rejects(exports.fails(false), { message: "on purpose" });
  let sum = 0;
  for await (const item of exports.stream_of(4)) sum += item;
  assert.equal(sum, 6);
  assert.equal(await exports.pulls(40), 90);
  const controller = new AbortController();
  const waiting = exports.waits(controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  assert.deepEqual(instance.dump(), []);
  check(trace);
});

test("nothing of it is there without a trace", async () => {
  const seen = [];
  const { instantiate: real } = WebAssembly;
  WebAssembly.instantiate = async (compiled, imports) => {
    seen.push(imports.kippu.trace);
    return real(compiled, imports);
  };
  try {
    const { exports } = await open();
    assert.ok(WebAssembly.Module.imports(module).some(({ name }) => name === "trace"));
    assert.equal(seen[0](0, 0, 0, 0), 0, "the guest is told that nobody records");
    exports.record_spans();
    assert.equal(await exports.report(1), 1);
  } finally {
    WebAssembly.instantiate = real;
  }
});
