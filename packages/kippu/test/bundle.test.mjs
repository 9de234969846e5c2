// What a page has to load. The limits are part of what the package promises.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

for (const [entry, limit] of [
  ["driver", 1664],
  ["core", 4352],
  ["index", 9216],
])
  test(`${entry} bundles to at most ${limit} bytes of gzip, and needs no engine's own modules`, async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [new URL(`../dist/${entry}.js`, import.meta.url).pathname],
      bundle: true,
      minify: true,
      format: "esm",
      platform: "neutral",
      write: false,
      metafile: true,
    });
    const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    assert.ok(size <= limit, `${size} bytes`);
    const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    assert.deepEqual(external, []);
    assert.doesNotMatch(outputFiles[0].text, /\bnew Function\b|\beval\(/);
    console.log(`${entry}: ${size} bytes`);
  });
