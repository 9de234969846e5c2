// The host functions of the conformance guest, for every JavaScript host: they do what the bodies of
// the guest's `#[kippu::host]` functions do natively. Nothing here needs more than a page has.

const later = (x) => new Promise((resolve) => setTimeout(resolve, 0, x));
const echo = (x) => x;
// Bytes are lent during the call only, so what is kept must be copied.
const echoLater = async (x) => {
  const kept = x instanceof Uint8Array ? x.slice() : x;
  await null;
  return kept;
};
const rangeError = (message) => Object.assign(new RangeError(message), { code: "E_TEST" });

class MyError extends Error {
  name = "MyError";
  code = "E_MINE";
}

/** What can be thrown. */
const THROWN = [
  () => "a text",
  () => undefined,
  () => null,
  () => 42,
  () => ({ name: "N", message: "m", code: 7 }),
  () => new TypeError("t"),
  () => new DOMException("aborted", "AbortError"),
  () => new AggregateError([], "many"),
  () => ({
    get message() {
      throw new Error("no message");
    },
  }),
  () => new Error(),
  () => Object.assign(new Error("without a name"), { name: "" }),
  () => new Error("zu weit 🎫\0end"),
  () => Symbol("s"),
  () => new MyError("of a class"),
  () => Object.freeze(new Error("frozen")),
];

/** What belongs where the guest expects a `Structs`. */
const structs = {
  unit: null,
  nothing: {},
  newtype: 1.5,
  nested: [],
  pair: [1, "x"],
  none: null,
};

/** What does not, each by one thing. */
const MISFITS = [
  undefined,
  null,
  "structs",
  17,
  [],
  {},
  { ...structs, nothing: null },
  { ...structs, newtype: "1.5" },
  { ...structs, nested: {} },
  { ...structs, nested: [1, true] },
  { ...structs, pair: [1] },
  { ...structs, pair: [32_768, "x"] },
];

/** After so many bytes the pattern of `made_bytes` begins again. */
const BLOCK = 4093;

/** Surrogates alone, which UTF-8 does not have. */
const LONE = ["\ud800", "a\udc00b", "\udc00\ud800", "🎫\ud83c", "\udfab🎫", "\udbff"];

/** The functions, with state of their own: one object for each run of the guest. */
export function createHost() {
  let cancelled = 0;
  let operations = 0;
  return {
    // Of the guest's exports, which the cases do not call.
    ask: async (question) => question,
    call_back: (depth) => depth,
    refund: (ticket) => ticket,
    add: (a, b) => a + b,
    double_later: async (x) => 2 * (await later(x)),
    double_now: (x) => 2 * x,
    after: (ms, x) => new Promise((resolve) => setTimeout(resolve, ms, x)),
    fails: async (message) => {
      throw rangeError(message);
    },
    fails_now: (message) => {
      throw rangeError(message);
    },
    gives_a_string: async () => "12",
    gives_256: async () => 256,
    nothing: () => {},
    nothing_later: async () => "ignored",
    mixed: async (...all) =>
      all.map((x) => (x === null ? "null" : String(x))).join("|"),
    function: (...all) => all.reduce((sum, x) => sum + x),
    aName$OfIts0wn: (x) => -x,
    // biome-ignore lint/suspicious/noThenProperty: it is what this is about
    thenable: (x) => ({ then: (resolve) => queueMicrotask(() => resolve(x)) }),
    either_way: (x) => (x % 2 ? Promise.resolve(x) : x),
    regardless: (x) => later(x),
    slow: (ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    },
    throws: async (which) => {
      await null;
      if (which < THROWN.length) throw THROWN[which]();
    },
    throws_now: (which) => {
      if (which < THROWN.length) throw THROWN[which]();
    },
    never: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          cancelled++;
          reject(signal.reason);
        });
      }),
    cancellations: () => cancelled,
    operation: (ms, x, { signal }) =>
      new Promise((resolve, reject) => {
        operations++;
        const timer = setTimeout(() => {
          operations--;
          resolve(x);
        }, ms);
        signal.addEventListener("abort", () => {
          operations--;
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
    operations: () => operations,
    echo_i8: echo,
    echo_u8: echo,
    echo_i16: echoLater,
    echo_u16: echoLater,
    echo_i32: echo,
    echo_u32: echoLater,
    echo_f32: echo,
    echo_f64: echoLater,
    echo_bool: echo,
    echo_string: echoLater,
    echo_string_now: echo,
    echo_bytes: echoLater,
    echo_person: echoLater,
    echo_shapes: echo,
    echo_map: echoLater,
    echo_option: echoLater,
    echo_big: echoLater,
    echo_integers: echoLater,
    echo_floats: echoLater,
    echo_char: echo,
    echo_structs: echo,
    echo_trees: echoLater,
    echo_options: echoLater,
    echo_results: echo,
    echo_tuples: echo,
    echo_collections: echoLater,
    json_of_tree: JSON.stringify,
    json_of_options: JSON.stringify,
    json_of_structs: JSON.stringify,
    loose: () => ({
      from_set: new Set([3, 1, 2]),
      from_map: new Map([
        ["b", 2],
        ["a", 1],
      ]),
      from_number: Number.MAX_SAFE_INTEGER,
      from_bigint: 2n ** 64n - 1n,
      from_buffer: Uint8Array.of(1, 2, 255).buffer,
      from_array: [0, 128],
      from_view: Float32Array.of(0.5, -1.5),
      from_undefined: undefined,
      more_than_asked_for: true,
    }),
    misfit: async (which) => MISFITS[which],
    code_points: (text) => Array.from(text, (c) => c.codePointAt(0)),
    text_of: (codePoints) =>
      Array.from(codePoints, (code) => String.fromCodePoint(code)).join(""),
    utf16_length: (text) => text.length,
    lone_surrogates: async (which) => LONE[which],
    repeated: async (text, times) => text.repeat(times),
    sliced: (text, from, to) => text.slice(from, to),
    joined: (texts) => {
      let all = "";
      for (const text of texts) all += text;
      return all;
    },
    made_bytes: async (length, seed) => {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < Math.min(length, BLOCK); i++)
        bytes[i] = Math.imul(i + seed, 2_654_435_761) >>> 24;
      for (let at = BLOCK; at < length; at += BLOCK)
        bytes.copyWithin(at, 0, Math.min(BLOCK, length - at));
      return bytes;
    },
    checksum: (bytes) => {
      let sum = bytes.length;
      for (let i = 0; i < bytes.length; i += 89) sum = (Math.imul(sum, 31) + bytes[i]) >>> 0;
      return sum;
    },
  };
}
