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

const broken = () => Object.assign(new RangeError("broken"), { code: "ENOENT" });

function* range(to) {
  for (let i = 0; i < to; i++) yield i;
}

async function* rangeLater(to) {
  for (let i = 0; i < to; i++) {
    await null;
    yield i;
  }
}

/** A `ReadableStream` of a list. */
const toStream = (list) =>
  new ReadableStream({
    start(controller) {
      for (const item of list) controller.enqueue(item);
      controller.close();
    },
  });

/** 1, 2 and 3 in every form that is a stream. */
const ITERABLES = [
  () => [1, 2, 3],
  () => new Set([1, 2, 3]),
  function* () {
    yield* [1, 2, 3];
  },
  () => Float32Array.of(1, 2, 3),
  async function* () {
    yield* [1, 2, 3];
  },
  () => toStream([1, 2, 3]),
  // `for await` waits for these, too.
  () => [1, 2, 3].map(async (x) => x),
  () => ({
    [Symbol.iterator]() {
      let i = 0;
      return { next: () => ({ done: i === 3, value: ++i }) };
    },
  }),
];

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

/** What is no i32 and no u8. */
const ODD_NUMBERS = [
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  "1",
  1n,
  null,
  undefined,
  true,
  [1],
];

/** After so many bytes the pattern of `made_bytes` begins again. */
const BLOCK = 4093;

/** Surrogates alone, which UTF-8 does not have. */
const LONE = ["\ud800", "a\udc00b", "\udc00\ud800", "🎫\ud83c", "\udfab🎫", "\udbff"];

/** The functions, with state of their own: one object for each run of the guest. */
export function createHost() {
  let cancelled = 0;
  let operations = 0;
  const events = [];
  /** An async iterator that notes what is asked of it. */
  const logged = (iterator) => ({
    [Symbol.asyncIterator]: () => ({
      async next() {
        events.push("next");
        const result = await iterator.next();
        if (result.done) events.push("end");
        return result;
      },
      async return() {
        events.push("return");
        return { done: true };
      },
    }),
  });
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
    mixed: async (...all) => all.map((x) => (x === null ? "null" : String(x))).join("|"),
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
    counts: (to) => logged(range(to)),
    counts_later: async (to) => logged(rangeLater(to)),
    stream_events: () => events.splice(0).join(" "),
    iterables(kind) {
      if (!ITERABLES[kind]) throw new RangeError("no such kind");
      return ITERABLES[kind]();
    },
    *texts(times) {
      for (let i = 0; i < times; i++) yield "切🎫".repeat(i);
    },
    flags: () => [true, false, true],
    leaf_stream: () => [
      "Nothing",
      { Text: "ä" },
      { Two: [-1, "切"] },
      { Named: { left: 2n ** 64n - 1n } },
    ],
    async *breaks(after) {
      for (let i = 0; i < after; i++) yield i;
      throw broken();
    },
    strays: () => logged([1, "two"].values()),
    stalls: () => logged({ next: () => new Promise(() => {}) }),
    chunks: (lengths) => {
      let from = 0;
      return toStream(
        Array.from(lengths, (length) => {
          from += length;
          return Uint8Array.from({ length }, (_, i) => from - length + i);
        }),
      );
    },
    async *broken_chunks() {
      yield Uint8Array.of(1, 2, 3);
      throw broken();
    },
    ticking: () => {
      let i = 0;
      operations++;
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise((resolve) => setTimeout(resolve, 4, { done: false, value: i++ })),
          async return() {
            operations--;
            return { done: true };
          },
        }),
      };
    },
    async sum_of(numbers) {
      let sum = 0;
      for await (const number of numbers) sum += number;
      return sum;
    },
    async sum_of_results(numbers) {
      let sum = 0;
      for await (const number of numbers) sum += number;
      return sum;
    },
    async concatenated(texts) {
      let all = "";
      for await (const text of texts) all += text;
      return all;
    },
    async measured(chunks) {
      const measure = [0, 0];
      for await (const chunk of chunks) {
        measure[0] += chunk.length;
        for (const byte of chunk) measure[1] += byte;
      }
      return measure;
    },
    async collected(leaves) {
      const list = [];
      for await (const leaf of leaves) list.push(leaf);
      return list;
    },
    async first(numbers, count) {
      const found = [];
      if (count === 0) await numbers.return();
      else
        for await (const number of numbers) {
          found.push(number);
          if (found.length === count) break;
        }
      return found;
    },
    async first_slowly(numbers, count) {
      const found = [];
      for (let i = 0; i < count; i++) {
        const { done, value } = await numbers.next();
        if (!done) found.push(value);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      await numbers.return();
      return found;
    },
    async fails_at(numbers, bad) {
      for await (const number of numbers) if (number === bad) throw rangeError("seen it");
    },
    async takes_for_ever(numbers, { signal }) {
      for await (const _ of numbers) if (signal.aborted) return;
    },
    async *doubled(numbers) {
      for await (const number of numbers) yield 2 * number;
    },
    fails_with_causes: async (depth) => {
      let cause;
      for (let i = depth; i >= 0; i--)
        cause = Object.assign(new RangeError(`level ${i}`, cause && { cause }), { code: `E_${i}` });
      throw cause;
    },
    fails_with_cause: (which) => {
      const outer = new Error("outer");
      const inner = new TypeError("inner", { cause: outer });
      const causes = ["a text", outer, inner, null];
      if (which in causes) outer.cause = causes[which];
      throw outer;
    },
    odd_number: (which) => ODD_NUMBERS[which],
    odd_byte: async (which) => ODD_NUMBERS[which],
    odd_text: async (which) => [1, null, undefined, {}, ["a"], Symbol("s")][which],
    odd_bytes: (which) => ["abc", 5, null, {}, [1, 2]][which],
    odd_char: (which) => ["", "ab", "\ud800", "e\u0301", 97, null, "🎫x"][which],
    odd_boolean: async (which) => [0, 1, "true", null, undefined][which],
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
    text_of: (codePoints) => Array.from(codePoints, (code) => String.fromCodePoint(code)).join(""),
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
