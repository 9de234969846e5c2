// What TypeScript calls the values of a schema. Of what a codec takes this is a part, and of what it
// gives all.

import {
  S_BOOL,
  S_BYTES,
  S_CHAR,
  S_F32,
  S_F64,
  S_I8,
  S_I16,
  S_I32,
  S_I64,
  S_I128,
  S_ISIZE,
  S_NEWTYPE,
  S_OPTION,
  S_SEQ,
  S_STRING,
  S_U8,
  S_U16,
  S_U32,
  S_U64,
  S_U128,
  S_USIZE,
  type Schema,
} from "../schema.js";
import { choice, type Doc, group, indent, join, LINE, layout, list, SOFT } from "./layout.js";
import { property } from "./names.js";

/** Whether JavaScript gets a value from the guest, or gives it one, which it may in more forms. */
export type Direction = "got" | "given";

/** What the values of a type are one of. */
export type Union = readonly Doc[];

/** What types refer to by name. */
export interface Scope {
  /** The name of the declared type that `schema` is, if it is one. */
  nameOf(schema: Schema, direction: Direction): string | undefined;
  /** The name of a helper type. */
  helper(name: HelperName): string;
  /** The name of a type of the package. */
  fromPackage(name: string): string;
}

/** Types that stand in the file for what would be long to write out: parameters, meaning, text. */
export const HELPERS = {
  Awaitable: ["<T>", "An answer at once, or a promise of it.", ["T", "PromiseLike<T>"]],
  Bytes: [
    "",
    "Bytes, or numbers from 0 to 255.",
    ["Uint8Array", "ArrayBuffer", "DataView", "readonly number[]", "ReadonlySet<number>"],
  ],
  Dict: ["<T>", "Values by name.", ["{ readonly [name: string]: T }", "ReadonlyMap<string, T>"]],
  Fixed: ["<T, N extends number>", "An array of N items.", ["T[] & { length: N }"]],
  List: ["<T>", "Items in order.", ["readonly T[]", "ReadonlySet<T>"]],
} as const satisfies Record<string, readonly [string, string, readonly string[]]>;

export type HelperName = keyof typeof HELPERS;

/** Longer arrays of one type are written with their length. */
const LONGEST_TUPLE = 8;

/** What postcard-schema calls arrays; tuples of one type look the same otherwise. */
const ARRAY = "[T; N]";

const LARGE = new Set<number>([S_I64, S_I128, S_U64, S_U128, S_USIZE, S_ISIZE]);

/** The typed array that holds numbers of a kind and no others. */
const TYPED_ARRAYS: Record<number, string> = {
  [S_I8]: "Int8Array",
  [S_U8]: "Uint8Array",
  [S_I16]: "Int16Array",
  [S_U16]: "Uint16Array",
  [S_I32]: "Int32Array",
  [S_U32]: "Uint32Array",
  [S_I64]: "BigInt64Array",
  [S_U64]: "BigUint64Array",
  [S_F32]: "Float32Array",
  [S_F64]: "Float64Array",
};

/** A schema without the newtypes around it. */
const inner = (schema: Schema): Schema =>
  schema.kind === S_NEWTYPE && "item" in schema ? inner(schema.item) : schema;

const typedArray = (item: Schema): Doc[] => {
  const name = TYPED_ARRAYS[inner(item).kind];
  return name ? [name] : [];
};

/** Whether `undefined` may be given for a value of `schema`. */
export const isOptional = (schema: Schema): boolean => inner(schema).kind === S_OPTION;

/** Whether `schema` is that of bytes, which have a codec of their own. */
const isBytes = (schema: Schema): boolean =>
  schema.kind === S_BYTES ||
  (schema.kind === S_SEQ && "item" in schema && schema.item.kind === S_U8);

/** The schemas that `schema` holds. */
export const parts = (schema: Schema): Schema[] => {
  if ("item" in schema) return [schema.item];
  if ("items" in schema) return schema.items;
  if ("key" in schema) return [schema.key, schema.value];
  if ("fields" in schema) return schema.fields.map(([, field]) => field);
  if ("variants" in schema) return schema.variants.flatMap(({ content }) => content ?? []);
  return [];
};

/** Whether JavaScript may give values of `schema` in forms that it never gets. */
export const differs = (schema: Schema): boolean =>
  isOptional(schema) ||
  schema.kind === S_BYTES ||
  schema.kind === S_SEQ ||
  "key" in schema ||
  ("items" in schema &&
    schema.name === ARRAY &&
    schema.items.some((of) => typedArray(of).length)) ||
  parts(schema).some(differs);

