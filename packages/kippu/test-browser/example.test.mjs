// examples/web in Chromium: as it is, and as Vite bundles it.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { launch, serve } from "../../../conformance/browsers.mjs";
import { buildGuest } from "../test/rust.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

let wasm;
let browser;
before(async () => {
  wasm = buildGuest("websearch");
  browser = await launch("chromium");
});
after(() => browser?.close());

/** The lines of the repository's documents that have the word, whatever its case. */
const linesWith = async (word) => {
  const main = await readFile(join(root, "examples/web/main.js"), "utf8");
  const names = [...main.matchAll(/^ {2}"(.+\.md)": new URL/gm)].map(([, name]) => name);
  assert.ok(names.length > 5);
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), "utf8")));
  return texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.toLowerCase().includes(word));
};

/** Does on the page what a visitor does. */
const visitor = async (routes, path) => {
  const server = await serve(routes);
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const status = (part) =>
    page.waitForFunction(
      (part) => new RegExp(part).test(document.querySelector("#status").textContent),
      { timeout: 20_000, polling: 20 },
      part,
    );
  try {
    await page.goto(server.url + path);
    await status("^\\d+ lines$").catch((cause) => {
      throw new Error(`the page does not load: ${said.join("\n")}`, { cause });
    });
    const texts = [];
    await page.exposeFunction("note", (text) => texts.push(text));
    await page.evaluate(() => {
      const status = document.querySelector("#status");
      new MutationObserver(() => note(status.textContent)).observe(status, { childList: true });
    });
    const wanted = await linesWith("waker");
    // Letter by letter, quicker than the search waits: only the whole word is looked for.
    await page.type("#query", "wAKer");
    await status(`^${wanted.length} lines in `);
    assert.equal(texts.filter((text) => / lines? in /.test(text)).length, 1, texts.join("; "));
    const marks = await page.$$eval("#hits mark", (marks) => marks.map((mark) => mark.textContent));
    assert.equal(marks.length, Math.min(wanted.length, 40));
    for (const mark of marks) assert.equal(mark.toLowerCase(), "waker");
    const lines = await page.$$eval("#hits .line", (lines) =>
      lines.map((line) => line.textContent),
    );
    assert.deepEqual(lines, wanted.slice(0, 40));

    await page.$eval("#query", (box) => {
      box.value = "no line has this";
      box.dispatchEvent(new Event("input"));
    });
    await status("^0 lines in ");
    assert.equal((await page.$$("#hits li")).length, 0);
    assert.deepEqual(said, []);
  } finally {
    await page.close();
    await server.close();
  }
};

test("the page as it is", () =>
  visitor(
    {
      "/": `${root}/`,
      "/examples/web/": `${root}/examples/web/`,
      "/examples/web/index.html": `${root}/examples/web/index.html`,
      "/examples/web/search.wasm": wasm,
    },
    "examples/web/index.html",
  ));

test("the page by Vite", async () => {
  // A copy, for the guest lies beside the page.
  const top = await mkdtemp(join(tmpdir(), "kippu-web-"));
  try {
    for (const path of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "abi", "docs/src"])
      await cp(join(root, path), join(top, path), { recursive: true });
    await mkdir(join(top, "packages/kippu"), { recursive: true });
    await cp(join(root, "packages/kippu/README.md"), join(top, "packages/kippu/README.md"));
    await cp(join(root, "examples/web"), join(top, "examples/web"), { recursive: true });
    await cp(wasm, join(top, "examples/web/search.wasm"));
    await symlink(join(root, "node_modules"), join(top, "node_modules"), "junction");
    const web = join(top, "examples/web");
    await build({ root: web, base: "./", logLevel: "warn" });
    await visitor({ "/": `${join(web, "dist")}/` }, "index.html");
  } finally {
    await rm(top, { recursive: true, force: true, maxRetries: 5 });
  }
});
