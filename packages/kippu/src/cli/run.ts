// `kippu run`.

import { run as runProgram } from "../node.js";
import { Failure, type Output, reason, UsageError } from "./command.js";
import { RUN_HELP } from "./text.js";

/** Runs the program and gives its exit code. */
export const run = async (args: string[], output: Output): Promise<number> => {
  const [first, ...rest] = args;
  if (first === "-h" || first === "--help") {
    await output.out(RUN_HELP);
    return 0;
  }
  const [file, ...own] = first === "--" ? rest : args;
  if (file === undefined) throw new UsageError("expected a file");
  if (first !== "--" && file.startsWith("-")) throw new UsageError(`unknown option ${file}`);
  try {
    return await runProgram(file, { args: own });
  } catch (e) {
    throw new Failure(`${file}: ${reason(e)}`);
  }
};
