// Where standard output and standard error go in Node, Bun and Deno.

import type { Writable } from "node:stream";
import { type Sink, sinkOf as sinkOfWeb, type Output as WebOutput } from "../sink.js";

/** A stream of Node or the web, or a function that takes the bytes. */
export type Output = Writable | WebOutput;

/** Without a listener the error of a closed pipe would end the process. */
const ignore = (): void => {};

export const sinkOf = (output: Output): Sink => {
  if (typeof output === "function" || "getWriter" in output) return sinkOfWeb(output);
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
