// Where standard output and standard error go, for every engine.

/** A stream of the web, or a function that takes the bytes. */
export type Output = WritableStream<Uint8Array> | ((bytes: Uint8Array) => void | Promise<void>);

export interface Sink {
  /** Writes `bytes`, which must stay as they are, behind what was written before. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until all is written, and lets go of the stream. */
  close(): Promise<void>;
}

const ignore = (): void => {};

export const sinkOf = (output: Output): Sink => {
  if (typeof output === "function") return inTurn(async (bytes) => output(bytes), ignore);
  const writer = output.getWriter();
  return inTurn(
    (bytes) => writer.write(bytes),
    () => writer.releaseLock(),
  );
};

/** A sink that hands over one piece after the other, and calls `release` at the end. */
export const inTurn = (
  write: (bytes: Uint8Array) => Promise<void>,
  release: () => void | Promise<void>,
): Sink => {
  let last: Promise<void> = Promise.resolve();
  return {
    write(bytes) {
      const done = last.then(() => write(bytes));
      last = done.catch(ignore);
      return done;
    },
    async close() {
      await last;
      await release();
    },
  };
};
