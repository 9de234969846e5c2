// Many instances at once, and what is left of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { instantiate } from "kippu";
import { module as boundary } from "./boundary.mjs";
import { open } from "./life.mjs";

test("200 instances of one module, interleaved, do not mix", async () => {
  const instances = await Promise.all(Array.from({ length: 200 }, () => open()));
  const calls = instances.flatMap(({ exports }, i) => [
    ...Array.from({ length: i % 7 }, () => exports.count()),
    exports.asked(10 + (i % 5)),
    exports.count_twice(5 - (i % 5)),
  ]);
  const results = await Promise.all(calls);
  // One of them ends in the middle of things; the others go on.
  const doomed = instances[100].exports.asked(7);
  const ends = assert.rejects(doomed, { code: "KIPPU_TRAPPED" });
  assert.throws(instances[100].exports.panics);
  await ends;
  let at = 0;
  instances.forEach(({ exports }, i) => {
    const before = i % 7;
    for (let n = 1; n <= before; n++) assert.equal(results[at++], n);
    assert.equal(results[at++], 10 + (i % 5));
    assert.equal(results[at++], before + 1 + (before + 2));
    if (i !== 100) assert.equal(exports.count(), before + 3);
  });
  await Promise.all(instances.map((instance) => instance.dispose()));
});

test("a guest calls another guest's exports, there and back", async () => {
  const log = [];
  const one = await open({
    async ask(what) {
      log.push(`one asks for ${what}`);
      return what ? two.exports.asked(what - 1) : 100;
    },
    call_back: () => two.exports.call(),
  });
  const two = await open({
    async ask(what) {
      log.push(`two asks for ${what}`);
      return (await one.exports.asked(what - 1)) + 1;
    },
    call_back() {
      log.push(`one has counted ${one.exports.count()}`);
    },
  });
  assert.equal(await one.exports.asked(4), 102);
  assert.deepEqual(log.splice(0), [
    "one asks for 4",
    "two asks for 3",
    "one asks for 2",
    "two asks for 1",
    "one asks for 0",
  ]);
  // Sync: one is on the stack twice.
  one.exports.call();
  assert.deepEqual(log, ["one has counted 1"]);
});

test("the trap of a guest is an error to the guest that called it, which goes on", async () => {
  const failing = await open();
  const calling = await open({ ask: () => failing.exports.panics() });
  await assert.rejects(calling.exports.asked(1), { name: "InstanceTrapped" });
  assert.equal(calling.trapped, undefined);
  await failing.restart();
  assert.equal(calling.exports.count(), 1);
});

test("instances of different modules share a host function", async () => {
  let asked = 0;
  const shared = async () => ++asked;
  const names = WebAssembly.Module.imports(boundary).filter(({ module }) => module === "host");
  const others = Object.fromEntries(names.map(({ name }) => [name, () => {}]));
  const [one, two] = [
    await open({ ask: shared }),
    await instantiate(boundary, { host: { ...others, ask: async (text) => `${text}!` } }),
  ];
  assert.notDeepEqual(Object.keys(one.exports), Object.keys(two.exports));
  assert.deepEqual(await Promise.all([one.exports.asked(1), one.exports.asked(1)]), [1, 2]);
});

/** Collects garbage until `done` says that it is enough. */
const collect = async (done) => {
  for (let i = 0; i < 50; i++) {
    // What a WeakRef has given stays until the next macrotask.
    await delay(2);
    globalThis.gc();
    await delay(2);
    if (done()) return;
  }
};

for (const [name, use, end] of [
  [
    "disposed of",
    (instance) => instance.exports.count_twice(60_000).catch(() => {}),
    (instance) => instance.dispose(),
  ],
  ["dropped without a word", (instance) => instance.exports.count(), () => {}],
  [
    "trapped",
    (instance) => instance.exports.asked(0).catch(() => {}),
    (instance) => assert.throws(instance.exports.panics),
  ],
])
  test(`instances that were ${name} are collected`, async () => {
    assert.ok(globalThis.gc, "run with --expose-gc");
    const count = 30;
    let gone = 0;
    const registry = new FinalizationRegistry(() => gone++);
    for (let i = 0; i < count; i++) {
      const instance = await open();
      registry.register(instance);
      registry.register(instance.exports.count);
      use(instance);
      await end(instance);
    }
    await collect(() => gone >= 2 * count - 2);
    // The last one may still be on the stack.
    assert.ok(gone >= 2 * count - 2, `${gone} of ${2 * count}`);
  });

test("memory of disposed and of replaced guests is given back", async () => {
  const memories = [];
  const { instantiate: real } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const made = await real(...args);
    memories.push(new WeakRef(made.exports.memory));
    return made;
  };
  try {
    const never = new Promise(() => {});
    const kept = await open({ ask: () => never });
    for (let i = 0; i < 20; i++) {
      kept.exports.asked(1).catch(() => {});
      kept.exports.count_twice(60_000).catch(() => {});
      await kept.restart();
    }
    const live = () => memories.filter((memory) => memory.deref()).length;
    await collect(() => live() <= 2);
    assert.ok(live() <= 2, `${live()} of ${memories.length}`);
    assert.equal(kept.exports.count(), 1);
    await kept.dispose();
    await collect(() => live() === 0);
    assert.equal(
      live(),
      0,
      "also while somebody holds a promise that never settles, and the instance",
    );
    assert.ok(kept.trapped);
    assert.equal(await Promise.race([never, 1]), 1);
  } finally {
    WebAssembly.instantiate = real;
  }
});
