// Code of other tools that is linked into a guest, with JavaScript of its own beside it.

import type { Driver } from "./driver.js";

/** What one instance needs of another tool's JavaScript. */
export interface Link {
  /** What the guest imports as `name` from a module that is not Kippu's; undefined when unknown. */
  resolve(from: string, name: string): unknown;
  /** Called once the guest can be called, before anything of it runs. */
  linked(driver: Driver): void;
}

/** Makes the link of one instance; called again for every instance that is made. */
export type Foreign = () => Link | Promise<Link>;
