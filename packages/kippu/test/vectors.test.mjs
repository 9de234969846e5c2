// The test vectors that the Rust side runs too.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readCodec } from "../dist/codec.js";
import { drive } from "../dist/driver.js";
import { decodeError, encodeError } from "../dist/error.js";
import { readSection } from "../dist/section.js";
import { createStreams } from "../dist/streams.js";
import { encodeText, writeText } from "../dist/text.js";
import { ANSWER, guest, RING, withSection } from "./guest.mjs";

const vectors = JSON.parse(
  await readFile(new URL("../../../abi/vectors.json", import.meta.url), "utf8"),
);
const unhex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** The JavaScript value that the JSON of a vector stands for. */
const revive = (json) => {
  if (Array.isArray(json)) return json.map(revive);
  if (typeof json !== "object" || json === null) return json;
  if ("$bigint" in json) return BigInt(json.$bigint);
  if ("$bytes" in json) return unhex(json.$bytes);
  if ("$number" in json) return Number(json.$number);
  if ("$map" in json) return new Map(json.$map.map(revive));
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, revive(value)]));
};

test("every list of the vectors holds something", () => {
  for (const list of ["errors", "postcard", "records", "section"])
    assert.ok(vectors[list].length > 0, list);
});

/** The error that a vector is about. */
const thrown = ({ name, message, stack, code, cause }) =>
  Object.assign(new Error(message, cause && { cause: thrown(cause) }), { name, stack, code });

const sameError = (error, { name, message, stack, code, cause }) => {
  assert.ok(error instanceof Error);
  assert.deepEqual([error.name, error.message, error.code], [name, message, code]);
  if (stack) assert.equal(error.stack, stack);
  if (cause) sameError(error.cause, cause);
  else assert.equal("cause" in error, false);
};

for (const { hex: encoded, ...error } of vectors.errors)
  test(`error ${JSON.stringify(error.message.slice(0, 20))}`, () => {
    assert.equal(hex(encodeError(thrown(error))), encoded);
    sameError(decodeError(unhex(encoded), 0), error);
  });

for (const { type, schema, cases } of vectors.postcard)
  test(`postcard ${type.slice(0, 40)}`, () => {
    const cursor = [unhex(schema), 0];
    const codec = readCodec(cursor);
    assert.equal(cursor[1], cursor[0].length, "the schema is read to its end");
    for (const { value, hex: encoded } of cases) {
      assert.equal(hex(codec.encode(revive(value), "value")), encoded, JSON.stringify(value));
      const bytes = unhex(encoded);
      assert.deepEqual(codec.decode(bytes, 0, bytes.length), revive(value));
      if (bytes.length > 0)
        assert.throws(() => codec.decode(bytes, 0, bytes.length - 1), RangeError, "cut short");
    }
  });

// Lengths beyond what a test may take are for readers of records only.
for (const { ticket, tag, value, hex: encoded } of vectors.records.filter(
  ({ value }) => !(value?.len > 1e6),
))
  test(`record of ticket ${ticket} with tag ${tag}`, async () => {
    const module = await WebAssembly.compile(guest());
    const driver = await drive(module, Error, [writeText, encodeText], () => {});
    const record = (at) => {
      const bytes = driver.memory().slice(at, at + 16);
      // Where the payload lies is the writer's choice.
      if (value?.at) new DataView(bytes.buffer).setUint32(8, value.at, true);
      return hex(bytes);
    };
    const payload = value?.len ? new Uint8Array(value.len) : (value?.number ?? undefined);
    // A second ticket in flight keeps the record in the ring.
    driver.open(ticket);
    driver.open(0);
    driver.complete(ticket, payload, tag & 16);
    assert.equal(record(RING), encoded);
    driver.answer(payload, tag & 16);
    assert.equal(
      record(ANSWER).slice(8),
      encoded.slice(8),
      "the answer record, but for its ticket",
    );
  });

for (const { hex: encoded, entry } of vectors.section)
  test(`section entry ${entry?.name.slice(0, 20) ?? "of another version"}`, () => {
    const EMPTY = [0, 97, 115, 109, 1, 0, 0, 0];
    const module = new WebAssembly.Module(withSection(EMPTY, unhex(encoded)));
    const found = readSection(module, (code) => new Error(code), readCodec, createStreams().type);
    if (!entry) {
      assert.deepEqual(found.map(Object.keys), [[], []]);
      return;
    }
    const show = (type) =>
      typeof type === "number"
        ? type
        : "stream" in type
          ? { stream: show(type.stream) }
          : "numbers" in type
            ? { numbers: type.numbers }
            : type.name;
    const listed = (type) => (typeof type === "number" ? type : (type.name ?? type));
    const [name, isAsync, params, result, doc] = found[entry.kind][entry.name];
    assert.equal(name, entry.name);
    assert.equal(isAsync, entry.async);
    assert.equal(doc, entry.doc);
    assert.deepEqual(
      params.map(([param, type]) => [param, show(type)]),
      entry.params.map(([param, type]) => [param, listed(type)]),
    );
    assert.deepEqual(show(result), listed(entry.result));
    assert.deepEqual(Object.keys(found[1 - entry.kind]), []);
  });
