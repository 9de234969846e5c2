// The schema of a serde type: postcard-schema's `NamedType`, as the custom section carries it.

import { type Cursor, readString, readVarint } from "./section.js";

// The numbers are the order of the variants of postcard-schema's `DataModelType`.
export const S_BOOL = 0;
export const S_I8 = 1;
export const S_U8 = 2;
export const S_I16 = 3;
export const S_I32 = 4;
export const S_I64 = 5;
export const S_I128 = 6;
export const S_U16 = 7;
export const S_U32 = 8;
export const S_U64 = 9;
export const S_U128 = 10;
export const S_USIZE = 11;
export const S_ISIZE = 12;
export const S_F32 = 13;
export const S_F64 = 14;
export const S_CHAR = 15;
export const S_STRING = 16;
export const S_BYTES = 17;
export const S_OPTION = 18;
export const S_UNIT = 19;
export const S_UNIT_STRUCT = 20;
export const S_NEWTYPE = 21;
export const S_SEQ = 22;
export const S_TUPLE = 23;
export const S_TUPLE_STRUCT = 24;
export const S_MAP = 25;
export const S_STRUCT = 26;
export const S_ENUM = 27;
export const S_SCHEMA = 28;

/** The Rust names of the kinds that hold no other type. */
export const SCALAR_NAMES =
  "bool i8 u8 i16 i32 i64 i128 u16 u32 u64 u128 usize isize f32 f64 char String &[u8]".split(" ");

/** One of the scalar kinds, or one that holds other types. */
export type Schema =
  | { name: string; kind: number }
  | { name: string; kind: typeof S_OPTION | typeof S_NEWTYPE | typeof S_SEQ; item: Schema }
  | { name: string; kind: typeof S_TUPLE | typeof S_TUPLE_STRUCT; items: Schema[] }
  | { name: string; kind: typeof S_MAP; key: Schema; value: Schema }
  | { name: string; kind: typeof S_STRUCT; fields: Field[] }
  | { name: string; kind: typeof S_ENUM; variants: Variant[] };

export type Field = [name: string, schema: Schema];

/** `content` is undefined for a unit variant. */
export interface Variant {
  name: string;
  content: Schema | undefined;
}

/** Reads a `NamedType`. Throws SyntaxError when it is none. */
export const readSchema = (c: Cursor): Schema => {
  const name = readString(c);
  const kind = readVarint(c);
  // A damaged count must not make this run on: every item takes a byte at least.
  const list = <T>(item: () => T): T[] => {
    const items: T[] = [];
    for (let n = readVarint(c); n > 0; n--) {
      if (c[1] >= c[0].length) throw new SyntaxError(`the schema of ${name} ends too early`);
      items.push(item());
    }
    return items;
  };
  const one = (): Schema => readSchema(c);
  const field = (): Field => [readString(c), one()];
  const variant = (): Variant => {
    const name = readString(c);
    const form = readVarint(c);
    if (form === 0) return { name, content: undefined };
    if (form === 1) return { name, content: one() };
    if (form === 3) return { name, content: { name, kind: S_STRUCT, fields: list(field) } };
    if (form !== 2) throw new SyntaxError(`the schema of variant ${name} is damaged`);
    const items = list(one);
    // postcard-schema describes `Result` so; serde sees a newtype variant there.
    if (items.length === 1) return { name, content: items[0] };
    return { name, content: { name, kind: S_TUPLE, items } };
  };
  if (kind <= S_BYTES || kind === S_UNIT || kind === S_UNIT_STRUCT || kind === S_SCHEMA)
    return { name, kind };
  if (kind === S_OPTION || kind === S_NEWTYPE || kind === S_SEQ) return { name, kind, item: one() };
  if (kind === S_TUPLE || kind === S_TUPLE_STRUCT) return { name, kind, items: list(one) };
  if (kind === S_MAP) return { name, kind, key: one(), value: one() };
  if (kind === S_STRUCT) return { name, kind, fields: list(field) };
  if (kind === S_ENUM) return { name, kind, variants: list(variant) };
  throw new SyntaxError(`the schema of ${name} has the unknown kind ${kind}`);
};

// Schemas written in TypeScript, for the services.
export const U8: Schema = { name: "u8", kind: S_U8 };
export const U16: Schema = { name: "u16", kind: S_U16 };
export const U32: Schema = { name: "u32", kind: S_U32 };
export const F64: Schema = { name: "f64", kind: S_F64 };
export const STRING: Schema = { name: "String", kind: S_STRING };
export const seq = (item: Schema): Schema => ({ name: "Vec<T>", kind: S_SEQ, item });
export const option = (item: Schema): Schema => ({ name: "Option<T>", kind: S_OPTION, item });
export const tuple = (...items: Schema[]): Schema => ({ name: "(A, B)", kind: S_TUPLE, items });
export const struct = (name: string, fields: Record<string, Schema>): Schema => ({
  name,
  kind: S_STRUCT,
  fields: Object.entries(fields),
});
