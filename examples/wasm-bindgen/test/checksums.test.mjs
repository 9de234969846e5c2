// The library does the same before and after its last step away from wasm-bindgen.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openAfter, openBefore } from "../open.mjs";
import { built } from "./built.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

const requests = { "/flaky": 0, "/slow": 0 };
let aborted = 0;
const server = createServer((request, response) => {
  const { url } = request;
  if (url in requests) requests[url]++;
  if (url === "/good" || (url === "/flaky" && requests[url] > 2)) return response.end("good");
  if (url === "/slow") {
    response.write("so");
    response.once("close", () => aborted++);
    return;
  }
  response.statusCode = 503;
  response.end("not now");
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
after(() => {
  server.closeAllConnections();
  server.close();
});
const base = `http://127.0.0.1:${server.address().port}`;

const kinds = {
  before: (progress) => openBefore(new URL("checksums/", built), progress),
  after: (progress) => openAfter(new URL("checksums.wasm", built), progress),
};

for (const [kind, open] of Object.entries(kinds))
  test(`${kind}: files are checked, tried again and given up`, async () => {
    for (const url in requests) requests[url] = 0;
    aborted = 0;
    const told = [];
    const guest = await open((done, total) => told.push([done, total]));
    const files = ["/good", "/good", "/flaky", "/slow", "/gone"].map((path, i) => ({
      url: base + path,
      sha256: i === 1 ? "0".repeat(64) : sha256("good").toUpperCase(),
    }));
    assert.deepEqual(await guest.exports.check(files, 0.3), [
      "Good",
      { Changed: { sha256: sha256("good") } },
      "Good",
      { Unreachable: { reason: "TimeoutError: the download took too long" } },
      { Unreachable: { reason: "Error: HTTP status 503" } },
    ]);
    assert.deepEqual(requests, { "/flaky": 3, "/slow": 3 });
    assert.deepEqual(
      told,
      [1, 2, 3, 4, 5].map((n) => [n, 5]),
    );
    // The timeout dropped the download, which aborted the request.
    for (let i = 0; i < 100 && aborted < 3; i++) await new Promise((ok) => setTimeout(ok, 10));
    assert.equal(aborted, 3);
    await assert.rejects(guest.exports.check([], -1), { name: "RangeError" });
    await guest.dispose();
  });

test("what cargo writes in the end has no import of wasm-bindgen's", async () => {
  const module = await WebAssembly.compile(await readFile(new URL("checksums.wasm", built)));
  const modules = new Set(WebAssembly.Module.imports(module).map((one) => one.module));
  assert.deepEqual([...modules].sort(), ["host", "kippu"]);
});

test("the program of the README prints a line for each file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kippu-interop-"));
  const list = join(folder, "list.txt");
  await writeFile(list, `${sha256("good")}  ${base}/good\n${sha256("bad")}  ${base}/good\n`);
  const main = fileURLToPath(new URL("../main.mjs", import.meta.url));
  for (const where of ["checksums", "checksums.wasm"]) {
    const args = [main, fileURLToPath(new URL(where, built)), list];
    const failed = await promisify(execFile)(process.execPath, args).catch((e) => e);
    assert.equal(failed.code, 1);
    assert.equal(failed.stdout, `${base}/good: good\n${base}/good: has ${sha256("good")}\n`);
    assert.equal(failed.stderr, "1 of 2\n2 of 2\n");
  }
  await rm(folder, { recursive: true });
});
