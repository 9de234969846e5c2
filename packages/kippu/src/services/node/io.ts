// kippu:io in Node, Bun and Deno: the process's own streams unless others are given.

import { io as ioOf, type Terminal } from "../io.js";
import { type Input, sourceOf } from "../source.js";
import { type Output, sinkOf } from "./sink.js";

export interface Stdio {
  /** Standard input of the program. */
  stdin?: Input;
  stdout?: Output;
  stderr?: Output;
}

export const io = ({
  stdin = process.stdin,
  stdout = process.stdout,
  stderr = process.stderr,
}: Stdio) => {
  const streams: unknown[] = [stdin, stdout, stderr];
  return ioOf(
    sourceOf(stdin),
    [sinkOf(stdout), sinkOf(stderr)],
    (fd) => (streams[fd] as Terminal | undefined) ?? {},
  );
};
