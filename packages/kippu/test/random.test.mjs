// Random bytes, also for crates that ask `getrandom` for them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { instantiate } from "../dist/index.js";
import { random } from "../dist/services/random.js";
import { buildGuest } from "./rust.mjs";

const backend = ["--cfg", 'getrandom_backend="custom"'];
const wasm = await readFile(
  buildGuest("random-guest", [
    ...["--features", "getrandom"],
    ...["--config", `target.wasm32-unknown-unknown.rustflags=${JSON.stringify(backend)}`],
  ]),
);

for (const name of ["by_kippu", "by_getrandom"])
  test(`${name}: any number of bytes, never the same`, async () => {
    const { exports } = await instantiate(wasm, { services: { "kippu:random": random() } });
    assert.equal(exports[name](0).length, 0);
    for (const len of [1, 16, 65_536, 65_537, 3_000_000]) {
      const [one, other] = [exports[name](len), exports[name](len)];
      assert.equal(one.length, len);
      if (len > 1) assert.notDeepEqual(one, other);
      // Also the last part is filled.
      if (len > 100) assert.ok(one.subarray(-100).some((byte) => byte !== 0));
    }
  });

test("a host that has none is an error, not zeros", async () => {
  const services = {
    "kippu:random": {
      bytes: [
        random().bytes[0],
        () => {
          throw new Error("no entropy");
        },
      ],
    },
  };
  const { exports } = await instantiate(wasm, { services });
  assert.throws(() => exports.by_kippu(4), { message: "Error: no entropy" });
  assert.throws(() => exports.by_getrandom(4), {
    name: "Error",
    message: /unsupported|not support/i,
  });
});
