// What must not compile against app.d.ts.

import { type Context, instantiate } from "kippu";
import type {
  Config,
  ConfigInput,
  Exports,
  Host,
  Level,
  Map2,
  Query,
  Scalars,
  Shape,
} from "./app.d.ts";

declare const host: Host;
declare const config: Config;
declare const context: Context;
declare const scalars: Scalars;
declare const signal: AbortSignal;
const { exports } = await instantiate<Exports>("app.wasm", { host });

// Functions that do not exist, are missing, or are of another shape.
// @ts-expect-error there is no such export
exports.dropped(1);
// @ts-expect-error nor one by its Rust name
exports.read_all("a", 1, true);
// @ts-expect-error nobody calls this one
({ ...host, dropped: () => 1 }) satisfies Host;
// @ts-expect-error one is missing
({ numbers: host.numbers }) satisfies Host;
// @ts-expect-error a sync function cannot wait
({ ...host, flag: async () => true }) satisfies Host;
// @ts-expect-error it gets a boolean
({ ...host, flag: (x: number) => x > 0 }) satisfies Host;
// @ts-expect-error a string is no number
({ ...host, numbers: () => "1" }) satisfies Host;
// @ts-expect-error nor is the promise of one
({ ...host, consume: async () => "1" }) satisfies Host;
// @ts-expect-error a number may be too large for `number`
({ ...host, scalars: (_: { large: [number, number] }) => scalars }) satisfies Host;
// @ts-expect-error there is no second parameter after the context
({ ...host, text: (_: string, _context: Context, _more: string) => "" }) satisfies Host;
// @ts-expect-error only async functions get a context
({ ...host, flag: (x: boolean, _context: Context) => x }) satisfies Host;

// Arguments.
// @ts-expect-error too few
exports.length("a");
// @ts-expect-error too many
exports.delete(1, 2, 3);
// @ts-expect-error a sync function cannot be aborted
exports.length("a", new Uint8Array(), signal);
// @ts-expect-error the signal comes last
await exports.call_plain(signal);
// @ts-expect-error a controller is no signal
await exports.call_plain(new Uint8Array(), new AbortController());
// @ts-expect-error bytes are no array of numbers here
await exports.call_plain([1, 2]);
// @ts-expect-error text is no bytes
await exports.call_plain("text");
// @ts-expect-error numbers are of one size
await exports.relay_samples(new Float32Array());
// @ts-expect-error a parameter that is needed
await exports.search();
// @ts-expect-error of the wrong type
await exports.search({ levels: [] }, "2");
// @ts-expect-error a bigint is for 64 bits
await exports.search({ levels: [] }, 2n);
// @ts-expect-error not one of the names
await exports.search({ levels: ["High"] });
// @ts-expect-error a context is for host functions
await exports.search({ levels: [] }, 1, "Low", context);

// Results.
// @ts-expect-error it is a promise
exports.relay_config(config).name;
// @ts-expect-error there may be none
(await exports.relay_config(config)).retries.toFixed();
// @ts-expect-error it may be a bigint
(await exports.relay_config(config)).limits.cpu?.toFixed();
// @ts-expect-error it is an array, not the set that was given
(await exports.relay_config(config)).tags.has("a");
// @ts-expect-error it is an object, not the map that was given
(await exports.relay_config(config)).limits.get("cpu");
// @ts-expect-error it is a map
(await exports.relay_config(config)).shapes[1];
// @ts-expect-error what is given need not be what is got
const got: Config = {} as ConfigInput;

// Values.
// @ts-expect-error a field is missing
const missing: Query = { text: "a" };
// @ts-expect-error a field is there that nobody reads
const more: Query = { levels: [], text: "a", other: 1 };
// @ts-expect-error a unit variant is a string
const unit: Shape = { Point: null };
// @ts-expect-error any other variant is an object
const circle: Shape = "Circle";
// @ts-expect-error a tuple has its length
const line: Shape = { Line: [1] };
// @ts-expect-error and its types
const pair: Shape = { Pair: ["a", 1] };
// @ts-expect-error renamed
const level: Level = "High";
// @ts-expect-error an array has its length
const key: ConfigInput["key"] = [1, 2, 3];
// @ts-expect-error a longer one, too
const samples: ConfigInput["samples"] = [1, 2, 3];
// @ts-expect-error floats are no bytes
const data: ConfigInput["data"] = new Float64Array(4);
// @ts-expect-error keys that are no strings take a map
const map: ConfigInput["shapes"] = { 5: [] };
// @ts-expect-error a program's `Map` is none of JavaScript's
const own: Map2 = new Map();

// Streams.
// @ts-expect-error of strings, not of numbers
exports.number_lines("a", ["b"]);
// @ts-expect-error a promise is no stream
exports.number_lines("a", Promise.resolve([1]));
// @ts-expect-error it has to be waited for
for (const _ of exports.number_lines("a", [])) break;
for await (const [, line] of exports.number_lines("a", [])) {
  // @ts-expect-error a string
  line.toFixed();
}
// @ts-expect-error the host gives a stream of strings
({ ...host, lines: () => [1] }) satisfies Host;

export { circle, data, got, key, level, line, map, missing, more, own, pair, samples, unit };
