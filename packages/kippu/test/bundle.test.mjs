// What the package costs those who ship it: bundled and minified as applications do, in bytes of gzip.
//
// A limit is what was measured when it was set and some 1 % more, by which minifiers and compressors
// differ. Whoever needs more raises it here and in the README, and sees what it is for.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

for (const [entry, what, limit, platform = "neutral"] of [
  ["driver", "memory, ring, turns, tickets and traps", 1980],
  ["core", "with values, calls and restarts", 6100],
  ["index", "with streams, serde types, errors and loading", 11600],
  ["browser", "with the services of pages", 15150, "browser"],
  ["node", "with the services of Node", 15750, "node"],
  ["trace", "traces alone", 3136],
  ["wasm-bindgen", "imports of wasm-bindgen alone", 680],
])
  test(`${entry}.js, ${what}: at most ${limit} bytes`, async (t) => {
    const { outputFiles, metafile } = await build({
      entryPoints: [fileURLToPath(new URL(`../dist/${entry}.js`, import.meta.url))],
      bundle: true,
      minify: true,
      format: "esm",
      platform,
      write: false,
      metafile: true,
    });
    const [{ contents, text }] = outputFiles;
    const size = gzipSync(contents, { level: 9 }).length;
    t.diagnostic(`${size} bytes`);
    const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    // Only Node's own modules, and only for Node.
    if (platform === "node") for (const { path } of external) assert.match(path, /^node:/);
    else assert.deepEqual(external, []);
    assert.doesNotMatch(text, /\bnew Function\b|\beval\(/);
    assert.ok(size <= limit, `${size} bytes`);
    const shown = `${(limit / 1000).toFixed(1)} KB`;
    assert.ok(readme.includes(`| ${shown}`), `the README does not say ${shown}`);
  });
