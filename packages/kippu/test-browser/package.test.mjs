// The packed package in browsers: by plain module scripts, under a strict policy, and in bundles.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { launch } from "../../../conformance/browsers.mjs";
import { packed } from "../test/packed.mjs";
import { buildGuest } from "../test/rust.mjs";
import { EXPECTED, visit } from "./support.mjs";

const HTML = `<!doctype html><meta charset="utf-8"><title>kippu</title>`;
const PAGE = `${HTML}<script type="module" src="./main.js"></script>`;
/** No inline scripts, no eval, nothing of other origins; modules may be compiled. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
let app;
let browser;
before(async () => {
  const wasm = buildGuest("page-guest");
  app = await packed();
  await cp(wasm, join(app.folder, "guest.wasm"));
  await cp(new URL("script.js", import.meta.url), join(app.folder, "script.js"));
  browser = await launch("chromium");
});
after(async () => {
  await browser?.close();
  await app?.remove();
});

/** The program of a page; `wasm` is an expression for what holds the guest. */
const main = (from, wasm = `new URL("./guest.wasm", import.meta.url)`) => `
  import { instantiate } from ${JSON.stringify(from)};
  import { script } from "./script.js";
  globalThis.result = await script(instantiate, ${wasm}).catch((e) => ({ error: String(e.stack) }));
`;

const file = (name, text) => writeFile(join(app.folder, name), text);
/** Opens the page `html` in a folder and gives what its script found, and what it said. */
const opened = (html, { at = app.folder, headers } = {}) =>
  visit(browser, { "/": `${at}/`, "/index.html": html }, { headers, path: "index.html" });

/** Opens the page and asserts what the guest did there. */
const works = async (html, options) => {
  const { result, said } = await opened(html, options);
  assert.deepEqual(result, EXPECTED);
  assert.deepEqual(said, []);
};

test("a page without a bundler: by a relative URL", async () => {
  await file("main.js", main("./node_modules/kippu/dist/browser.js"));
  await works(PAGE);
});

test("a page without a bundler: by an import map", async () => {
  await file("main.js", main("kippu"));
  const map = { imports: { kippu: "./node_modules/kippu/dist/browser.js" } };
  await works(
    PAGE.replace("<script", `<script type="importmap">${JSON.stringify(map)}</script><script`),
  );
});

test("a page whose policy allows no eval", async () => {
  const from = "./node_modules/kippu/dist/browser.js";
  const headers = { "content-security-policy": STRICT };
  await file("main.js", main(from));
  await works(PAGE, { headers });

  // The policy is in force: code made of text is refused, and without its last word so is the guest.
  await file(
    "main.js",
    `try { new Function("return 1")(); } catch (e) { globalThis.result = e.name; }`,
  );
  const { result } = await opened(PAGE, { headers });
  assert.equal(result, "EvalError");
  await file("main.js", main(from));
  const policy = STRICT.replace(" 'wasm-unsafe-eval'", "");
  await assert.rejects(
    works(PAGE, { headers: { "content-security-policy": policy } }),
    /the page failed: CompileError/,
  );
});

test("a worker of a page", async () => {
  const from = "./node_modules/kippu/dist/browser.js";
  await file("worker.js", `${main(from)}; postMessage(globalThis.result);`);
  await file(
    "main.js",
    `const worker = new Worker("./worker.js", { type: "module" });
     worker.onmessage = ({ data }) => { globalThis.result = data; };
     worker.onerror = ({ message }) => { globalThis.result = { error: message }; };`,
  );
  await works(PAGE);
});

/** Writes an app to be bundled and gives its folder. */
const source = async (name, text) => {
  const path = join(app.folder, name);
  await mkdir(path);
  for (const file of ["guest.wasm", "script.js"])
    await cp(join(app.folder, file), join(path, file));
  await writeFile(join(path, "main.js"), text);
  await writeFile(join(path, "index.html"), PAGE);
  return path;
};

test("a bundle for production by Vite", async () => {
  const path = await source("vite", main("kippu"));
  await vite({ root: path, base: "./", logLevel: "warn", configFile: false });
  const dist = join(path, "dist");
  const assets = await readdir(join(dist, "assets"));
  assert.deepEqual(assets.map((name) => name.replace(/-.*\./, ".")).sort(), [
    "guest.wasm",
    "index.js",
  ]);
  await works(await readFile(join(dist, "index.html"), "utf8"), { at: dist });
});

/** The same as a bundle by esbuild, which copies the guest and gives its URL. */
const bundled = async (name, options) => {
  const path = await source(
    name,
    `import wasm from "./guest.wasm";${main("kippu", "new URL(wasm, import.meta.url)")}${options.more ?? ""}`,
  );
  const outdir = join(path, "dist");
  const { warnings } = await esbuild({
    absWorkingDir: path,
    entryPoints: ["main.js"],
    bundle: true,
    minify: true,
    format: "esm",
    outdir,
    loader: { ".wasm": "file" },
    platform: options.platform,
  });
  assert.deepEqual(warnings, []);
  return outdir;
};

test("a bundle by esbuild, for browsers", async () => {
  await works(PAGE, { at: await bundled("esbuild", { platform: "browser" }) });
});

test("a bundle by esbuild, for Node", async () => {
  const more = "console.log(JSON.stringify(globalThis.result));";
  const dist = await bundled("esbuild-node", { platform: "node", more });
  await writeFile(join(dist, "package.json"), '{ "type": "module" }');
  const { stdout } = await promisify(execFile)(process.execPath, [join(dist, "main.js")]);
  assert.deepEqual(JSON.parse(stdout), EXPECTED);
});
