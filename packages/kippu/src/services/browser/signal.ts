// kippu:signal on a page: nobody interrupts a page's program.

import type { Context } from "../../call.js";
import { later, service } from "../service.js";

export const noSignals = () =>
  service(
    later(
      "ctrl_c",
      {},
      "()",
      ({ signal }: Context) =>
        // Settles when the guest gives up waiting, so that its ticket is free again.
        new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
    ),
  );
