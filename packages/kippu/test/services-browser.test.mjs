// The services of the crate `kippu` on a page, as far as they need no page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { browserServices } from "../dist/browser.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (u8) => new TextDecoder().decode(u8);

/** Calls a function of a service, and the end of all of them. */
const open = (options) => {
  const { services, close } = browserServices(options);
  const { signal } = new AbortController();
  const call = (module, name, args = [], context = { signal }) => {
    const [[, , params], fn] = services[module][name];
    return fn(...args.slice(0, params.length), context);
  };
  return { call, close };
};

test("arguments, variables and the working directory are those that were given", () => {
  const bare = open().call;
  assert.deepEqual(bare("kippu:env", "args"), []);
  assert.deepEqual(bare("kippu:env", "vars"), []);
  assert.equal(bare("kippu:env", "var", ["toString"]), null);
  assert.equal(bare("kippu:env", "current_dir"), "/");
  const given = open({ args: ["a"], env: { A: "1", B: undefined }, cwd: "/x" }).call;
  assert.deepEqual(given("kippu:env", "args"), ["a"]);
  assert.deepEqual(given("kippu:env", "vars"), [["A", "1"]]);
  assert.equal(given("kippu:env", "var", ["A"]), "1");
  assert.equal(given("kippu:env", "current_dir"), "/x");
});

test("output goes to the console by lines, what is left at the end too", async (t) => {
  const seen = [];
  t.mock.method(console, "log", (line) => seen.push(`log ${line}`));
  t.mock.method(console, "error", (line) => seen.push(`error ${line}`));
  const { call, close } = open();
  const [cut, end] = [bytes("größer\n\nx").slice(0, 3), bytes("größer\n\nx").slice(3)];
  call("kippu:io", "print", [1, cut]);
  call("kippu:io", "print", [2, bytes("wrong\n")]);
  await call("kippu:io", "write", [1, end]);
  assert.deepEqual(seen, ["error wrong", "log größer", "log "]);
  await close();
  assert.deepEqual(seen.slice(3), ["log x"]);
  assert.throws(() => call("kippu:io", "write", [3, end]), { code: "EBADF" });
  assert.equal(call("kippu:io", "is_terminal", [1]), false);
  assert.equal(call("kippu:io", "columns", [1]), 0);
});

test("output goes where it is told to", async () => {
  const seen = [];
  const stderr = new WritableStream({ write: (chunk) => void seen.push(text(chunk)) });
  const { call, close } = open({ stdio: { stdout: (u8) => seen.push(text(u8)), stderr } });
  await call("kippu:io", "write", [1, bytes("out")]);
  await call("kippu:io", "write", [2, bytes("err")]);
  await close();
  assert.deepEqual(seen, ["out", "err"]);
  assert.equal(stderr.locked, false);
});

test("input is empty, or what is given", async () => {
  const all = async (stdin) => {
    const { call } = open(stdin === undefined ? {} : { stdio: { stdin } });
    let read = "";
    for (;;) {
      const piece = await call("kippu:io", "read", [3]);
      if (!piece.length) return read;
      assert.ok(piece.length <= 3);
      read += text(piece);
    }
  };
  assert.equal(await all(undefined), "");
  assert.equal(await all("a string"), "a string");
  assert.equal(await all(new Response("a stream").body), "a stream");
  // Some engines' streams cannot be iterated.
  const stream = new Response("a reader").body;
  assert.equal(await all({ getReader: () => stream.getReader() }), "a reader");
  const pieces = (async function* () {
    yield "a ";
    yield bytes("generator");
  })();
  assert.equal(await all(pieces), "a generator");
});

test("every function of files says that there are none", async () => {
  const { services } = browserServices();
  const names = Object.keys(services["kippu:fs"]);
  assert.equal(names.length, 10);
  for (const name of names)
    await assert.rejects(services["kippu:fs"][name][1]("/x"), {
      name: "NotSupportedError",
      code: "ENOSYS",
      message: /pages have no file system/,
    });
});

test("ctrl_c waits for ever, and settles when it is dropped", async () => {
  const controller = new AbortController();
  const { call } = open();
  let settled = false;
  const waits = call("kippu:signal", "ctrl_c", [], { signal: controller.signal }).then(() => {
    settled = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(settled, false);
  controller.abort();
  await waits;
});
