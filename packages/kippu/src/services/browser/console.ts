// Output to the console of a page, which knows lines only.

import { inTurn, type Sink } from "../sink.js";

/** Gives `log` each line without its end; what is left at the end is a line too. */
export const lines = (log: (line: string) => void): Sink => {
  // Characters may be cut anywhere, and a mark at the beginning is a character like others.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  return inTurn(
    async (bytes) => {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) log(part);
    },
    () => {
      rest += decoder.decode();
      if (rest) log(rest);
      rest = "";
    },
  );
};
