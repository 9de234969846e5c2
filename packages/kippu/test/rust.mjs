// Guests in Rust, built by cargo. The one that most tests share is conformance/guest.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = "wasm32-unknown-unknown";

/** Builds a guest of the workspace, unless it is fresh, and gives its path; `more` goes to cargo. */
export const buildGuest = (name, more = []) => {
  const options = ["--release", "--package", name, "--target", TARGET, ...more];
  const out = execFileSync("cargo", ["build", "--message-format=json", ...options], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .flatMap(({ filenames = [] }) => filenames)
    .findLast((file) => [name, name.replaceAll("-", "_")].includes(basename(file, ".wasm")));
};

/** Builds the guest that the tests share and compiles it. */
export const rustGuest = async () =>
  WebAssembly.compile(await readFile(buildGuest("conformance-guest")));

/** Host functions for every import of module `host`; `given` ones for those that a test is about. */
export const hostFor = (module, given = {}) => {
  const names = WebAssembly.Module.imports(module).filter(({ module }) => module === "host");
  const unused = Object.fromEntries(
    names.map(({ name }) => [
      name,
      () => {
        throw new Error(`${name} is not expected to be called`);
      },
    ]),
  );
  return { ...unused, ...given };
};
