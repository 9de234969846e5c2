// Codecs of serde types: closures built from a schema once, so that no code is generated and a
// page's Content-Security-Policy needs no exception.

import { integer } from "./integer.js";
import {
  type Field,
  readSchema,
  S_BOOL,
  S_BYTES,
  S_CHAR,
  S_F32,
  S_F64,
  S_ISIZE,
  S_NEWTYPE,
  S_OPTION,
  S_SCHEMA,
  S_STRING,
  S_U8,
  type Schema,
  type Variant,
} from "./schema.js";
import type { Cursor } from "./section.js";
import type { Codec } from "./types.js";
import { wrongType } from "./value.js";
import * as wire from "./wire.js";

/** One type: how its values are written and read. */
export interface Node {
  /** What a value must be, for messages. */
  expected: string;
  /** Writes `v`; false when it does not belong to the type. */
  put(v: unknown): boolean;
  get(): unknown;
}

/** Thrown inside a codec: what was expected, what came, and where from the inside out. */
class Mismatch {
  readonly path: string[] = [];
  constructor(
    readonly expected: string,
    readonly value: unknown,
  ) {}
}

/** Writes `v` as `node`, or throws a Mismatch. */
const put = (node: Node, v: unknown): void => {
  if (!node.put(v)) throw new Mismatch(node.expected, v);
};

/** `put` for what stands at `step` of a larger value. */
const putAt = (node: Node, v: unknown, step: (key: unknown) => string, key: unknown): void => {
  try {
    if (!node.put(v)) throw new Mismatch(node.expected, v);
  } catch (e) {
    if (e instanceof Mismatch) e.path.push(step(key));
    throw e;
  }
};

const dot = (key: unknown): string => `.${key}`;
const bracket = (key: unknown): string =>
  `[${typeof key === "string" ? JSON.stringify(key) : key}]`;

const boolean: Node = {
  expected: "bool",
  put: (v) => (typeof v === "boolean" ? wire.ok(wire.putByte(+v)) : false),
  get: () => wire.getByte() !== 0,
};
const f32: Node = {
  expected: "f32",
  put: (v) => (typeof v === "number" ? wire.ok(wire.putF32(v)) : false),
  get: wire.getF32,
};
const f64: Node = {
  expected: "f64",
  put: (v) => (typeof v === "number" ? wire.ok(wire.putF64(v)) : false),
  get: wire.getF64,
};
const string: Node = {
  expected: "string",
  put: (v) => (typeof v === "string" ? wire.ok(wire.putString(v)) : false),
  get: wire.getString,
};
const char: Node = {
  expected: "char (a string of one code point)",
  put: (v) => {
    // One code point that is no surrogate alone: Rust has no such char.
    return typeof v === "string" && /^\P{Surrogate}$/su.test(v)
      ? wire.ok(wire.putString(v))
      : false;
  },
  get: wire.getString,
};
const bytes: Node = {
  expected: "bytes",
  put: (v) => {
    if (v instanceof Uint8Array) return wire.ok(wire.putBytes(v));
    if (v instanceof ArrayBuffer) return wire.ok(wire.putBytes(new Uint8Array(v)));
    if (v instanceof DataView)
      return wire.ok(wire.putBytes(new Uint8Array(v.buffer, v.byteOffset, v.byteLength)));
    return octets.put(v);
  },
  get: wire.getBytes,
};
const unit: Node = { expected: "null", put: () => true, get: () => null };

const isList = (v: unknown): v is ArrayLike<unknown> =>
  Array.isArray(v) || (ArrayBuffer.isView(v) && !(v instanceof DataView));

const seq = (item: Node): Node => ({
  expected: "array",
  put: (v) => {
    const list = v instanceof Set ? [...v] : v;
    if (!isList(list)) return false;
    wire.putVarint(list.length);
    for (let i = 0; i < list.length; i++) putAt(item, list[i], bracket, i);
    return true;
  },
  get: () => {
    const list: unknown[] = [];
    for (let n = wire.getVarint(); n > 0; n--) {
      wire.need(0);
      list.push(item.get());
    }
    return list;
  },
});
const octets = seq(integer(S_U8));

const tuple = (items: Node[]): Node => ({
  expected: `array of ${items.length}`,
  put: (v) => {
    if (!isList(v) || v.length !== items.length) return false;
    for (let i = 0; i < items.length; i++) putAt(items[i], v[i], bracket, i);
    return true;
  },
  get: () => items.map((item) => item.get()),
});

const option = (item: Node): Node => ({
  expected: `${item.expected} or null`,
  put: (v) => {
    const some = v !== null && v !== undefined;
    wire.putByte(+some);
    if (some) put(item, v);
    return true;
  },
  get: () => (wire.getByte() ? item.get() : null),
});

