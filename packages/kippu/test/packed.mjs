// The package as a user gets it: packed by npm from a copy of its sources, so that the build that
// other tests use is left alone, and installed from the tarball into a folder of its own.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** npm of the Node that runs this. */
const npm = (args, cwd) =>
  exec("npm", [...args, "--no-audit", "--no-fund", "--no-update-notifier"], {
    cwd,
    shell: process.platform === "win32",
    maxBuffer: 2 ** 26,
    // What is configured for the workspace, such as by `npm test --workspaces`, is not meant for these folders.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key))),
  });

/**
 * Packs the package and installs it. Gives the `tarball`, the names of the `files` in it, and a
 * `folder` whose node_modules has the package and nothing else; `remove` it at last.
 */
export const packed = async () => {
  const top = await mkdtemp(join(tmpdir(), "kippu-packed-"));
  const remove = () => rm(top, { recursive: true, force: true, maxRetries: 5 });
  try {
    const source = join(top, "source");
    const copy = join(source, "packages", "kippu");
    const skipped = new Set(["dist", "node_modules", "test", "test-browser", "bench"]);
    await cp(join(root, "packages/kippu"), copy, {
      recursive: true,
      filter: (path) => !skipped.has(basename(path)),
    });
    await cp(join(root, "tsconfig.base.json"), join(source, "tsconfig.base.json"));
    await symlink(join(root, "node_modules"), join(source, "node_modules"), "junction");
    const { stdout } = await npm(["pack", "--json", "--silent", "--pack-destination", top], copy);
    // The scripts of the package may print before npm does.
    const [{ filename, files }] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))));
    const tarball = join(top, filename);
    const folder = join(top, "app");
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    await npm(["install", "--offline", "--ignore-scripts", tarball], folder);
    return { tarball, files: files.map(({ path }) => path), folder, remove };
  } catch (e) {
    await remove();
    throw e;
  }
};
