// Nothing is left behind by what crosses, 100,000 times: memory on both sides is flat.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { macrotask, open } from "./life.mjs";

const TIMES = 100_000;
/** Of what is slow in the engine itself: errors and signals. */
const FEWER = 30_000;
/**
 * By so much the heap may grow from the end of the first tenth to that of the last: the engine keeps
 * books of its own. The smallest object has 12 bytes, so one that is left by each of 90,000 calls
 * is more; as is, of the slow kinds, one closure or promise.
 */
const SLACK = 800_000;

let instance;
let exports;
let memory;
/** Tickets of the calls of `ask` since it was emptied. */
let tickets = [];

before(async () => {
  assert.ok(globalThis.gc, "run with --expose-gc");
  const { instantiate: real } = WebAssembly;
  WebAssembly.instantiate = async (module, imports) => {
    const { ask } = imports.host;
    const noted = (ticket, ...raw) => {
      if (tickets.length < 1000) tickets.push(ticket);
      return ask(ticket, ...raw);
    };
    const made = await real(module, { ...imports, host: { ...imports.host, ask: noted } });
    memory = made.exports.memory;
    return made;
  };
  try {
    instance = await open();
    exports = instance.exports;
  } finally {
    WebAssembly.instantiate = real;
  }
});

const measure = async () => {
  // Settled promises, finalizers and what is cleaned up by a timer.
  for (let i = 0; i < 3; i++) {
    await macrotask();
    globalThis.gc();
  }
  return { heap: process.memoryUsage().heapUsed, guest: memory.buffer.byteLength };
};

const row = {
  id: 1,
  weight: 0.5,
  name: "row",
  bytes: new Uint8Array([1, 2, 3]),
  tags: { a: null, b: -1 },
};

const each = (f) => async (times) => {
  for (let i = 0; i < times; i++) await f(i);
};

const kinds = {
  "host function, answers within the call": (n) => exports.asks(n, 2),
  "host function, answers later": (n) => exports.asks(n, 1),
  "host function, sync": (n) => exports.numbers_at_once(n),
  "host function, dropped": (n) => exports.dropped(n, 8),
  "host function, its task aborted": (n) => exports.aborted(n, 8),
  "strings out": (n) => exports.texts(n),
  "bytes out": (n) => exports.blobs(n),
  "serde out": (n) => exports.rows(n),
  timers: (n) => exports.sleeps(n),
  "streams of the host": (n) => exports.pulls(n),
  "export, sync": each(() => exports.count()),
  "export, answers later": each(() => exports.asked(1)),
  "export, many at once": async (n) => {
    for (let i = 0; i < n; i += 500)
      await Promise.all(Array.from({ length: 500 }, () => exports.asked(1)));
  },
  "export, with a signal that does not abort": async (n) => {
    const { signal } = new AbortController();
    for (let i = 0; i < n; i++) await exports.asked(1, signal);
  },
  "strings in": each((i) => exports.echo_text(i % 64 ? "some text, größer" : "x".repeat(20_000))),
  "bytes in": each((i) => exports.echo_bytes(new Uint8Array(i % 64 ? 100 : 20_000))),
  "serde in": each(() => exports.echo_row(row)),
  "streams of the guest": async (n) => {
    for (let i = 0; i < n / 10; i++) {
      let sum = 0;
      for await (const item of exports.stream_of(10 + (i % 2) * 10)) {
        sum += item;
        if (item === 9) break;
      }
      assert.equal(sum, 45);
    }
  },
  dump: each(() => assert.equal(instance.dump().length, 0)),
};

const slow = {
  "host function, rejects": async (n) => assert.equal(await exports.asks(n, 3), n),
  "host function, throws": async (n) => assert.equal(await exports.asks(n, 4), n),
  "host function, dropped, which the signal tells": (n) => exports.dropped(n, 9),
  "host function, its task aborted, which the signal tells": (n) => exports.aborted(n, 9),
  "export, fails": each((i) => exports.fails(i % 2 === 0).then(assert.fail, () => {})),
  "export, aborted": async (n) => {
    for (let i = 0; i < n; i += 10) {
      const controller = new AbortController();
      const calls = Array.from({ length: 10 }, () => exports.waits(controller.signal));
      controller.abort();
      for (const { status } of await Promise.allSettled(calls)) assert.equal(status, "rejected");
      // The guest drops what was cancelled at its next turn, for which pages may have to paint.
      if (i % 500 === 0) await macrotask();
    }
  },
  "wrong arguments": each((i) => {
    assert.throws(() => exports.echo_bytes(i));
  }),
};

describe("nothing is left behind by many times", () => {
  before(async () => {
    // The engine's own notes on code that is hot come to rest, and both heaps get their size.
    for (const kind of Object.values({ ...kinds, ...slow })) await kind(1000);
  });

  for (const [name, kind] of Object.entries({ ...kinds, ...slow }))
    test(name, async () => {
      const tenth = (name in slow ? FEWER : TIMES) / 10;
      await kind(tenth);
      const first = await measure();
      for (let i = 1; i < 10; i++) await kind(tenth);
      const last = await measure();
      assert.equal(last.guest, first.guest, "the guest's memory has grown");
      const grown = last.heap - first.heap;
      assert.ok(grown < SLACK, `the heap has grown by ${grown} bytes`);
    });

  test("the tables of tickets, calls and tasks are empty", async () => {
    assert.deepEqual(instance.dump(), []);
    // A ticket's number has its slot in the lower 20 bits. As many calls as there ever were at once
    // find room in the slots that there are.
    tickets = [];
    await Promise.all(Array.from({ length: 500 }, () => exports.asked(1)));
    const slots = new Set(tickets.map((ticket) => ticket & 0xfffff));
    assert.equal(slots.size, 500);
    assert.ok(Math.max(...slots) < 600, `slot ${Math.max(...slots)}`);
  });

  test("restarts leave nothing behind", async () => {
    const again = async (n) => {
      for (let i = 0; i < n; i++) {
        exports.asked(0).catch(() => {});
        exports.count_twice(60_000).catch(() => {});
        await instance.restart();
      }
    };
    await again(50);
    await macrotask();
    const first = await measure();
    await again(450);
    const last = await measure();
    const grown = last.heap - first.heap;
    // Wasm memories are not in the heap; life-many.test.mjs sees that they are given back.
    assert.ok(grown < SLACK, `the heap has grown by ${grown} bytes`);
    await instance.dispose();
  });
});
