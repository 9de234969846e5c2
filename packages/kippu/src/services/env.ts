// kippu:env, for every engine.

import { option, STRING, seq, tuple } from "../schema.js";
import { service, sync } from "./service.js";

export const env = (
  args: readonly string[],
  vars: Record<string, string | undefined>,
  cwd: () => string,
) =>
  service(
    sync("args", {}, seq(STRING), () => args),
    sync("var", { name: "string" }, option(STRING), (name: string) =>
      Object.hasOwn(vars, name) ? vars[name] : null,
    ),
    sync("vars", {}, seq(tuple(STRING, STRING)), () =>
      Object.entries(vars).filter(([, value]) => value !== undefined),
    ),
    sync("current_dir", {}, "string", cwd),
  );
