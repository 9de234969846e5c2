// kippu:fs by node:fs/promises. Errors keep Node's codes, which the guest maps.

import type { Dirent, Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { isAbsolute, resolve, sep } from "node:path";
import type { Context } from "../../call.js";
import { fileService } from "../fs.js";

const kindOf = (of: Dirent | Stats): number =>
  of.isFile() ? 0 : of.isDirectory() ? 1 : of.isSymbolicLink() ? 2 : 3;

const metadata = (stats: Stats) => ({
  kind: kindOf(stats),
  len: stats.size,
  modified_ms: stats.mtimeMs,
});

const systemError = (code: string, message: string): Error =>
  Object.assign(new Error(`${code}: ${message}`), { code });

/** Relative paths start at `cwd`. */
export const files = (cwd: () => string) => {
  const at = (path: string): string => {
    if (path === "") throw systemError("ENOENT", "the path is empty");
    if (path.includes("\0")) throw systemError("EINVAL", "the path contains a zero byte");
    // The system knows what `..` means behind a link or a file, and what a slash or a dot at the end says.
    if (sep === "/") return isAbsolute(path) ? path : `${cwd()}/${path}`;
    // On Windows a path may also start from a drive. `resolve` drops a slash at the end.
    const full = resolve(cwd(), path);
    return path.endsWith("/") ? `${full}${sep}` : full;
  };
  return fileService({
    read: (path: string, { signal }: Context) => fs.readFile(at(path), { signal }),
    // The bytes are lent.
    write: (path: string, data: Uint8Array) => fs.writeFile(at(path), data.slice()),
    metadata: async (path: string) => metadata(await fs.stat(at(path))),
    symlink_metadata: async (path: string) => metadata(await fs.lstat(at(path))),
    read_dir: async (path: string) => {
      const entries = await fs.readdir(at(path), { withFileTypes: true });
      return entries
        .map((entry) => ({ entry, key: Buffer.from(entry.name) }))
        .sort((a, b) => Buffer.compare(a.key, b.key))
        .map(({ entry }) => [entry.name, kindOf(entry)]);
    },
    create_dir_all: (path: string) => fs.mkdir(at(path), { recursive: true }),
    remove_file: async (path: string) => {
      const full = at(path);
      // Deno's `unlink` removes empty folders as well.
      if ("Deno" in globalThis && (await fs.lstat(full)).isDirectory())
        throw systemError("EISDIR", `is a directory, '${full}'`);
      return fs.unlink(full);
    },
    remove_dir_all: async (path: string) => {
      const full = at(path);
      const stats = await fs.lstat(full);
      if (stats.isSymbolicLink()) return fs.unlink(full);
      if (!stats.isDirectory()) throw systemError("ENOTDIR", `not a directory, '${full}'`);
      return fs.rm(full, { recursive: true });
    },
    rename: (from: string, to: string) => fs.rename(at(from), at(to)),
    canonicalize: (path: string) => fs.realpath(at(path)),
  });
};
