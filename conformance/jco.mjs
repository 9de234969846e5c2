// Runs a component of WASI 0.2 on Node, by the JavaScript that jco makes of it:
//
//   node jco.mjs transpile COMPONENT.wasm FOLDER     writes NAME.js and what belongs to it
//   node jco.mjs run FOLDER/NAME.js ARGUMENTS…       runs it as this process
//
// jco's packages are looked for from FOLDER on: it is below the folder that they are installed in.
// A program sees what it would see on `wasmtime run`: the folders of `--dir` are named in the
// variable KIPPU_JCO_DIRS, with the system's separator of paths between them, as it sees them.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { isatty } from "node:tty";
import { pathToFileURL } from "node:url";

const [task, from, ...rest] = process.argv.slice(2);

/** A module of a package of jco's, the very one that transpiled code in `folder` imports. */
const module = (folder, name) =>
  import(pathToFileURL(createRequire(join(folder, "_.js")).resolve(name)).href);

const transpile = async (component, folder) => {
  const { transpile } = await module(dirname(folder), "@bytecodealliance/jco-transpile");
  const { files } = await transpile(component, { outDir: folder });
  await rm(folder, { recursive: true, force: true });
  for (const [path, bytes] of Object.entries(files)) {
    const file = resolve(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  await writeFile(join(folder, "package.json"), '{"type":"module"}\n');
};

const run = async (program, args) => {
  const folder = dirname(program);
  const [cli, filesystem] = await Promise.all(
    ["cli", "filesystem"].map((name) => module(folder, `@bytecodealliance/preview2-shim/${name}`)),
  );
  const { KIPPU_JCO_DIRS: dirs = ".", ...env } = process.env;
  cli._setArgs([basename(program), ...args]);
  cli._setEnv(env);
  filesystem._setPreopens(Object.fromEntries(dirs.split(delimiter).map((dir) => [dir, dir])));
  // The package takes every stream for a terminal.
  if (!isatty(0)) cli._setTerminalStdin(undefined);
  if (!isatty(1)) cli._setTerminalStdout(undefined);
  if (!isatty(2)) cli._setTerminalStderr(undefined);
  // It ends the process at once, whatever a full pipe has not taken yet.
  for (const { _handle } of [process.stdout, process.stderr]) _handle?.setBlocking?.(true);
  const { run } = await import(pathToFileURL(program).href);
  try {
    run.run();
  } catch (e) {
    // The error of `wasi:cli/run`, which has no more to say, or a trap.
    if (e !== undefined && !(e instanceof Error && "payload" in e)) console.error(e);
    process.exit(1);
  }
  process.exit(0);
};

if (task === "transpile" && rest.length === 1) await transpile(from, resolve(rest[0]));
else if (task === "run" && from) await run(resolve(from), rest);
else {
  console.error(
    "usage: node jco.mjs transpile COMPONENT.wasm FOLDER | run FOLDER/NAME.js ARGUMENTS…",
  );
  process.exitCode = 2;
}
