// The types of a program that are declared by name in its file, and which names they get.

import {
  S_ENUM,
  S_NEWTYPE,
  S_STRUCT,
  S_TUPLE_STRUCT,
  S_UNIT_STRUCT,
  type Schema,
} from "../schema.js";
import type { Type } from "../types.js";
import { createNames, isIdentifier } from "./names.js";
import { itemOf, type Program, schemaOf } from "./program.js";
import { type Direction, differs, HELPERS, type HelperName, parts, type Scope } from "./shapes.js";

/** The direction of parameters, and that of the result. */
export const HOST: readonly [Direction, Direction] = ["got", "given"];
export const EXPORTS: readonly [Direction, Direction] = ["given", "got"];

const NAMED = new Set<number>([S_STRUCT, S_ENUM, S_TUPLE_STRUCT, S_NEWTYPE, S_UNIT_STRUCT]);

interface Declared {
  readonly schema: Schema;
  readonly directions: Set<Direction>;
  name: string;
  /** The name of what is given, which is another type. */
  input?: string;
}

const keyOf = (schema: Schema): string => JSON.stringify(schema);

// Of a `Box<T>` or `Cow<T>` only the content tells what T is.
const contentKey = (schema: Schema): string => keyOf({ ...schema, name: "" });
const isWrapper = ({ name }: Schema): boolean => /^(Box|Cow)<.*>$/.test(name);

const roots = (program: Program): [Schema, Direction][] => {
  const found: [Schema, Direction][] = [];
  const add = (type: Type, direction: Direction): void => {
    const item = itemOf(type);
    const schema = schemaOf(type);
    if (item !== undefined) add(item, direction);
    else if (schema) found.push([schema, direction]);
  };
  for (const [signatures, [taken, result]] of [
    [program.host, HOST],
    [program.exports, EXPORTS],
  ] as const)
    for (const [, , params, type] of signatures) {
      for (const [, param] of params) add(param, taken);
      add(type, result);
    }
  return found;
};

/** By key, every type of the program that has a name which TypeScript can have, too. */
const collect = (program: Program): Map<string, Declared> => {
  const found = new Map<string, Declared>();
  const byContent = new Map<string, Declared>();
  const all = roots(program);
  const visit = (schema: Schema, variant?: string): void => {
    const key = keyOf(schema);
    if (found.has(key)) return;
    // The fields of a variant look like a struct with the variant's name.
    const isVariant = schema.kind === S_STRUCT && schema.name === variant;
    if (NAMED.has(schema.kind) && isIdentifier(schema.name) && !isVariant) {
      const declared = { schema, directions: new Set<Direction>(), name: schema.name };
      found.set(key, declared);
      byContent.set(contentKey(schema), declared);
    }
    if ("variants" in schema)
      for (const { name, content } of schema.variants) content && visit(content, name);
    else for (const part of parts(schema)) visit(part);
  };
  for (const [schema] of all) visit(schema);

  const use = (schema: Schema, direction: Direction): void => {
    const wrapped = isWrapper(schema) && byContent.get(contentKey(schema));
    if (wrapped) found.set(keyOf(schema), wrapped);
    found.get(keyOf(schema))?.directions.add(direction);
    for (const part of parts(schema)) use(part, direction);
  };
  for (const [schema, direction] of all) use(schema, direction);
  return found;
};

/** A type to be declared. */
export interface Declaration {
  readonly name: string;
  readonly schema: Schema;
  readonly direction: Direction;
  /** The name of what is got, when this is what may be given for it. */
  readonly inputOf?: string;
}

/** The declared types of a program, and the scope in which its functions are written. */
export interface Declarations extends Scope {
  /** By name. */
  readonly types: readonly Declaration[];
  /** The helpers that were asked for until now, by name: what each is called. */
  helpers(): [HelperName, string][];
  /** The types of the package that were asked for until now, by name. */
  imports(): string[];
}

export const declarationsOf = (program: Program): Declarations => {
  const declared = collect(program);
  const distinct = [...new Set(declared.values())];
  const unique = createNames();
  for (const type of distinct) type.name = unique(type.schema.name);
  const types: Declaration[] = [];
  for (const type of distinct) {
    const { schema, directions, name } = type;
    const twofold = directions.size > 1 && differs(schema);
    if (twofold) {
      type.input = unique(`${name}Input`);
      types.push({ name: type.input, schema, direction: "given", inputOf: name });
    }
    types.push({ name, schema, direction: directions.has("got") ? "got" : "given" });
  }
  types.sort((a, b) => (a.name < b.name ? -1 : 1));

  const helpers = new Map<HelperName, string>();
  const imported = new Set<string>();
  return {
    types,
    nameOf(schema, direction) {
      const type = declared.get(keyOf(schema));
      return direction === "given" ? (type?.input ?? type?.name) : type?.name;
    },
    helper(name) {
      const known = helpers.get(name) ?? unique(name);
      helpers.set(name, known);
      return known;
    },
    helpers: () =>
      (Object.keys(HELPERS) as HelperName[]).flatMap((name) => {
        const known = helpers.get(name);
        return known ? [[name, known]] : [];
      }),
    fromPackage(name) {
      imported.add(name);
      return name;
    },
    imports: () => [...imported].sort(),
  };
};
