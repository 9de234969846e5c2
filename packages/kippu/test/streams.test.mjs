// Streams both ways with a real Rust guest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import { toReadableStream } from "../dist/index.js";
import { deferred, macrotask, open } from "./boundary.mjs";

/** An async iterator over `items` that notes how it is used. */
const noted = (items, log = []) => {
  const left = [...items];
  return {
    log,
    [Symbol.asyncIterator]() {
      log.push("open");
      return {
        async next() {
          log.push("next");
          const value = left.shift();
          if (value instanceof Error) throw value;
          return { done: value === undefined, value };
        },
        async return() {
          log.push("return");
          return { done: true };
        },
      };
    },
  };
};

async function* generate(...items) {
  yield* items;
}

test("every kind of iterable is a stream", async () => {
  const { exports } = await open();
  for (const numbers of [
    [1, 2, 3],
    new Set([1, 2, 3]),
    new Float32Array([1, 2, 3]),
    generate(1, 2, 3),
    (function* () {
      yield 1;
      yield Promise.resolve(2);
      yield 3;
    })(),
    noted([1, 2, 3]),
    ReadableStream.from([1, 2, 3]),
    new ReadableStream({
      start(controller) {
        for (const n of [1, 2, 3]) controller.enqueue(n);
        controller.close();
      },
    }),
  ])
    assert.equal(await exports.sum(numbers), 6);
  assert.equal(await exports.sum([]), 0);
  assert.equal(await exports.sum(generate()), 0);
});

test("what is no iterable is refused before Rust is called", async () => {
  const { exports, instance } = await open();
  for (const wrong of [null, undefined, 5, {}, () => {}])
    await assert.rejects(exports.sum(wrong), {
      name: "TypeError",
      code: "KIPPU_TYPE",
      message: /^export sum, parameter numbers: expected an async iterable/,
    });
  assert.equal(instance.trapped, undefined);
});

test("ten thousand items come in order", async () => {
  const { exports } = await open();
  const items = Array.from({ length: 10_000 }, (_, i) => String(i));
  assert.deepEqual(await exports.outcomes(generate(...items)), [...items, "end"]);
  assert.deepEqual(await exports.outcomes(items), [...items, "end"]);
});

test("items are asked for one by one, and no sooner than wanted", async () => {
  const given = noted([1, 2, 3, 4, 5]);
  const { exports } = await open({ numbers: async () => given });
  assert.equal(await exports.sum_first("n", 2, false), 3);
  await macrotask();
  assert.deepEqual(given.log, ["open", "next", "next", "return"]);
});

test("a stream that comes to its end is not told to return", async () => {
  const given = noted([1, 2]);
  const { exports } = await open({ numbers: () => given });
  assert.equal(await exports.sum_first("n", 5, false), 3);
  await macrotask();
  assert.deepEqual(given.log, ["open", "next", "next", "next"]);
});

test("a synchronous host function gives a stream too", async () => {
  const { exports } = await open({ numbers_sync: () => [4, 5, 6] });
  assert.equal(await exports.sum_first("n", 2, true), 9);
});

test("what the iterator throws is an item, and the last one", async () => {
  const { exports } = await open();
  const given = noted(["a", Object.assign(new RangeError("torn"), { code: "E" }), "b"]);
  assert.deepEqual(await exports.outcomes(given), ["a", "(RangeError: torn)", "end"]);
  await macrotask();
  assert.deepEqual(given.log, ["open", "next", "next"]);
  const sync = {
    [Symbol.iterator]() {
      throw new TypeError("no iterator");
    },
  };
  assert.deepEqual(await exports.outcomes(sync), ["(TypeError: no iterator)", "end"]);
  assert.deepEqual(await exports.outcomes({ [Symbol.iterator]: () => ({ next: () => 5 }) }), [
    "(TypeError: stream: expected an iterator's result, got 5)",
    "end",
  ]);
});

