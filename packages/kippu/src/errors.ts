// The errors of this package.

import { readSection } from "./section.js";
import { readText } from "./text.js";
import type { Fail, Signature, Type } from "./types.js";
import { TYPE_NAMES } from "./types.js";

/** What every error of this package is; `code` is stable, messages are not. */
export class KippuError extends Error {
  override readonly name: string = "KippuError";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A function that the guest imports and nobody has given. */
export interface MissingFunction {
  readonly module: string;
  readonly name: string;
  /** As in Rust, with the boundary's names for types; undefined when the guest does not tell. */
  readonly signature: string | undefined;
}

/** The guest imports functions that the host does not have. Lists them all. */
export class MissingHostFunctions extends KippuError {
  override readonly name = "MissingHostFunctions";
  constructor(readonly functions: readonly MissingFunction[]) {
    const lines = functions.map(
      ({ module, name, signature }) => `\n  ${module}: ${signature ?? name}`,
    );
    super(
      "KIPPU_MISSING_HOST",
      `the guest needs functions that this host does not have; give those of module "host" as \`host\`:${lines.join("")}`,
    );
  }
}

/** The guest was built for another version of the boundary. */
export class AbiMismatch extends KippuError {
  override readonly name = "AbiMismatch";
  constructor(readonly version: number) {
    super(
      "KIPPU_ABI_MISMATCH",
      `the guest speaks version ${version} of the boundary, this package version 2: use the crate \`kippu\` and the package \`kippu\` of the same release`,
    );
  }
}

/** The guest panicked. */
export class GuestPanic extends KippuError {
  override readonly name = "GuestPanic";
  constructor(
    /** File, line and column in the guest's source. */
    readonly location: string,
    message: string,
  ) {
    super("KIPPU_PANIC", message);
  }
}

/** The guest's memory could not grow. */
export class OutOfMemory extends KippuError {
  override readonly name = "OutOfMemory";
  constructor(
    /** How many bytes were asked for. */
    readonly bytes: number,
  ) {
    super("KIPPU_OOM", `the guest's memory has no room for ${bytes} bytes`);
  }
}

/** The instance has trapped and cannot be used any more; `cause` tells why. */
export class InstanceTrapped extends KippuError {
  override readonly name = "InstanceTrapped";
  constructor(cause: unknown) {
    const why =
      cause instanceof GuestPanic
        ? `panicked at ${cause.location}: ${cause.message}`
        : cause instanceof Error
          ? cause.message
          : String(cause);
    super("KIPPU_TRAPPED", `the instance has trapped: ${why}`, { cause });
  }
}

/** Every task of the program waits for another one: nothing could ever wake it. */
export class WouldDeadlock extends KippuError {
  override readonly name = "WouldDeadlock";
  constructor(message: string) {
    super("KIPPU_DEADLOCK", message);
  }
}

const typeName = (type: Type): string => (typeof type === "number" ? TYPE_NAMES[type] : type.name);

/** A signature as Rust writes it, with the names that the boundary has for types. */
export const showSignature = ([name, isAsync, params, result]: Signature): string => {
  const list = params.map(([param, type]) => `${param}: ${typeName(type)}`).join(", ");
  return `${isAsync ? "async " : ""}fn ${name}(${list}) -> ${typeName(result)}`;
};

/** What `readSection` needs for the types that are more than a byte. */
type SectionTypes =
  Parameters<typeof readSection> extends [unknown, unknown, ...infer T] ? T : never;

/** The `fail` of `instantiate` with the classes of this file; `module` is what is instantiated. */
export const failOf =
  (module: WebAssembly.Module, ...types: SectionTypes): Fail =>
  (code, detail) => {
    switch (code) {
      case "MISSING_HOST": {
        const [entries] = readSection(module, failOf(module, ...types), ...types);
        return new MissingHostFunctions(
          (detail as [string, string][]).map(([from, name]) => ({
            module: from,
            name,
            signature: from === "host" && entries[name] ? showSignature(entries[name]) : undefined,
          })),
        );
      }
      case "ABI_MISMATCH":
        return new AbiMismatch(detail as number);
      case "PANIC": {
        const bytes = detail as Uint8Array;
        const text = readText(bytes, 0, bytes.length);
        const cut = text.indexOf("\0");
        return new GuestPanic(text.slice(0, Math.max(cut, 0)), text.slice(cut + 1));
      }
      case "OOM":
        return new OutOfMemory(detail as number);
      case "TRAPPED":
        return new InstanceTrapped(detail);
      case "SECTION":
        return new KippuError(
          "KIPPU_NOT_A_GUEST",
          `the custom section \`kippu\` is damaged at entry ${JSON.stringify(detail)}`,
        );
      case "NO_MAIN":
        return new KippuError(
          "KIPPU_NO_MAIN",
          "the module has no `main`: it is a library, call its exports",
        );
      case "STARTED":
        return new KippuError("KIPPU_STARTED", "`main` runs once in an instance: make another one");
      case "RESTARTED":
        return new KippuError("KIPPU_RESTARTED", "the instance was restarted");
      case "NO_DUMP":
        return new KippuError(
          "KIPPU_NO_DUMP",
          "the guest was built without the feature `dump` of the crate `kippu`",
        );
      case "DISPOSED":
        return new KippuError("KIPPU_DISPOSED", "the instance was disposed of");
      default:
        return new KippuError(`KIPPU_${code}`, String(detail));
    }
  };