/** Several types with `|` between them; broken lines begin with it. */
const oneOf = (union: Union): Doc[] => [choice("", "| "), ...join(union, [LINE, "| "])];

/** `union` behind `before`: on the same line when there is room. */
export const after = (before: Doc, union: Union): Doc =>
  union.length > 1
    ? [before, group(indent(LINE, ...oneOf(union)))]
    : [before, " ", union[0] ?? "never"];

/** `union` as one of several things on lines of their own. */
const item = (union: Union): Doc =>
  union.length > 1 ? group(...oneOf(union)) : (union[0] ?? "never");

const brackets = (open: string, items: readonly Doc[], close: string): Doc =>
  group(open, indent(SOFT, ...join(items, [",", LINE])), SOFT, close);

/** A generic type. */
export const generic = (name: string, ...of: Union[]): Doc =>
  of.length > 1 || of[0].length > 1
    ? brackets(`${name}<`, of.map(item), ">")
    : [name, "<", of[0][0] ?? "never", ">"];

const distinct = (union: Union): Union => [
  ...new Map(union.map((doc) => [layout(doc, Number.POSITIVE_INFINITY), doc])).values(),
];

/** What follows the name of a struct, as separate parts. */
export const fieldDocs = (
  fields: readonly (readonly [string, Schema])[],
  direction: Direction,
  scope: Scope,
): Doc[] =>
  // A name that is there twice is one property.
  [...new Map(fields)].map(([name, schema]) => {
    const mark = direction === "given" && isOptional(schema) ? "?:" : ":";
    return after(property(name) + mark, unionOf(schema, direction, scope));
  });

const object = (members: readonly Doc[]): Doc =>
  members.length
    ? group("{", indent(LINE, ...join(members, [";", LINE])), choice("", ";"), LINE, "}")
    : "object";

/** A Rust array or tuple. */
const tuple = (
  items: readonly Schema[],
  name: string,
  direction: Direction,
  scope: Scope,
): Doc[] => {
  const unions = items.map((of) => unionOf(of, direction, scope));
  const isArray = name === ARRAY && items.length > 0;
  const whole =
    isArray && items.length > LONGEST_TUPLE
      ? generic(scope.helper("Fixed"), unions[0], [String(items.length)])
      : list("[", unions.map(item), "]");
  return [whole, ...(isArray && direction === "given" ? typedArray(items[0]) : [])];
};

/** The type of the values of `schema`, written out even when it has a name. */
export const writeOut = (schema: Schema, direction: Direction, scope: Scope): Union => {
  const given = direction === "given";
  const union = (of: Schema): Union => unionOf(of, direction, scope);
  const { kind } = schema;
  if (isBytes(schema)) return [given ? scope.helper("Bytes") : "Uint8Array<ArrayBuffer>"];
  if (kind === S_BOOL) return ["boolean"];
  if (LARGE.has(kind)) return ["number", "bigint"];
  if (kind < S_CHAR) return ["number"];
  if (kind === S_CHAR || kind === S_STRING) return ["string"];
  if ("item" in schema) {
    if (kind === S_NEWTYPE) return union(schema.item);
    if (kind === S_OPTION)
      return distinct([...union(schema.item), "null", ...(given ? ["undefined"] : [])]);
    const of = union(schema.item);
    if (given) return [generic(scope.helper("List"), of), ...typedArray(schema.item)];
    return [of.length === 1 ? [of[0], "[]"] : [brackets("(", [item(of)], ")"), "[]"]];
  }
  if ("items" in schema) return tuple(schema.items, schema.name, direction, scope);
  if ("key" in schema) {
    const value = union(schema.value);
    if (inner(schema.key).kind === S_STRING)
      return [given ? generic(scope.helper("Dict"), value) : generic("Record", ["string"], value)];
    return [generic(given ? "ReadonlyMap" : "Map", union(schema.key), value)];
  }
  if ("fields" in schema) return [object(fieldDocs(schema.fields, direction, scope))];
  if ("variants" in schema)
    return distinct(
      schema.variants.map(({ name, content }) =>
        content ? object([after(`${property(name)}:`, union(content))]) : JSON.stringify(name),
      ),
    );
  return ["null"];
};

/** The type of the values of `schema`. */
export const unionOf = (schema: Schema, direction: Direction, scope: Scope): Union => {
  const name = scope.nameOf(schema, direction);
  return name ? [name] : writeOut(schema, direction, scope);
};
