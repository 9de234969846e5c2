// kippu:signal.

import type { Context } from "../../call.js";
import { later, service } from "../service.js";

export const signals = () =>
  service(
    later(
      "ctrl_c",
      {},
      "()",
      ({ signal }: Context) =>
        new Promise<void>((resolve) => {
          const done = (): void => {
            process.off("SIGINT", done);
            signal.removeEventListener("abort", done);
            resolve();
          };
          process.on("SIGINT", done);
          signal.addEventListener("abort", done);
        }),
    ),
  );