/** Sets a property that the guest names, `__proto__` included. */
const setOwn = (object: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === "__proto__")
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  else object[key] = value;
};

const struct = (name: string, fields: Field[]): Node => {
  const nodes = fields.map(([, schema]) => nodeOf(schema));
  const names = fields.map(([field]) => field);
  const inherited = names.map((name) => name in Object.prototype);
  return {
    expected: `object (${name})`,
    put: (v) => {
      if (typeof v !== "object" || v === null) return false;
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        // What every object has, such as `toString`, was not given as a field.
        const given = !inherited[i] || Object.hasOwn(v, name);
        putAt(nodes[i], given ? (v as Record<string, unknown>)[name] : undefined, dot, name);
      }
      return true;
    },
    get: () => {
      const object: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) setOwn(object, names[i], nodes[i].get());
      return object;
    },
  };
};

const map = (key: Node, value: Node): Node => ({
  expected: key === string ? "object or Map" : "Map",
  put: (v) => {
    const entries =
      v instanceof Map
        ? [...v]
        : key === string && typeof v === "object" && v !== null
          ? Object.entries(v)
          : undefined;
    if (!entries) return false;
    wire.putVarint(entries.length);
    for (const [k, item] of entries) {
      putAt(key, k, (of) => ` key ${of}`, k);
      putAt(value, item, bracket, k);
    }
    return true;
  },
  get: () => {
    const object: Record<string, unknown> = {};
    const entries = new Map<unknown, unknown>();
    for (let n = wire.getVarint(); n > 0; n--) {
      wire.need(0);
      const k = key.get();
      if (key === string) setOwn(object, k as string, value.get());
      else entries.set(k, value.get());
    }
    return key === string ? object : entries;
  },
});

const enumeration = (type: string, variants: Variant[]): Node => {
  const nodes = variants.map(({ content }) => content && nodeOf(content));
  const indices = new Map(variants.map(({ name }, i) => [name, i]));
  return {
    expected: `${type} (one of ${variants.map(({ name }) => name).join(", ")})`,
    put: (v) => {
      let key = v;
      if (typeof v === "object" && v !== null) {
        const keys = Object.keys(v);
        if (keys.length !== 1) return false;
        key = keys[0];
      }
      const index = indices.get(key as string);
      if (index === undefined) return false;
      const node = nodes[index];
      // A unit variant is a string, every other one an object.
      if ((key === v) === !!node) return false;
      wire.putVarint(index);
      if (node) putAt(node, (v as Record<string, unknown>)[key as string], dot, key);
      return true;
    },
    get: () => {
      const index = wire.getVarint();
      if (index >= variants.length)
        throw new RangeError(`postcard: ${type} has no variant ${index}`);
      const { name } = variants[index];
      const node = nodes[index];
      if (!node) return name;
      const object: Record<string, unknown> = {};
      setOwn(object, name, node.get());
      return object;
    },
  };
};

const nodeOf = (schema: Schema): Node => {
  const { kind } = schema;
  if (kind === S_BOOL) return boolean;
  if (kind <= S_ISIZE) return integer(kind);
  if (kind === S_F32) return f32;
  if (kind === S_F64) return f64;
  if (kind === S_CHAR) return char;
  if (kind === S_STRING) return string;
  if (kind === S_BYTES) return bytes;
  if ("item" in schema) {
    if (kind === S_OPTION) return option(nodeOf(schema.item));
    if (kind === S_NEWTYPE) return nodeOf(schema.item);
    return schema.item.kind === S_U8 ? bytes : seq(nodeOf(schema.item));
  }
  if ("items" in schema) return tuple(schema.items.map(nodeOf));
  if ("key" in schema) return map(nodeOf(schema.key), nodeOf(schema.value));
  if ("fields" in schema) return struct(schema.name, schema.fields);
  if ("variants" in schema) return enumeration(schema.name, schema.variants);
  if (kind === S_SCHEMA) throw new SyntaxError(`values of type ${schema.name} cannot cross`);
  return unit;
};

/** The codec of values of `schema`. */
export const codecOf = (schema: Schema): Codec => {
  const node = nodeOf(schema);
  return {
    name: schema.name,
    encode(value, where) {
      try {
        return wire.written(() => put(node, value));
      } catch (e) {
        if (e instanceof Mismatch)
          throw wrongType(where + e.path.reverse().join(""), e.expected, e.value);
        throw e;
      }
    },
    decode: (u8, at, len) => wire.read(u8, at, len, node.get),
  };
};

/** The codec of the schema at the cursor, which moves behind it. */
export const readCodec = (cursor: Cursor): Codec => codecOf(readSchema(cursor));
