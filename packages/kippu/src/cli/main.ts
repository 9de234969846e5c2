#!/usr/bin/env node
// The program `kippu`.

import { readFile } from "node:fs/promises";
import { Failure, type Output, UsageError } from "./command.js";
import { run } from "./run.js";
import { MAIN_HELP } from "./text.js";
import { types } from "./types.js";

const COMMANDS: Record<string, (args: string[], output: Output) => Promise<number>> = {
  __proto__: null as never,
  types,
  run,
};

const write = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((ok, no) => {
    stream.once("error", no);
    stream.write(text, (e) => (e ? no(e) : ok()));
  });

const output: Output = {
  out: (text) => write(process.stdout, text),
  err: (text) => write(process.stderr, text),
};

const version = async (): Promise<string> => {
  const file = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { version: string }).version;
};

const main = async ([command, ...args]: string[]): Promise<number> => {
  if (command === "-V" || command === "--version") await output.out(`${await version()}\n`);
  else if (command === "-h" || command === "--help" || command === "help")
    await output.out(MAIN_HELP);
  else if (command === undefined) throw new UsageError("expected a command");
  else if (command in COMMANDS) return COMMANDS[command](args, output);
  else throw new UsageError(`unknown command ${command}`);
  return 0;
};

/** Whether the command line is at fault: by our own word or by that of `parseArgs`. */
const isUsage = (e: unknown): e is Error =>
  e instanceof UsageError || /^ERR_PARSE_ARGS_/.test((e as NodeJS.ErrnoException)?.code ?? "");

const [, , ...args] = process.argv;
try {
  process.exitCode = await main(args);
} catch (e) {
  // Whoever reads our output has seen enough of it.
  if ((e as NodeJS.ErrnoException)?.code === "EPIPE") process.exitCode = 1;
  else if (isUsage(e)) {
    const topic = args[0] in COMMANDS ? `kippu ${args[0]} --help` : "kippu --help";
    await output.err(`kippu: ${e.message}\nSee \`${topic}\`.\n`);
    process.exitCode = 2;
  } else if (e instanceof Failure) {
    await output.err(`kippu: ${e.message}\n`);
    process.exitCode = 1;
  } else throw e;
}