test("an item of another type ends the stream and closes the iterator", async () => {
  const { exports } = await open();
  for (const sync of [false, true]) {
    const given = sync ? ["a", 5, "b"] : noted(["a", 5, "b"]);
    const seen = await exports.outcomes(given);
    assert.deepEqual(seen, ["a", "(TypeError: stream item: expected string, got 5)", "end"]);
    await macrotask();
    if (!sync) assert.deepEqual(given.log, ["open", "next", "next", "return"]);
  }
});

test("serde items cross one by one", async () => {
  const { exports } = await open();
  const jobs = [
    { id: 1, title: "a", urgent: null, state: "Open" },
    { id: 2, title: "b", urgent: true, state: { Done: 3 } },
  ];
  assert.deepEqual(await exports.collect_jobs(generate(...jobs)), jobs);
  await assert.rejects(exports.collect_jobs([{ ...jobs[0], id: "x" }]), {
    name: "TypeError",
    message: 'stream item.id: expected u32, got "x"',
  });
});

test("a ReadableStream of bytes is an AsyncRead", async () => {
  const { exports } = await open();
  const chunks = [new Uint8Array(5), new Uint8Array(0), new Uint8Array(100_000), new Uint8Array(1)];
  const lengths = await exports.read_pieces(ReadableStream.from(chunks), 60_000);
  assert.deepEqual(lengths, new Uint32Array([5, 60_000, 40_000, 1]));
  const body = new Response("x".repeat(10)).body;
  assert.deepEqual(await exports.read_pieces(body, 4), new Uint32Array([4, 4, 2]));
  const torn = new ReadableStream({
    pull(controller) {
      controller.error(new Error("the line is cut"));
    },
  });
  await assert.rejects(exports.read_pieces(torn, 4), { message: "Error: the line is cut" });
});

test("a future of `next` that is dropped loses no item", async () => {
  const { exports } = await open();
  const slow = deferred();
  let pulls = 0;
  const stream = {
    [Symbol.asyncIterator]: () => ({
      next() {
        pulls++;
        return slow.promise;
      },
    }),
  };
  const call = exports.impatient(stream);
  setTimeout(() => slow.resolve({ done: false, value: 42 }), 30);
  const [gaveUp, number] = await call;
  assert.equal(number, 42);
  assert.ok(gaveUp > 1, `gave up ${gaveUp} times`);
  assert.equal(pulls, 1);
});

test("streams that Rust drops at once are closed", async () => {
  const { exports } = await open();
  const log = [];
  const body = new ReadableStream({
    cancel() {
      log.push("cancelled");
    },
  });
  const never = noted([1], log);
  assert.equal(exports.ignore(never, "text", body), "text");
  await macrotask();
  // An iterator that was never made needs no end.
  assert.deepEqual(log, ["cancelled"]);
});

test("a stream that comes for nobody is closed", async () => {
  const answer = deferred();
  const { exports } = await open({ numbers: () => answer.promise });
  await exports.give_up_asking("n");
  let cancelled = false;
  answer.resolve(
    new ReadableStream({
      cancel() {
        cancelled = true;
      },
    }),
  );
  await macrotask();
  assert.ok(cancelled);
});

test("a stream that came at once for nobody is closed", async () => {
  let cancelled = false;
  const { exports } = await open({
    numbers: () =>
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      }),
  });
  await exports.give_up_asking("n");
  await macrotask();
  assert.ok(cancelled);
});

for (const [how, end] of [
  ["dispose", (instance) => instance.dispose()],
  ["restart", (instance) => instance.restart()],
])
  test(`${how} closes the streams of both sides`, async () => {
    const { instance, exports, notes } = await open();
    const log = [];
    const iterator = {
      next() {
        log.push("next");
        return new Promise(() => {});
      },
      async return() {
        log.push("return");
      },
    };
    const call = exports.sum({ [Symbol.asyncIterator]: () => iterator });
    const ticks = await exports.tick(5, 60_000);
    const pending = Promise.allSettled([call, ticks.next()]);
    await end(instance);
    const code = how === "dispose" ? "KIPPU_DISPOSED" : "KIPPU_RESTARTED";
    for (const { reason } of await pending) assert.equal(reason?.code, code);
    await macrotask();
    assert.deepEqual(log, ["next", "return"]);
    assert.deepEqual(await ticks.next(), { done: true, value: undefined });
    assert.deepEqual(notes, []);
    if (how === "restart") {
      assert.equal(await exports.sum([1, 2]), 3);
      const old = exports.count(3);
      await instance.restart();
      await assert.rejects(old.next(), { code: "KIPPU_RESTARTED" });
      assert.deepEqual((await Array.fromAsync?.(exports.count(2))) ?? [0, 1], [0, 1]);
    }
  });

