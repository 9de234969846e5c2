// A program that uses all of app.d.ts, and says so when a value is not what its type says.

import assert from "node:assert/strict";
import { type Context, instantiate, type StreamSource, type WasmSource } from "kippu";
import type {
  Config,
  ConfigInput,
  Exports,
  Host,
  Host2,
  Level,
  Map2Input,
  Page,
  Scalars,
  Shape,
} from "./app.d.ts";

const seen: string[] = [];

/** Everything that differs from what is got. */
const wide: ConfigInput = {
  name: "wide",
  nested: 2n ** 63n,
  tags: new Set(["a", "b"]),
  ids: new Uint16Array([3, 1]),
  data: [1, 2, 3],
  key: new Uint8Array([1, 2, 3, 4]),
  samples: new Float32Array(16).fill(0.5),
  limits: new Map([["cpu", 7]]),
  shapes: new Map<number, Shape[]>([[5, ["Point", { Circle: 1.5 }, { Nothing: [] }]]]),
  marker: null,
  empty: {},
};

/** The same as it is got; `as` is not needed. */
const plain: Config = {
  name: "wide",
  retries: null,
  nested: 2n ** 63n,
  tags: ["a", "b"],
  ids: [1, 3],
  data: new Uint8Array([1, 2, 3]),
  key: [1, 2, 3, 4],
  samples: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
  limits: { cpu: 7 },
  shapes: new Map([[5, ["Point", { Circle: 1.5 }, { Nothing: [] }]]]),
  marker: null,
  empty: {},
};

const scalars: Scalars = {
  flag: true,
  small: [-128, 255, -32768, 65535],
  medium: [-(2 ** 31), 2 ** 32 - 1],
  large: [-1, 2n ** 64n - 1n],
  huge: [-(2n ** 127n), 42],
  real: [0.5, 1e300],
  letter: "🦀",
  text: "ünï\u0000",
  type: null,
};

const shapes: Shape[] = [
  "Point",
  { Circle: 1 },
  { Line: [-1, 1] },
  { Rect: { w: 1, h: -(2n ** 60n) } },
  { Pair: [255, "pair"] },
  { Nothing: [] },
];

async function* words(path: string): AsyncGenerator<string> {
  yield* path.split("/");
}

class Functions implements Host {
  async bytes(bytes: Uint8Array<ArrayBuffer>, more: Uint8Array): Promise<DataView> {
    const text = new TextDecoder().decode(more);
    return new DataView(Uint8Array.from([...bytes, ...new TextEncoder().encode(text)]).buffer);
  }
  config(value: Config, { signal }: Context): Config {
    assert.equal(signal.aborted, false);
    assert.deepEqual(value, plain);
    return value;
  }
  async consume(
    shapes: AsyncIterable<Shape>,
    parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
  ): Promise<number> {
    let sum = 0;
    for await (const shape of shapes)
      if (typeof shape === "object" && "Circle" in shape) sum += shape.Circle;
    for await (const part of parts) sum += part.length;
    return sum;
  }
  flag = (x: boolean): boolean => !x;
  lines(path: string): StreamSource<string> {
    return words(path);
  }
  measure = (samples: Int16Array<ArrayBuffer>) => Array.from(samples, (n) => n / 2);
  nothing(): void {
    seen.push("nothing");
  }
  // What it gives is ignored.
  nothing_later = async (): Promise<number> => seen.push("nothing_later");
  numbers = (a: boolean, b: number, c: number, d: number, e: number, ...rest: number[]): number =>
    rest.reduce((sum, n) => sum + n, Number(a) + b + c + d + e);
  other_config = ({ verbose }: { verbose: boolean }) => ({ verbose: !verbose });
  outcome: Host["outcome"] = (value) => {
    if ("Ok" in value) return { Ok: undefined };
    const [level, text] = value.Err;
    const swapped: Level = level === "Low" ? "very high" : "Low";
    return Promise.resolve({ Err: [swapped, text] });
  };
  "page.load" = (name: string, context: number, flag: boolean, { signal }: Context): void => {
    seen.push(`${name} ${context} ${flag} ${signal instanceof AbortSignal}`);
  };
  scalars = async (value: Scalars): Promise<Scalars> => value;
  shapes = (value: Shape[]) => new Set(value);
  taken = ({ host, list }: { host: Host2; list: string[] }): Host2 => ({
    port: host.port + list.length,
  });
  text = (text: string): string => `<${text}>`;
}

