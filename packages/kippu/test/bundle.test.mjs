// What the package costs those who ship it: bundled and minified as applications do, in bytes of gzip.
//
// A limit is what was measured when it was set, and up to 64 bytes more, which minifiers and
// compilers change by. Whoever needs more raises it, and sees what it is for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

for (const [entry, what, limit, platform = "neutral"] of [
  ["driver", "memory, ring, turns, tickets and traps", 2176],
  ["core", "with values, calls, streams and restarts", 6400],
  ["index", "with serde types, errors and loading", 11500],
  ["browser", "with the services of pages", 16000, "browser"],
  ["node", "with the services of Node", 17000, "node"],
  ["trace", "traces alone", 4000],
  ["wasm-bindgen", "imports of wasm-bindgen alone", 1500],
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
  });
