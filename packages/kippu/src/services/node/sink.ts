// Where standard output and standard error go.

import type { Writable } from "node:stream";

/** A stream of Node or the web, or a function that takes the bytes. */
export type Output =
  | Writable
  | WritableStream<Uint8Array>
  | ((bytes: Uint8Array) => void | Promise<void>);

export interface Sink {
  /** Writes `bytes`, which must stay as they are, behind what was written before. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until all is written, and lets go of the stream. */
  close(): Promise<void>;
}

/** Without a listener the error of a closed pipe would end the process. */
const ignore = (): void => {};

export const sinkOf = (output: Output): Sink => {
  if (typeof output !== "function" && "getWriter" in output) {
    const writer = output.getWriter();
    return inTurn(
      (bytes) => writer.write(bytes),
      () => writer.releaseLock(),
    );
  }
  if (typeof output === "function") return inTurn(async (bytes) => output(bytes), ignore);
  let listening = false;
  let open = 0;
  const closed: (() => void)[] = [];
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        // Not before there is need: a stream warns when many instances listen.
        if (!listening) output.on("error", ignore);
        listening = true;
        open++;
        output.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
          if (--open === 0) for (const done of closed.splice(0)) done();
        });
      }),
    async close() {
      if (open)
        await new Promise<void>((resolve) => {
          closed.push(resolve);
        });
      // A broken pipe tells its stream after it has told the writer.
      if (listening) setImmediate(() => output.off("error", ignore));
    },
  };
};

/** A sink that hands over one piece after the other. */
const inTurn = (write: (bytes: Uint8Array) => Promise<void>, release: () => void): Sink => {
  let last: Promise<void> = Promise.resolve();
  return {
    write(bytes) {
      const done = last.then(() => write(bytes));
      last = done.catch(ignore);
      return done;
    },
    async close() {
      await last;
      release();
    },
  };
};
