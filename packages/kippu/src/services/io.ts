// kippu:io, for every engine: it is given where input comes from and where output goes.

import type { Context } from "../call.js";
import { later, service, sync } from "./service.js";
import type { Sink } from "./sink.js";
import type { Source } from "./source.js";

/** What is known of a stream that is a terminal. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
}

/** `terminal` tells of the streams 0, 1 and 2. */
export const io = (
  source: Source,
  sinks: readonly [stdout: Sink, stderr: Sink],
  terminal: (fd: number) => Terminal,
) => {
  const sinkFor = (fd: number): Sink => {
    if (fd !== 1 && fd !== 2)
      throw Object.assign(new Error(`EBADF: file descriptor ${fd} cannot be written`), {
        code: "EBADF",
      });
    return sinks[fd - 1];
  };
  return {
    io: service(
      later("read", { max: "u32" }, "bytes", (max: number, { signal }: Context) =>
        source.read(max, signal),
      ),
      // The bytes are lent, and streams keep what they are given.
      later("write", { fd: "u32", data: "bytes" }, "()", (fd: number, data: Uint8Array) =>
        sinkFor(fd).write(data.slice()),
      ),
      sync("print", { fd: "u32", data: "bytes" }, "()", (fd: number, data: Uint8Array) => {
        // Nobody waits for a print, so nobody learns that it failed.
        sinkFor(fd)
          .write(data.slice())
          .catch(() => {});
      }),
      sync("is_terminal", { fd: "u32" }, "bool", (fd: number) => terminal(fd).isTTY === true),
      sync("columns", { fd: "u32" }, "u32", (fd: number) => terminal(fd).columns ?? 0),
    ),
    async close(): Promise<void> {
      source.close();
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
};
