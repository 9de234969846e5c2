// What the commands have in common.

import { KippuError } from "../errors.js";

/** Where a command writes to; the streams of the process, or a test's. */
export interface Output {
  /** Settles when the text is written. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
}

/** The command line asks for something that there is not. */
export class UsageError extends Error {}

/** The command could not be done; the message is all that a user needs. */
export class Failure extends Error {}

const SYSTEM: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ENOSPC: "no space is left",
  EROFS: "the file system is read-only",
};

/** What went wrong, in a few words; what is not an error of the system or the package is thrown on. */
export const reason = (e: unknown): string => {
  const { code, message } = e as NodeJS.ErrnoException;
  if (e instanceof KippuError || e instanceof WebAssembly.CompileError) return message;
  if (typeof code === "string" && "syscall" in (e as object)) return SYSTEM[code] ?? message;
  throw e;
};
