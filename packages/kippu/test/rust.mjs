// The guest that the tests with real Rust share: conformance/guest, built by cargo.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = "wasm32-unknown-unknown";

/** Builds the guest, unless it is fresh, and compiles it. */
export const rustGuest = async () => {
  const options = ["--release", "--package", "conformance-guest", "--target", TARGET];
  const out = execFileSync("cargo", ["build", "--message-format=json", ...options], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const wasm = out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .flatMap(({ filenames = [] }) => filenames)
    .findLast((name) => name.endsWith("conformance-guest.wasm"));
  return WebAssembly.compile(await readFile(wasm));
};

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
