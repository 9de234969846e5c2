// What a program needs and offers, read from its module without running it.

import { codecOf } from "../codec.js";
import { failOf, KippuError } from "../errors.js";
import type { Numbers } from "../numbers.js";
import { readSchema, type Schema } from "../schema.js";
import { type CodecMaker, readSection } from "../section.js";
import { createStreams } from "../streams.js";
import { type Codec, isStream, type Signature, type Type } from "../types.js";

export interface Program {
  /** The host functions that the module imports, by name. */
  readonly host: readonly Signature[];
  /** The functions that it exports, by name. */
  readonly exports: readonly Signature[];
  /** The modules of the services that it imports, by name. */
  readonly services: readonly string[];
}

/** A codec that remembers what it was made of. */
interface SchemaCodec extends Codec {
  readonly schema: Schema;
}

// The codec is made as well, so that a type which cannot cross is refused here too.
const readTypes: CodecMaker = (cursor) => {
  const schema = readSchema(cursor);
  return Object.assign(codecOf(schema), { schema });
};

/** The schema of a type that has one: not of numbers, strings and bytes as they are. */
export const schemaOf = (type: Type): Schema | undefined => (type as Partial<SchemaCodec>).schema;

/** The type of the items of a stream; undefined for any other type. */
export const itemOf = (type: Type): Type | undefined => (isStream(type) ? type.stream : undefined);

/** Of an array of numbers, the type of each; undefined for any other type. */
export const numbersIn = (type: Type): number | undefined => (type as Partial<Numbers>).numbers;

/**
 * Describes the guest `module`. Throws KippuError with code KIPPU_NOT_A_GUEST when it is none, or
 * when its descriptions are damaged or do not cover what it imports.
 */
export const readProgram = (module: WebAssembly.Module): Program => {
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  if (!exported.has("kippu_abi"))
    throw new KippuError(
      "KIPPU_NOT_A_GUEST",
      "the module was not built with the crate `kippu`: it does not export kippu_abi",
    );
  const [host, exports] = readSection(
    module,
    failOf(module, readTypes),
    readTypes,
    createStreams().type,
  );
  const imports = WebAssembly.Module.imports(module);
  const needed = imports.filter(({ module: from }) => from === "host").map(({ name }) => name);
  const unknown = needed.filter((name) => !host[name]);
  if (unknown.length)
    throw new KippuError(
      "KIPPU_NOT_A_GUEST",
      `the module does not describe the host functions that it imports: ${unknown.join(", ")}; was its custom section \`kippu\` removed?`,
    );
  const services = imports.map(({ module: from }) => from).filter((from) => /^kippu:/.test(from));
  return {
    host: [...new Set(needed)].sort().map((name) => host[name]),
    exports: Object.keys(exports)
      .filter((name) => exported.has(`kippu_export:${name}`))
      .sort()
      .map((name) => exports[name]),
    services: [...new Set(services)].sort(),
  };
};
