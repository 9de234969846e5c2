// Random schemas, and JavaScript values of them as text: written after the boundary's page, not after
// the code that is tested.

/** Numbers that look random, the same for the same seed. */
export const random = (seed) => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return {
    below,
    chance: (p) => next() < p,
    pick: (list) => list[below(list.length)],
    times: (n, f) => Array.from({ length: n }, (_, i) => f(i)),
  };
};

const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >>> 7)] : [n]);
const text = (s) => {
  const bytes = new TextEncoder().encode(s);
  return [...varint(bytes.length), ...bytes];
};
const listOf = (items, f) => [...varint(items.length), ...items.flatMap(f)];
const field = ([name, schema]) => [...text(name), ...encodeSchema(schema)];

// The order of postcard-schema's `DataModelType`.
const KINDS =
  "bool i8 u8 i16 i32 i64 i128 u16 u32 u64 u128 usize isize f32 f64 char string bytes option unit unitStruct newtype seq tuple tupleStruct map struct enum".split(
    " ",
  );
const SCALARS = KINDS.slice(0, 17);

/** A schema `{ name, kind, of?, fields?, variants? }` as the custom section has it. */
export const encodeSchema = ({ name, kind, of = [], fields, variants }) => {
  const head = [...text(name), KINDS.indexOf(kind)];
  if (kind === "struct") return [...head, ...listOf(fields, field)];
  if (kind === "enum")
    return [
      ...head,
      ...listOf(variants, ({ name, form, of, fields }) => [
        ...text(name),
        form,
        ...(form === 1 ? encodeSchema(of[0]) : []),
        ...(form === 2 ? listOf(of, encodeSchema) : []),
        ...(form === 3 ? listOf(fields, field) : []),
      ]),
    ];
  if (kind === "tuple" || kind === "tupleStruct") return [...head, ...listOf(of, encodeSchema)];
  return [...head, ...of.flatMap(encodeSchema)];
};

const TYPE_NAMES =
  "A B AInput Map Host Exports List Dict Bytes Fixed Awaitable Record string Context Promise Größe".split(
    " ",
  );
const MEMBER_NAMES =
  'a b c name type class new constructor toString a-b 1 __proto__ r#type ünï * */ " \\ $ _ length'.split(
    " ",
  );

const members = (r, n, make) => {
  const names = new Set(r.times(n, () => r.pick(MEMBER_NAMES)));
  return [...names].map(make);
};

/** A random schema. Every type has values. */
export const randomSchema = (r, depth = 3) => {
  const kind = depth > 0 && r.chance(0.75) ? r.pick(KINDS.slice(17)) : r.pick(SCALARS);
  const some = () => randomSchema(r, depth - 1);
  const name = r.pick(TYPE_NAMES);
  switch (kind) {
    case "option":
      return { name: "Option<T>", kind, of: [some()] };
    case "newtype":
      return { name, kind, of: [some()] };
    case "seq":
      return { name: r.pick(["Vec<T>", "BTreeSet<K>", "[T]"]), kind, of: [some()] };
    case "map": {
      const key = r.chance(0.5) ? { name: "String", kind: "string" } : randomSchema(r, 1);
      return { name: "BTreeMap<K, V>", kind, of: [key, some()] };
    }
    case "tuple": {
      if (r.chance(0.5)) return { name: "(A, B)", kind, of: r.times(r.below(4), some) };
      const item = r.chance(0.6) ? { name: "n", kind: r.pick(SCALARS.slice(1, 15)) } : some();
      return { name: "[T; N]", kind, of: Array(r.pick([0, 1, 3, 8, 9, 20])).fill(item) };
    }
    case "tupleStruct":
      return { name, kind, of: r.times(2 + r.below(3), some) };
    case "struct":
      return {
        name: r.chance(0.1) ? "Range<T>" : name,
        kind,
        fields: members(r, r.below(5), (n) => [n, some()]),
      };
    case "enum":
      return {
        name: r.chance(0.1) ? "Result<T, E>" : name,
        kind,
        variants: members(r, 1 + r.below(4), (name) => {
          const form = r.below(4);
          return {
            name,
            form,
            of: r.times(form === 1 ? 1 : r.below(3), some),
            fields: members(r, r.below(3), (n) => [n, some()]),
          };
        }),
      };
    case "unitStruct":
      return { name, kind };
    default:
      return { name: kind, kind };
  }
};

const BITS = { i8: 8, u8: 8, i16: 16, u16: 16, i32: 32, u32: 32, i64: 64, u64: 64 };
const LARGE_BITS = { ...BITS, i128: 128, u128: 128, usize: 64, isize: 64 };
const TYPED = {
  i8: "Int8Array",
  u8: "Uint8Array",
  i16: "Int16Array",
  u16: "Uint16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  i64: "BigInt64Array",
  u64: "BigUint64Array",
  f32: "Float32Array",
  f64: "Float64Array",
};
const TEXTS = ["", "a", "ünï🦀", '"\\\n', "__proto__", "\u0000\u2028", "x".repeat(60)];

const integer = (r, kind, forceBig) => {
  const bits = BigInt(LARGE_BITS[kind]);
  const signed = kind[0] === "i";
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  const value = r.pick([low, high, 0n, 1n, BigInt(r.below(100)), low / 3n, high / 5n]);
  if (bits <= 32n) return `${value}`;
  const safe = value >= -(2n ** 53n) && value < 2n ** 53n && Number.isSafeInteger(Number(value));
  return !forceBig && safe && r.chance(0.6) ? `${value}` : `${value}n`;
};

