// The services of the crate `kippu` on a page, and in its workers.

import type { Services } from "../../core.js";
import { env } from "../env.js";
import { http } from "../http.js";
import { io } from "../io.js";
import { random } from "../random.js";
import { type Output, sinkOf } from "../sink.js";
import { type Input, sourceOf } from "../source.js";
import { lines } from "./console.js";
import { noFiles } from "./fs.js";
import { noSignals } from "./signal.js";

export interface Stdio {
  /** Standard input of the program; it is empty by default. */
  stdin?: Input;
  /** The console, line by line (`console.log`), by default. */
  stdout?: Output;
  /** The console, line by line (`console.error`), by default. */
  stderr?: Output;
}

export interface ServiceOptions {
  /** The program's arguments, without its name. None by default. */
  args?: readonly string[];
  /** The environment variables. None by default. */
  env?: Record<string, string | undefined>;
  /** What the program takes for its working directory; `/` by default. */
  cwd?: string;
  /** The standard streams. */
  stdio?: Stdio;
}

/**
 * The services, and how to end them: `close` waits until all output is written. Every function of
 * `kippu:fs` rejects with code `ENOSYS`, since pages have no file system, and `ctrl_c` never
 * completes.
 */
export const browserServices = ({
  args = [],
  env: vars = {},
  cwd = "/",
  stdio: { stdin = "", stdout, stderr } = {},
}: ServiceOptions = {}): { services: Services; close(): Promise<void> } => {
  const streams = io(
    sourceOf(stdin),
    [
      stdout ? sinkOf(stdout) : lines((line) => console.log(line)),
      stderr ? sinkOf(stderr) : lines((line) => console.error(line)),
    ],
    () => ({}),
  );
  const exchanges = http();
  return {
    services: {
      "kippu:env": env(args, vars, () => cwd),
      "kippu:io": streams.io,
      "kippu:fs": noFiles(),
      "kippu:http": exchanges.http,
      "kippu:random": random(),
      "kippu:signal": noSignals(),
    },
    async close() {
      exchanges.close();
      await streams.close();
    },
  };
};