/** Runs the guest; throws when something is not as it should be. */
export const main = async (wasm: WasmSource): Promise<void> => {
  await using guest = await instantiate<Exports>(wasm, { host: new Functions() satisfies Host });
  const { exports } = guest;

  const answer: Uint8Array<ArrayBuffer> = await exports.call_plain(new Uint16Array([1]));
  assert.ok(answer instanceof Uint8Array && answer.buffer instanceof ArrayBuffer);
  assert.equal(new TextDecoder().decode(answer), "\u0001\u0000<0.75>");
  assert.deepEqual(seen.splice(0), ["nothing", "nothing_later"]);
  for (const samples of [new Int16Array([1, -3]), [1, -3]]) {
    const halves: Float32Array<ArrayBuffer> = await exports.relay_samples(samples);
    assert.deepEqual(halves, new Float32Array([0.5, -1.5]));
  }
  const length: number = exports.length("ü", new ArrayBuffer(3));
  assert.equal(length, 5);

  await exports["read-all"]("a", 1, true);
  await exports["read-all"]("b", 2, false, new AbortController().signal);
  assert.deepEqual(seen.splice(0), ["a 1 true true", "b 2 false true"]);
  assert.equal(exports.delete(1, 2), 3);
  assert.equal(exports.typeof(7), 7);

  assert.deepEqual(await exports.relay_scalars(scalars), scalars);
  for (const value of [wide, plain, { ...plain, retries: undefined }]) {
    const config: Config = await exports.relay_config(value);
    assert.deepEqual(config, plain);
  }
  assert.deepEqual(exports.relay_shapes(new Set(shapes)), shapes);
  assert.deepEqual(exports.relay_other_config({ verbose: true }), { verbose: false });
  assert.deepEqual(await exports.relay_outcome({ Ok: 1 }), { Ok: null });
  assert.deepEqual(await exports.relay_outcome({ Err: ["Low", "x"] }), { Err: ["very high", "x"] });
  const taken: Map2Input = { host: { port: 80 }, list: new Set(["a"]) };
  assert.deepEqual(exports.relay_taken(taken), { port: 81 });

  const page = await exports.search({ levels: [] });
  assert.deepEqual(page, { items: [], next: null });
  const query = { text: "a b c", levels: new Set<Level>(["Low"]) };
  const { items } = await exports.search(query, 2, "very high", AbortSignal.timeout(10_000));
  assert.deepEqual(items, ["a", "b", "low", "high"]);
  const none: string | undefined = items[9];
  assert.equal(none, undefined);
  const numbers: Page = exports.pages({ items: new Uint32Array([1, 2]) }, { at: 2n ** 60n });
  assert.deepEqual(numbers, { items: [1, 2], next: { at: 2n ** 60n } });

  const lines: string[] = [];
  for await (const [number, line] of exports.number_lines("x/y/z", [10, 20]))
    lines.push(`${number.toFixed(1)} ${line.toUpperCase()}`);
  assert.deepEqual(lines, ["10.0 X", "20.0 Y"]);
  assert.equal(await exports.produce(4), 1 + 3 + 4);
  const { body } = new Response("1234567");
  assert.ok(body);
  assert.equal(await exports.total(body), 7);
  assert.equal(await exports.total([new ArrayBuffer(2), new Uint16Array(2)]), 6);
};
