// Runs the conformance guest: node node.mjs GUEST.wasm [CASE…]. The host functions do what the
// bodies of the guest's `#[kippu::host]` functions do natively.
import { readFile } from "node:fs/promises";
import { run } from "kippu";

let cancelled = 0;
const later = (x) => new Promise((resolve) => setTimeout(resolve, 0, x));
const echo = (x) => x;
// Bytes are lent during the call only, so what is kept must be copied.
const echoLater = async (x) => {
  const kept = x instanceof Uint8Array ? x.slice() : x;
  await null;
  return kept;
};
const rangeError = (message) => Object.assign(new RangeError(message), { code: "E_TEST" });

const host = {
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
  never: ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        cancelled++;
        reject(signal.reason);
      });
    }),
  cancellations: () => cancelled,
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
};

const [wasm, ...args] = process.argv.slice(2);
if (!wasm) {
  console.error("usage: node node.mjs GUEST.wasm [CASE…]");
  process.exit(2);
}
process.exitCode = await run(await readFile(wasm), { args, env: process.env, host });
