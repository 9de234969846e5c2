// Random types: their declarations are always TypeScript, values that conform to them are what the
// codecs take, and what the codecs give conforms to them.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { declarationText } from "../dist/cli/declarations.js";
import { readProgram } from "../dist/cli/program.js";
import { codecOf } from "../dist/codec.js";
import { readSchema } from "../dist/schema.js";
import { guest } from "./guest.mjs";
import { compile, project } from "./types/compile.mjs";
import {
  encodeSchema,
  literal,
  random,
  randomSchema,
  randomValue,
  typed,
} from "./types/random.mjs";

const SEED = Number(process.env.KIPPU_TEST_SEED ?? 1962);
const TYPES = 150;
const VALUES = 4;

const PARAM_NAMES = "value type in r#in this default context signal arguments 1 a-b".split(" ");
const DOCS = ["", "A line.", "*/ `x` /**", "\n\n two\n\n\tlines \\\r\n", " @param x {", "/"];

/** A name as WAT writes it. */
const wat = (name) =>
  [...Buffer.from(name)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");

/** The text for the program with these functions. */
const declare = async (functions) => {
  const { host, exports } = functions;
  const imports = host.map(({ name }) => `(import "host" "${wat(name)}" (func))`);
  const body = exports.map(({ name }) => `(func (export "kippu_export:${wat(name)}"))`);
  const module = await WebAssembly.compile(
    guest({
      imports: imports.join("\n"),
      body: body.join("\n"),
      entries: [...host, ...exports.map((f) => ({ ...f, kind: 1 }))],
    }),
  );
  return declarationText(readProgram(module), "random.wasm");
};

/** Functions `fN`, which take and give a value of the Nth type, sync and without a comment. */
const relays = (types) =>
  types.map((type, i) => ({ name: `f${i}`, async: false, params: { value: type }, result: type }));

test(`random types, seed ${SEED}`, async (t) => {
  const r = random(SEED);
  const schemas = r.times(TYPES, () => randomSchema(r));
  const types = schemas.map((schema) => [12, ...encodeSchema(schema)]);

  // Beside them, functions that are there to be parsed: of every form, name and comment.
  const anyType = () =>
    r.pick([...types, ...r.times(10, (i) => [i + 1]), ...r.times(8, (i) => [14, i + 2])]);
  const anyFunction = (prefix) => (i) => ({
    name: `${prefix}${r.pick(["", "-", ".", " ", "ü"])}${i}`,
    doc: r.pick(DOCS),
    async: r.chance(0.7),
    params: Object.fromEntries(
      r.times(r.below(5), () => [
        r.pick(PARAM_NAMES),
        r.chance(0.3) ? [13, ...anyType()] : anyType(),
      ]),
    ),
    result: r.pick([[0], [13, ...anyType()], anyType()]),
  });
  const functions = {
    host: [...relays(types), ...r.times(40, anyFunction("host"))],
    exports: [...relays(types), ...r.times(40, anyFunction("export"))],
  };
  const text = await declare(functions);

  // The order in which the linker left them means nothing.
  const turned = { host: functions.host.toReversed(), exports: functions.exports.toReversed() };
  assert.equal(await declare(turned), text);

  const lines = [
    'import type { Exports, Host } from "./app.d.ts";',
    "type E = Exports;",
    "type H = Host;",
  ];
  /** Says that `value` is of each of the types. */
  const state = (value, ...types) => {
    for (const type of types) lines.push(`({ v: ${value} }) satisfies { v: ${type} };`);
  };
  let wrong = 0;
  for (const [i, schema] of schemas.entries()) {
    const codec = codecOf(readSchema([Uint8Array.from(encodeSchema(schema)), 0]));
    const given = [`Parameters<E["f${i}"]>[0]`, `ReturnType<H["f${i}"]>`];
    const got = [`ReturnType<E["f${i}"]>`, `Parameters<H["f${i}"]>[0]`];
    // What is got may always be given again.
    for (const type of given) lines.push(`(null as never as ${got[0]}) satisfies ${type};`);
    for (let n = 0; n < VALUES; n++) {
      const value = randomValue(r, schema);
      state(value, ...given);
      const bytes = codec.encode(runInThisContext(`(${value})`), value).slice();
      const decoded = literal(codec.decode(bytes, 0, bytes.length));
      state(decoded, ...got, ...given);
    }
    // One wrong leaf is an error to both.
    let left = 1 + r.below(3);
    const broken = randomValue(r, schema, () => (--left === 0 ? "Symbol()" : undefined));
    // A unit takes anything, and a symbol has a `constructor` and a `toString`, as all values have.
    if (/unit|constructor|toString/i.test(JSON.stringify(schema))) continue;
    if (!broken.includes("Symbol()")) continue;
    wrong++;
    for (const type of given) {
      lines.push("// @ts-expect-error a symbol is nothing that crosses");
      lines.push(`({ v: ${broken} }) satisfies { v: ${type} };`);
    }
    assert.throws(() => codec.encode(runInThisContext(`(${broken})`), broken), TypeError, broken);
  }
  assert.ok(wrong > TYPES / 30, `${wrong} wrong values`);

  const { folder, remove } = await project({
    "app.d.ts": text,
    "values.ts": typed(`${lines.join("\n")}\n`),
  });
  let found;
  try {
    found = await compile(folder);
  } finally {
    if (found?.length) await writeFile(join(folder, "seed"), `${SEED}`);
    else await remove();
  }
  t.diagnostic(`${lines.length} lines, ${wrong} wrong values`);
  assert.deepEqual(found.slice(0, 20), [], `the project is in ${folder}`);
});

test("a field that every object has can be left out", () => {
  const option = { name: "Option<T>", kind: "option", of: [{ name: "bool", kind: "bool" }] };
  const fields = ["toString", "constructor", "__proto__"].map((name) => [name, option]);
  const bytes = Uint8Array.from(encodeSchema({ name: "Odd", kind: "struct", fields }));
  const { encode } = codecOf(readSchema([bytes, 0]));
  assert.deepEqual([...encode({}, "odd")], [0, 0, 0]);
  assert.deepEqual(
    [...encode({ ["__proto__"]: true, constructor: false, toString: null }, "odd")],
    [0, 1, 0, 1, 1],
  );
});
