// Programs in TypeScript may use the glue, in strict mode.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { built } from "./built.mjs";

const here = (path) => new URL(path, import.meta.url);

test("the glue has types with the declaration of the book", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kippu-interop-"));
  try {
    await cp(new URL("checksums", built), join(folder, "pkg"), { recursive: true });
    await cp(here("../glue.d.ts"), join(folder, "glue.d.ts"));
    await cp(here("use.ts"), join(folder, "use.ts"));
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    await mkdir(join(folder, "node_modules"));
    await symlink(
      fileURLToPath(here("../../../packages/kippu")),
      join(folder, "node_modules/kippu"),
      "junction",
    );
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: "esnext",
      module: "nodenext",
      lib: ["esnext", "dom"],
      types: [],
    };
    const tsconfig = { compilerOptions, exclude: ["**/*_bg.wasm.d.ts"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = fileURLToPath(here("../../../node_modules/typescript/bin/tsc"));
    await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch((e) => {
      throw new Error(`tsc found: ${e.stdout}${e.stderr}`);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
