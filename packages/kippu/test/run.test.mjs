// Whole programs, in a process of their own where it matters how that ends.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { instantiate as instantiateAnywhere } from "../dist/index.js";
import { instantiate, run } from "../dist/node.js";
import { ANSWER, guest } from "./guest.mjs";

/** Prints a line, waits for the second turn, and ends with the number of its arguments. */
const program = guest({
  imports: `
    (import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
    (import "kippu" "schedule_turn" (func $schedule))
    (import "kippu:io" "print" (func $print (param i32 i32 i32) (result i32)))
    (import "kippu:env" "args" (func $args (result i32)))`,
  turn: `
    (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
    (if (i32.eq (global.get $turns) (i32.const 1)) (then (return (f64.const -2))))
    (if (i32.eq (global.get $turns) (i32.const 2)) (then (return (f64.const 5))))
    (drop (call $args))
    (call $reply (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)
      (f64.convert_i32_u (i32.load8_u (i32.load (i32.const ${ANSWER + 8})))))
    (f64.const 60000)`,
  body: `
    (global $turns (mut i32) (i32.const 0))
    (data (i32.const 600) "hello\\n")
    (func (export "main") (param i32 i32) (result i32)
      (drop (call $print (i32.const 1) (i32.const 600) (i32.const 6)))
      (call $schedule)
      (i32.const 0))`,
});

const folder = await mkdtemp(join(tmpdir(), "kippu-"));
after(() => rm(folder, { recursive: true }));
const path = join(folder, "program ö.wasm");
await writeFile(path, program);

test("run gives the exit code, from whatever holds the module", async () => {
  const module = await WebAssembly.compile(program);
  const response = (type) => new Response(program, { headers: { "content-type": type } });
  for (const wasm of [
    path,
    pathToFileURL(path),
    pathToFileURL(path).href,
    program,
    program.buffer,
    module,
    Promise.resolve(module),
    response("application/wasm"),
    response("text/plain"),
    `data:application/wasm;base64,${Buffer.from(program).toString("base64")}`,
  ]) {
    const out = [];
    const code = await run(wasm, {
      args: ["a", "b", "c"],
      stdio: { stdin: "", stdout: (chunk) => void out.push(chunk) },
    });
    assert.equal(code, 3);
    assert.equal(Buffer.concat(out).toString(), "hello\n");
  }
});

test("what cannot be loaded is an error that says so", async () => {
  const server = createServer((_, res) => res.writeHead(404).end());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}/none.wasm`;
  for (const open of [instantiate, instantiateAnywhere])
    await assert.rejects(open(url), {
      code: "KIPPU_LOAD",
      message: `could not load ${url}: HTTP status 404`,
    });
  await assert.rejects(run(join(folder, "none.wasm")), { code: "ENOENT" });
});

test("streams are let go of when the guest is refused", async () => {
  const stdout = new WritableStream();
  await assert.rejects(run(guest({ abi: 7 }), { stdio: { stdin: "", stdout } }), {
    code: "KIPPU_ABI_MISMATCH",
  });
  assert.equal(stdout.locked, false);
});

const execute = async (code, flags = []) => {
  const url = (file) => JSON.stringify(new URL(`../dist/${file}`, import.meta.url).href);
  const source = code.replaceAll(/\bfrom "(\w+)"/g, (_, name) => `from ${url(`${name}.js`)}`);
  return promisify(execFile)(
    process.execPath,
    [...flags, "--input-type=module", "--eval", source],
    { timeout: 20_000 },
  );
};
const PATH = JSON.stringify(path);

test("a program that has ended keeps nothing alive, timers and standard input included", async () => {
  const { stdout } = await execute(`
    import { run } from "node";
    console.log(await run(${PATH}, { args: ["x"] }));`);
  assert.equal(stdout, "hello\n1\n");
});

test("no code is generated from strings", async () => {
  const { stdout } = await execute(
    `
    import { run } from "node";
    try { new Function("return 1")(); console.log("allowed"); } catch { console.log("forbidden"); }
    console.log(await run(${PATH}, { args: ["x"] }));`,
    ["--disallow-code-generation-from-strings"],
  );
  assert.equal(stdout, "forbidden\nhello\n1\n");
});

const DIST = JSON.stringify(new URL("../dist/", import.meta.url).href);

test("an engine without setImmediate and Buffer takes a MessageChannel and TextDecoder", async () => {
  const { stdout } = await execute(`
    import { readFile } from "node:fs/promises";
    const program = await readFile(${PATH});
    delete globalThis.setImmediate;
    const { Buffer } = globalThis;
    delete globalThis.Buffer;
    const { instantiate } = await import(${DIST} + "core.js");
    const { readText, writeText } = await import(${DIST} + "text.js");
    // Node's own message ports want it back.
    globalThis.Buffer = Buffer;
    const u8 = new Uint8Array(1000);
    for (const text of ["one", "a string of 20 bytes", "größer 日本 🦀", "\ufeffx".repeat(100)]) {
      const len = writeText(u8, 7, 993, text);
      console.log(readText(u8, 7, len) === text);
    }
    const services = {
      "kippu:io": {
        print: [
          ["print", false, [["fd", 7], ["data", 11]], 0],
          (fd, data) => console.log(new TextDecoder().decode(data).trim()),
        ],
      },
      "kippu:env": { args: [["args", false, [], 11], () => new Uint8Array([7])] },
    };
    const instance = await instantiate(program, { services });
    console.log(await instance.start());
    await instance.dispose();`);
  assert.equal(stdout, "true\ntrue\ntrue\ntrue\nhello\n7\n");
});
