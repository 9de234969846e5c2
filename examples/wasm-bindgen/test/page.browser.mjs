// The library on pages of browsers, before and after its last step away from wasm-bindgen.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { BROWSER_NAMES, launch, serve } from "../../../conformance/browsers.mjs";
import { built } from "./built.mjs";

const script = `
  import { openAfter, openBefore } from "./open.mjs";
  const files = [
    { url: "/good", sha256: "${createHash("sha256").update("good").digest("hex")}" },
    { url: "/gone", sha256: "" },
  ];
  const run = async (opened, told) => {
    const guest = await opened;
    const verdicts = await guest.exports.check(files, 10);
    await guest.dispose();
    return { verdicts, told: told() };
  };
  const counted = () => {
    let last;
    return [(...now) => { last = now; }, () => last];
  };
  globalThis.check = async () => {
    const [before, after] = [counted(), counted()];
    return {
      before: await run(openBefore(new URL("./built/checksums/", import.meta.url), before[0]), before[1]),
      after: await run(openAfter(new URL("./built/checksums.wasm", import.meta.url), after[0]), after[1]),
    };
  };
`;
const imports = {
  kippu: "/kippu/browser.js",
  "kippu/wasm-bindgen": "/kippu/wasm-bindgen.js",
};
const html = `<!doctype html><meta charset="utf-8"><title>checksums</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${script}</script>`;

for (const name of BROWSER_NAMES)
  test(`${name}: a page checks files, before and after`, async () => {
    const server = await serve({
      "/": html,
      "/open.mjs": "examples/wasm-bindgen/open.mjs",
      "/built/": fileURLToPath(built),
      "/kippu/": "packages/kippu/dist/",
      "/good": (_, response) => response.end("good"),
      "/gone": (_, response) => response.writeHead(404).end(),
    });
    let browser;
    try {
      browser = await launch(name);
      const page = await browser.newPage(server.url);
      await page.waitForFunction(() => globalThis.check, { timeout: 30_000 });
      const found = await page.evaluate(() => globalThis.check());
      const expected = {
        verdicts: ["Good", { Unreachable: { reason: "Error: HTTP status 404" } }],
        told: [2, 2],
      };
      assert.deepEqual(found, { before: expected, after: expected });
    } finally {
      await browser?.close();
      await server.close();
    }
  });
