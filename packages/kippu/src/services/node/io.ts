// kippu:io.

import type { Context } from "../../call.js";
import { later, service, sync } from "../service.js";
import { type Output, sinkOf } from "./sink.js";
import { type Input, sourceOf } from "./source.js";

export interface Stdio {
  /** Standard input of the program. */
  stdin?: Input;
  stdout?: Output;
  stderr?: Output;
}

export const io = ({ stdin, stdout, stderr }: Stdio) => {
  const source = sourceOf(stdin ?? process.stdin);
  const streams: unknown[] = [
    stdin ?? process.stdin,
    stdout ?? process.stdout,
    stderr ?? process.stderr,
  ];
  const sinks = [sinkOf(stdout ?? process.stdout), sinkOf(stderr ?? process.stderr)];
  const sinkFor = (fd: number) => {
    if (fd !== 1 && fd !== 2)
      throw Object.assign(new Error(`EBADF: file descriptor ${fd} cannot be written`), {
        code: "EBADF",
      });
    return sinks[fd - 1];
  };
  const terminal = (fd: number): { isTTY?: boolean; columns?: number } => streams[fd] ?? {};
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
