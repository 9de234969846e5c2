// What npm would publish: the tarball, checked by the tools for that, installed and used.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packed } from "./packed.mjs";
import { buildGuest } from "./rust.mjs";

const exec = promisify(execFile);

let app;
let own;
before(async () => {
  app = await packed();
  own = JSON.parse(await readFile(join(app.folder, "node_modules/kippu/package.json"), "utf8"));
});
after(() => app?.remove());

test("the tarball has what is built, and what a reader needs", () => {
  const others = app.files.filter((path) => !/^dist\/[\w/-]+\.(js|d\.ts)$/.test(path)).sort();
  assert.deepEqual(others, ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);
  // Each module has its types.
  const modules = app.files.filter((path) => path.endsWith(".js"));
  const types = app.files.filter((path) => path.endsWith(".d.ts"));
  assert.deepEqual(types.map((path) => path.replace(/\.d\.ts$/, ".js")).sort(), modules.sort());
});

test("publint finds nothing", async () => {
  const { buffer, byteOffset, byteLength } = await readFile(app.tarball);
  const tarball = buffer.slice(byteOffset, byteOffset + byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  assert.equal(pkg.name, "kippu");
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

test("are the types wrong? No", async () => {
  const cli = fileURLToPath(
    new URL("../../../node_modules/@arethetypeswrong/cli/dist/index.js", import.meta.url),
  );
  const args = [cli, app.tarball, "--profile", "esm-only", "--format", "json"];
  const { stdout } = await exec(process.execPath, args, { maxBuffer: 2 ** 26 }).catch((e) => e);
  const { analysis } = JSON.parse(stdout);
  // Entry points that are found, and problems with them, where modules are ESM.
  const entries = Object.values(analysis.entrypoints).filter(
    ({ subpath }) => !/json$/.test(subpath),
  );
  assert.deepEqual(
    entries.map(({ subpath }) => subpath),
    Object.keys(own.exports).filter((path) => !/json$/.test(path)),
  );
  const modern = ["node16-esm", "bundler"];
  for (const { resolutions } of entries)
    for (const kind of modern) assert.match(resolutions[kind].resolution.fileName, /\.d\.ts$/);
  const problems = Object.values(analysis.problems)
    .flat()
    .filter(({ resolutionKind }) => !resolutionKind || modern.includes(resolutionKind));
  assert.deepEqual(problems, []);
});

for (const [host, entry, options] of [
  ["Node", "node", { platform: "node" }],
  ["Deno", "node", { conditions: ["deno", "node"] }],
  ["Bun", "node", { conditions: ["bun", "node"] }],
  ["pages", "browser", { platform: "browser" }],
  ["workers", "browser", { conditions: ["worker"] }],
  ["engines without services", "index", {}],
])
  test(`the entry for ${host} is ${entry}.js`, async () => {
    const { metafile } = await build({
      absWorkingDir: app.folder,
      stdin: { contents: `export * from "kippu"`, resolveDir: app.folder },
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "neutral",
      external: ["node:*"],
      ...options,
    });
    const [{ path }] = metafile.inputs["<stdin>"].imports;
    assert.equal(path, `node_modules/kippu/dist/${entry}.js`);
  });

test("the installed package runs a program on Node", async () => {
  await cp(buildGuest("quickstart"), join(app.folder, "quickstart.wasm"));
  await writeFile(
    join(app.folder, "main.mjs"),
    `import { run } from "kippu";
     const greet = async (name) => \`Hello, \${name}!\`;
     process.exitCode = await run("quickstart.wasm", { host: { greet } });`,
  );
  const { stdout } = await exec(process.execPath, ["main.mjs"], { cwd: app.folder });
  assert.equal(stdout, "Hello, Kippu!\n");
});
