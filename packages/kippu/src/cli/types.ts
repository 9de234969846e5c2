// `kippu types`.

import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { Failure, type Output, reason, UsageError } from "./command.js";
import { declarationText } from "./declarations.js";
import { readProgram } from "./program.js";
import { TYPES_HELP } from "./text.js";

const MAGIC = [0, 0x61, 0x73, 0x6d];
/** The version of a module; a component has another one. */
const MODULE = [1, 0, 0, 0];

const startsWith = (bytes: Uint8Array, at: number, wanted: readonly number[]): boolean =>
  wanted.every((byte, i) => bytes[at + i] === byte);

const describe = async (file: string): Promise<string> => {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readFile(file);
  } catch (e) {
    throw new Failure(`cannot read ${file}: ${reason(e)}`);
  }
  if (!startsWith(bytes, 0, MAGIC)) throw new Failure(`${file} is not a WebAssembly module`);
  if (!startsWith(bytes, 4, MODULE))
    throw new Failure(
      `${file} is a WebAssembly component or of an unknown version: build for wasm32-unknown-unknown`,
    );
  try {
    return declarationText(readProgram(await WebAssembly.compile(bytes)), basename(file));
  } catch (e) {
    throw new Failure(`cannot describe ${file}: ${reason(e)}`);
  }
};

/** What is in `file`, with the line ends that we write; undefined when there is none. */
const present = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, "utf8")).replaceAll("\r\n", "\n");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Failure(`cannot read ${file}: ${reason(e)}`);
  }
};

/** Runs the command and gives its exit code. */
export const types = async (args: string[], output: Output): Promise<number> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: "string", short: "o" },
      check: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    await output.out(TYPES_HELP);
    return 0;
  }
  const { out, check } = values;
  const [file, ...more] = positionals;
  if (file === undefined || more.length)
    throw new UsageError(`expected one file, got ${positionals.length}`);
  if (out === "") throw new UsageError("--out needs the name of a file");
  if (check && out === undefined) throw new UsageError("--check needs --out FILE to compare with");

  const text = await describe(file);
  if (out === undefined) {
    await output.out(text);
    return 0;
  }
  const before = await present(out);
  if (before === text) return 0;
  if (check) {
    const state = before === undefined ? "does not exist" : "is not up to date";
    throw new Failure(`${out} ${state}: write it with \`kippu types ${file} --out ${out}\``);
  }
  try {
    await writeFile(out, text);
  } catch (e) {
    throw new Failure(`cannot write ${out}: ${reason(e)}`);
  }
  return 0;
};
