// `kippu types` of a real guest with every type that crosses: its whole text, what compiles against
// it and what does not, and that values are what the types say.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildGuest } from "./rust.mjs";
import { compile, kippu, project } from "./types/compile.mjs";

const folder = fileURLToPath(new URL("types/", import.meta.url));
const declarations = join(folder, "app.d.ts");

let wasm;
let output;
before(async () => {
  wasm = buildGuest("types-guest");
  output = await project();
});
after(() => output?.remove());

test("the text is that of app.d.ts, as `kippu types --out` writes it", async () => {
  const { code, stdout, stderr } = await kippu("types", wasm);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.equal(stdout, await readFile(declarations, "utf8"));
});

test("programs that are right compile, and each mistake is found, under strict", async () => {
  assert.deepEqual(await compile(folder, "--outDir", output.folder), []);
});

test("the same with exactOptionalPropertyTypes", async () => {
  assert.deepEqual(await compile(folder, "--noEmit", "--exactOptionalPropertyTypes"), []);
});

test("a mistake that was not expected is found", async () => {
  // The tests above would pass as well if the compiler looked at nothing.
  const text = await readFile(join(folder, "misuse.ts"), "utf8");
  const expected = text.match(/@ts-expect-error/g).length;
  const mistakes = await project({
    "app.d.ts": await readFile(declarations, "utf8"),
    "misuse.ts": text.replaceAll("@ts-expect-error", ""),
  });
  try {
    const lines = await compile(mistakes.folder);
    const places = new Set(lines.map((line) => /^misuse\.ts\((\d+),/.exec(line)?.[1]));
    places.delete(undefined);
    assert.equal(places.size, expected, lines.join("\n"));
  } finally {
    await mistakes.remove();
  }
});

test("values are at run time what the types say", async () => {
  const { main } = await import(pathToFileURL(join(output.folder, "use.js")));
  await main(wasm);
});

test("the page about types shows a program that is right", async () => {
  const docs = join(folder, "docs");
  const guest = buildGuest("search-guest");
  const { stdout } = await kippu("types", guest);
  assert.equal(stdout, await readFile(join(docs, "search.d.ts"), "utf8"));
  const built = join(output.folder, "docs");
  assert.deepEqual(await compile(docs, "--outDir", built), []);

  const { search } = await import(pathToFileURL(join(built, "use.js")));
  const { log } = console;
  const lines = [];
  console.log = (line) => lines.push(line);
  try {
    const text = join(output.folder, "text");
    await writeFile(text, "one\ntwo\n\nand one\n");
    await search(guest, "one", [text]);
    assert.deepEqual(
      lines.splice(0),
      ["1: one", "4: and one"].map((line) => `${text}:${line}`),
    );
    await assert.rejects(search(guest, "one", [`${text}.gone`]), { code: "ENOENT" });
  } finally {
    console.log = log;
  }
});