test("a Rust stream is an async iterable, and is made as it is asked for", async () => {
  const { exports, notes } = await open();
  const seen = [];
  for await (const n of exports.count(3)) {
    seen.push(n);
    notes.push(`got ${n}`);
  }
  assert.deepEqual(seen, [0, 1, 2]);
  assert.deepEqual(notes, [
    "made 0",
    "got 0",
    "made 1",
    "got 1",
    "made 2",
    "got 2",
    "count dropped",
  ]);
});

test("leaving the loop early drops the Rust stream", async () => {
  const { exports, notes } = await open();
  for await (const n of exports.count(1000)) if (n === 1) break;
  assert.deepEqual(notes, ["made 0", "made 1", "count dropped"]);
});

test("a stream that waits gives its items later; calls of next queue up", async () => {
  const { exports, notes } = await open();
  const ticks = await exports.tick(3, 2);
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => ticks.next()));
  assert.deepEqual(
    results.map(({ done, value }) => (done ? "end" : value)),
    [0, 1, 2, "end", "end"],
  );
  assert.deepEqual(notes, ["tick dropped"]);
  assert.equal(ticks[Symbol.asyncIterator](), ticks);
});

test("return ends what next is waiting for", async () => {
  const { exports, notes } = await open();
  const ticks = await exports.tick(3, 60_000);
  const pending = [ticks.next(), ticks.next()];
  assert.deepEqual(await ticks.return(), { done: true, value: undefined });
  assert.deepEqual(await Promise.all(pending), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
  await macrotask();
  assert.deepEqual(notes, ["tick dropped"]);
  await ticks.return();
  await ticks[Symbol.asyncDispose ?? Symbol.for("asyncDispose")]();
});

test("an error in the middle rejects and ends the stream", async () => {
  const { exports } = await open();
  const seen = [];
  const halves = await exports.halves(12);
  await assert.rejects(
    async () => {
      for await (const n of halves) seen.push(n);
    },
    { name: "Error", message: "3 is odd" },
  );
  assert.deepEqual(seen, [6, 3]);
  assert.deepEqual(await halves.next(), { done: true, value: undefined });
  await assert.rejects(exports.halves(0), { name: "RangeError" });
});

test("bytes stream out, also as the body of a Response", async () => {
  const { exports } = await open();
  const lengths = [];
  for await (const chunk of exports.chunks(3, 50_000)) {
    assert.ok(chunk instanceof Uint8Array);
    assert.ok(chunk.every((byte) => byte === lengths.length));
    lengths.push(chunk.length);
  }
  assert.deepEqual(lengths, [50_000, 50_000, 50_000]);
  const response = new Response(toReadableStream(exports.chunks(4, 1000)));
  assert.equal((await response.arrayBuffer()).byteLength, 4000);
});

test("cancelling the ReadableStream of a Rust stream drops that", async () => {
  const { exports, notes } = await open();
  const reader = toReadableStream(exports.count(1000)).getReader();
  assert.equal((await reader.read()).value, 0);
  await immediate();
  await reader.cancel();
  await macrotask();
  assert.deepEqual(notes, ["made 0", "count dropped"]);
});

test("a host function takes streams of the guest's", async () => {
  const taken = [];
  const { exports, notes } = await open({
    take: async (label, numbers, jobs) => {
      taken.push(label);
      let sum = 0;
      for await (const n of numbers) {
        sum += n;
        if (n === 3) break;
      }
      try {
        for await (const job of jobs) taken.push(job.id);
      } catch (e) {
        taken.push(e.name);
      }
      return sum;
    },
  });
  const jobs = [1, 2].map((id) => ({ id, title: "", urgent: null, state: "Open" }));
  assert.equal(await exports.hand_over(100, jobs), 6);
  assert.deepEqual(taken, ["两", 1, 2, "AbortError"]);
  assert.deepEqual(notes, ["numbers dropped"]);
});

test("streams go through Rust, item by item", async () => {
  const { exports } = await open();
  const log = [];
  async function* source() {
    try {
      for (let n = 1; ; n++) {
        log.push(`in ${n}`);
        yield n;
      }
    } finally {
      log.push("closed");
    }
  }
  for await (const n of exports.doubled(source())) {
    log.push(`out ${n}`);
    if (n === 4) break;
  }
  await macrotask();
  assert.deepEqual(log, ["in 1", "out 2", "in 2", "out 4", "closed"]);
});

test("a Rust stream that nobody holds any more is dropped", async () => {
  const { exports, notes } = await open();
  exports.count(5);
  await (async () => {
    await exports.count(5).next();
  })();
  for (let i = 0; i < 50 && notes.filter((note) => note === "count dropped").length < 2; i++) {
    globalThis.gc();
    await macrotask();
  }
  assert.equal(notes.filter((note) => note === "count dropped").length, 2);
});

test("a hundred streams at once keep apart", async () => {
  const { exports } = await open();
  const sums = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      let sum = 0;
      for await (const n of exports.doubled(exports.count(i))) sum += n;
      return sum;
    }),
  );
  assert.deepEqual(
    sums,
    sums.map((_, i) => i * Math.max(i - 1, 0)),
  );
});

