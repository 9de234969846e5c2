// kippu:random, for every engine.

import { service, sync } from "./service.js";

/** How many bytes the engine gives at once. */
const MOST = 65536;

export const random = () =>
  service(
    sync("bytes", { len: "u32" }, "bytes", (len: number) => {
      const bytes = new Uint8Array(len);
      for (let at = 0; at < len; at += MOST) crypto.getRandomValues(bytes.subarray(at, at + MOST));
      return bytes;
    }),
  );