/** A string on one line, also to those who count U+2028 as the end of one. */
const quote = (s) => JSON.stringify(s).replaceAll("\u2028", "\\u2028");

const key = (name) => (name === "__proto__" ? '["__proto__"]' : quote(name));
const object = (entries) =>
  `{ ${[...entries].map(([name, v]) => `${key(name)}: ${v}`).join(", ")} }`;

/** What the newtypes around a schema hold. */
const inner = (schema) => (schema.kind === "newtype" ? inner(schema.of[0]) : schema);

// TypeScript infers types of simple entries only. Of others it is told not to try, by what is a
// comment to JavaScript: see `typed`.
const collection = (name, any, entries, write) => {
  const isSimple = entries.length < 2 && !/[[{(]/.test(entries.join());
  return `new ${name}${isSimple ? "" : `/*${any}*/`}([${entries.map(write).join(", ")}])`;
};
const setOf = (items) => collection("Set", "<any>", items, (item) => item);
const mapOf = (pairs) => collection("Map", "<any, any>", pairs, (pair) => `[${pair.join(", ")}]`);

/** The text of values as TypeScript shall read it. */
export const typed = (text) => text.replace(/\/\*(<any.*?>)\*\//g, "$1");

/**
 * Text of a random value that JavaScript may give for `schema`. `leaf` is called for each value that
 * holds no other; what it gives, if anything, stands there instead.
 */
export const randomValue = (r, schema, leaf = () => undefined) => {
  const { kind, of = [] } = schema;
  // What is wrong would not be found where TypeScript does not look.
  const hidden = (schema) => randomValue(r, schema);
  const value = (schema) => randomValue(r, schema, leaf);
  const entries = (fields) =>
    fields
      // To TypeScript every object has a `toString`, and one that is none of an optional type.
      .map(([name, schema]) => [
        name,
        value(schema),
        inner(schema).kind === "option" && !(name in Object.prototype),
      ])
      .filter(([, v, optional]) => !(optional && v === "undefined" && r.chance(0.5)));
  const typedArray = (n) => {
    const { kind } = inner(of[0]);
    const items = r.times(n, () => (LARGE_BITS[kind] ? integer(r, kind, true) : "0.5"));
    return `new ${TYPED[kind]}([${items.join(", ")}])`;
  };
  const octets = () => r.times(r.below(4), () => r.below(256)).join(", ");
  switch (kind) {
    case "newtype":
      return value(of[0]);
    case "option":
      return r.pick([() => "null", () => "undefined", () => value(of[0]), () => value(of[0])])();
    case "seq": {
      if (of[0].kind === "u8") break;
      if (TYPED[inner(of[0]).kind] && r.chance(0.3)) return typedArray(r.below(4));
      const n = r.below(4);
      if (r.chance(0.3)) return setOf(r.times(n, () => hidden(of[0])));
      return `[${r.times(n, () => value(of[0])).join(", ")}]`;
    }
    case "tuple":
    case "tupleStruct":
      if (schema.name === "[T; N]" && of.length && TYPED[inner(of[0]).kind] && r.chance(0.4))
        return typedArray(of.length);
      return `[${of.map(value).join(", ")}]`;
    case "map": {
      const n = r.below(3);
      if (inner(of[0]).kind === "string" && r.chance(0.6))
        return object(new Map(r.times(n, () => [r.pick(TEXTS), value(of[1])])));
      return mapOf(r.times(n, () => [hidden(of[0]), hidden(of[1])]));
    }
    case "struct":
      return object(entries(schema.fields));
    case "enum": {
      const { name, form, of, fields } = r.pick(schema.variants);
      if (form === 0) return leaf() ?? quote(name);
      // postcard-schema's `Result` has tuples of one, which are no arrays.
      const content =
        form === 3
          ? object(entries(fields))
          : of.length === 1
            ? value(of[0])
            : `[${of.map(value).join(", ")}]`;
      return object([[name, content]]);
    }
  }
  const given = leaf();
  if (given !== undefined) return given;
  if (LARGE_BITS[kind]) return integer(r, kind);
  switch (kind) {
    case "bool":
      return r.pick(["true", "false"]);
    case "f32":
    case "f64":
      return r.pick(["0", "-0", "1.5", "NaN", "-Infinity", "1e300"]);
    case "char":
      return quote(r.pick(["a", "🦀", "\u0000", "\uffff"]));
    case "string":
      return quote(r.pick(TEXTS));
    case "bytes":
    case "seq":
      return r.pick([
        () => `new Uint8Array([${octets()}])`,
        () => `new Uint8Array([${octets()}]).buffer`,
        () => `new DataView(new ArrayBuffer(${r.below(4)}))`,
        () => `[${octets()}]`,
        () => `new Set([${octets()}])`,
      ])();
    default:
      return "null";
  }
};

/** Text of a value that was decoded. */
export const literal = (v) => {
  if (typeof v === "bigint") return `${v}n`;
  if (typeof v === "number") return Object.is(v, -0) ? "-0" : `${v}`;
  if (typeof v !== "object" || v === null) return quote(v);
  if (v instanceof Uint8Array) return `new Uint8Array([${v}])`;
  if (Array.isArray(v)) return `[${v.map(literal).join(", ")}]`;
  if (v instanceof Map) return mapOf([...v].map((pair) => pair.map(literal)));
  return object(Object.entries(v).map(([name, item]) => [name, literal(item)]));
};