test("next within the poll of another next waits for its turn", async () => {
  const inner = [];
  let stream;
  const { exports, notes } = await open({
    peek: () => {
      if (inner.length < 2) inner.push(stream.next());
    },
  });
  stream = exports.peeked(4);
  const first = await stream.next();
  const rest = await Promise.all(inner);
  assert.deepEqual(
    [first, ...rest].map(({ value }) => value),
    [0, 1, 2],
  );
  await stream.return();
  await macrotask();
  assert.deepEqual(notes, ["peeked dropped"]);
});

test("a call that is aborted in its last poll drops the stream that it made", async () => {
  const controller = new AbortController();
  const { exports, notes } = await open({ peek: () => controller.abort("enough") });
  await assert.rejects(exports.late_stream(controller.signal), (e) => e === "enough");
  await macrotask();
  assert.deepEqual(notes, ["late dropped"]);
});

test("a stream beside an argument that cannot be encoded is dropped", async () => {
  const { exports, notes } = await open();
  await assert.rejects(exports.hand_over_refused(), {
    name: "TypeError",
    message: /cannot be encoded/,
  });
  assert.deepEqual(notes, ["refused dropped"]);
});

test("the protocol of iterators is kept as for await keeps it", async () => {
  const { exports } = await open();
  const log = [];
  const iterator = (next) => ({
    [Symbol.iterator]: () => ({
      next,
      return() {
        log.push("return");
        return {};
      },
    }),
  });
  const boom = () => {
    throw new RangeError("boom");
  };
  assert.deepEqual(await exports.outcomes(iterator(boom)), ["(RangeError: boom)", "end"]);
  assert.deepEqual(log, [], "an iterator that has thrown is over");
  function* last() {
    yield "a";
    return Promise.resolve("b");
  }
  assert.deepEqual(await exports.outcomes(last()), ["a", "end"]);
  // What merely has a `cancel` of its own is not cancelled.
  const job = { ...iterator(boom), cancel: () => log.push("cancel") };
  exports.ignore(job, "", []);
  const readable = ReadableStream.from(["a"]);
  assert.deepEqual(await exports.outcomes(readable), ["a", "end"]);
  assert.equal(readable.locked, false);
  assert.deepEqual(log, []);
});
