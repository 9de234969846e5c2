// TypeScript's compiler and the program `kippu`, for the tests of declarations.

import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../../../", import.meta.url));
const tsc = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs Node with `args`; gives what it wrote and its exit code, whatever that is. */
const node = async (args, options) => {
  try {
    return { code: 0, ...(await exec(process.execPath, args, { ...options, maxBuffer: 2 ** 26 })) };
  } catch (e) {
    if (typeof e.code !== "number") throw e;
    return { code: e.code, stdout: e.stdout, stderr: e.stderr };
  }
};

/** Runs `kippu` with `args`. */
export const kippu = (...args) => node([cli, ...args]);

/** What the compiler says of the project in `folder`, a line each; empty when all is well. */
export const compile = async (folder, ...options) => {
  const args = [tsc, "-p", folder, "--pretty", "false", ...options];
  const { code, stdout, stderr } = await node(args, { cwd: folder });
  const lines = `${stdout}${stderr}`.split("\n").filter(Boolean);
  if (code && !lines.length) throw new Error(`tsc ended with ${code} and said nothing`);
  return lines;
};

const CONFIG = {
  compilerOptions: {
    target: "es2022",
    module: "nodenext",
    lib: ["es2023", "dom", "dom.iterable", "esnext.disposable"],
    types: ["node"],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["*.ts"],
};

/** A project with `files`, which finds the packages of this repository. Remove its `folder`. */
export const project = async (files = {}) => {
  const folder = await mkdtemp(join(tmpdir(), "kippu-types-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  const all = {
    "package.json": '{ "type": "module" }',
    "tsconfig.json": JSON.stringify(CONFIG),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
};
