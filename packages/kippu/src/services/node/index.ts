// The services of the crate `kippu` in Node, Bun and Deno.

import type { Services } from "../../core.js";
import { env } from "../env.js";
import { http } from "../http.js";
import { random } from "../random.js";
import { files } from "./fs.js";
import { io, type Stdio } from "./io.js";
import { signals } from "./signal.js";

export interface ServiceOptions {
  /** The program's arguments, without its name. None by default. */
  args?: readonly string[];
  /** The environment variables; those of the process by default. */
  env?: Record<string, string | undefined>;
  /** Where relative paths start; the working directory of the process by default. */
  cwd?: string;
  /** The standard streams; those of the process by default. */
  stdio?: Stdio;
}

/** The services, and how to end them: `close` waits until all output is written. */
export const nodeServices = ({
  args = [],
  env: vars = process.env,
  cwd,
  stdio = {},
}: ServiceOptions = {}): { services: Services; close(): Promise<void> } => {
  const here = (): string => cwd ?? process.cwd();
  const streams = io(stdio);
  const exchanges = http();
  return {
    services: {
      "kippu:env": env(args, vars, here),
      "kippu:io": streams.io,
      "kippu:fs": files(here),
      "kippu:http": exchanges.http,
      "kippu:random": random(),
      "kippu:signal": signals(),
    },
    async close() {
      exchanges.close();
      await streams.close();
    },
  };
};
