// A record of what crosses between JavaScript and guests, for trace viewers.

import { hostFunction } from "./call.js";
import type { Driver, RawFunction } from "./driver.js";
import type { ExportFunction } from "./in.js";
import { type Cursor, readString } from "./section.js";
import { ERROR, type HostFunction, type Signature } from "./types.js";

/** What an instance puts around the functions that cross, see `createTrace`. */
export interface Hooks {
  /** What the guest exports, with turns and calls recorded. */
  entries(exports: Record<string, RawFunction>): Record<string, RawFunction>;
  /** The guest's import `trace`. */
  record(driver: Driver): (kind: number, id: number, at: number, len: number) => number;
  /** What the guest imports for the host function `fn`. */
  host(driver: Driver, signature: Signature, fn: HostFunction): (...raw: number[]) => number;
  /** What JavaScript calls for an export. */
  exported(signature: Signature, f: ExportFunction): ExportFunction;
}

/** What `instantiate` takes as `trace`. */
export interface Tracer {
  /** Called once for each instance. */
  attach(): Hooks;
}

export interface TraceOptions {
  /** How many records are kept, the latest ones; 100,000 by default. */
  limit?: number;
}

/** One entry of the Trace Event Format. Times are in microseconds. */
export interface TraceEvent {
  name: string;
  cat: string;
  /** X: a slice. b, e: begin and end of something asynchronous. i: a mark. M: names. */
  ph: "X" | "b" | "e" | "i" | "M";
  ts: number;
  dur?: number;
  pid: number;
  tid: number;
  /** Tells asynchronous events of the same name apart. */
  id2?: { local: string };
  s?: "t";
  args: Record<string, string | number>;
}

export interface Trace extends Tracer {
  /** How many records are gone because there were more than `limit`. */
  readonly dropped: number;
  /** What `JSON.stringify(trace)` makes a file of. What still goes on ends now, marked as unfinished. */
  toJSON(): { traceEvents: TraceEvent[]; displayTimeUnit: "ms"; otherData: { dropped: number } };
  /** Forgets all records. */
  clear(): void;
}

type Args = Record<string, string | number>;

/** A slice, a mark when it has no end, or, with an id, something asynchronous. */
interface Entry {
  readonly name: string;
  readonly cat: string;
  readonly tid: number;
  readonly start: number;
  readonly end: number | undefined;
  readonly id: number | undefined;
  readonly args: Args;
}

/** Something asynchronous that goes on. */
interface Open extends Omit<Entry, "end"> {
  readonly id: number;
}

/** A span of the guest's. */
interface Span {
  readonly name: string;
  readonly args: Args;
  readonly open: Open;
}

const PROBE = 0;
const NEW = 1;
const FIELDS = 2;
const ENTER = 3;
const EXIT = 4;
const CLOSE = 5;
const EVENT = 6;

/** So many characters are kept of each field's value. */
const LONGEST = 1000;
const PID = 1;

/** Microseconds. */
const now = (): number => performance.now() * 1000;
const round = (us: number): number => Math.round(us * 1000) / 1000;

/**
 * Makes a recorder; give it to one or more instances as `trace`. Without one nothing is recorded,
 * and nothing is spent on it.
 *
 * The result is in the Trace Event Format, which `chrome://tracing` and ui.perfetto.dev show:
 * `await writeFile("trace.json", JSON.stringify(trace))`.
 */
export const createTrace = ({ limit = 100_000 }: TraceOptions = {}): Trace => {
  if (!(limit >= 1)) throw new RangeError(`limit must be at least 1, got ${limit}`);
  let ring: Entry[] = [];
  /** Where the oldest record is once the ring is full. */
  let oldest = 0;
  let dropped = 0;
  let instances = 0;
  let ids = 0;
  const going = new Set<Open>();

  const push = (entry: Entry): void => {
    if (ring.length < limit) ring.push(entry);
    else {
      ring[oldest] = entry;
      oldest = (oldest + 1) % limit;
      dropped++;
    }
  };
  const begin = (tid: number, cat: string, name: string, args: Args = {}): Open => {
    const open = { name, cat, tid, start: now(), id: ++ids, args };
    going.add(open);
    return open;
  };
  const finish = (open: Open | undefined, args?: Args): void => {
    if (!open || !going.delete(open)) return;
    Object.assign(open.args, args);
    push({ ...open, end: now() });
  };

  const attach = (): Hooks => {
    const tid = ++instances;
    /** Spans that are entered, innermost last; each with when. */
    let entered: [span: Span, start: number][] = [];
    let depth = 0;

    const slice = (name: string, cat: string, start: number, args: Args = {}): void =>
      push({ name, cat, tid, start, end: now(), id: undefined, args });
    const mark = (name: string, cat: string, args: Args): void =>
      push({ name, cat, tid, start: now(), end: undefined, id: undefined, args });
    const leave = ([span, start]: [Span, number]): void =>
      slice(span.name, "span", start, span.args);

    /** One entry of the guest as a slice, also when it traps. */
    const timed =
      (name: string, cat: string, f: RawFunction, label?: string): RawFunction =>
      (...raw) => {
        const start = now();
        depth++;
        try {
          return f(...raw);
        } finally {
          if (!--depth) {
            // A span that is still entered would reach into what others run.
            for (const one of entered.reverse()) leave(one);
            entered = [];
          }
          slice(name, cat, start, label ? { [label]: raw[0] } : {});
        }
      };

    return {
      entries(exports) {
        const own = { ...exports };
        for (const name in exports)
          if (name.startsWith("kippu_export:"))
            own[name] = timed(name.slice(13), "export", exports[name]);
          else if (name === "kippu_turn")
            own[name] = timed("turn", "turn", exports[name], "records");
          else if (name === "main" || name === "kippu_start")
            own[name] = timed("main", "export", exports[name]);
          else if (name === "kippu_stream_next")
            own[name] = timed("stream", "export", exports[name]);
        return own;
      },

      record(driver) {
        const spans = new Map<number, Span>();
        return (kind, id, at, len) => {
          if (kind === PROBE) return 1;
          const c: Cursor = [driver.memory(), at >>> 0];
          const end = c[1] + (len >>> 0);
          const fields = (args: Args): Args => {
            while (c[1] < end) args[readString(c)] = readString(c).slice(0, LONGEST);
            return args;
          };
          const span = spans.get(id);
          if (kind === NEW || kind === EVENT) {
            const name = readString(c);
            const args = fields({
              target: readString(c),
              level: readString(c),
              place: readString(c),
            });
            if (kind === NEW) spans.set(id, { name, args, open: begin(tid, "span", name, args) });
            else mark(String(args.message ?? name), "event", args);
          } else if (span) {
            if (kind === FIELDS) fields(span.args);
            else if (kind === ENTER) entered.push([span, now()]);
            else if (kind === EXIT) {
              const i = entered.findLastIndex(([other]) => other === span);
              if (i >= 0) leave(entered.splice(i, 1)[0]);
            } else if (kind === CLOSE) {
              finish(span.open);
              spans.delete(id);
            }
          }
          return 1;
        };
      },

      host(driver, signature, fn) {
        const [name] = signature;
        const pending = new Map<number, Open>();
        const settle = (ticket: number, outcome: string): void => {
          finish(pending.get(ticket), { outcome });
          pending.delete(ticket);
        };
        // The same driver, but for what tells when a call begins and ends.
        const own: Driver = Object.assign(Object.create(driver), {
          open(ticket: number, abort?: () => void) {
            driver.open(ticket, () => {
              settle(ticket, "cancelled");
              abort?.();
            });
            pending.set(ticket, begin(tid, "host function", name, { ticket }));
          },
          complete(...[ticket, value, flag]: Parameters<Driver["complete"]>) {
            settle(ticket, flag & ERROR ? "error" : "ok");
            driver.complete(ticket, value, flag);
          },
        });
        const raw = hostFunction(own, signature, fn);
        return (...args) => {
          const start = now();
          try {
            return raw(...args);
          } finally {
            slice(name, "host function", start);
          }
        };
      },

      exported([name, isAsync], f) {
        if (!isAsync) return f;
        return (...args) => {
          const open = begin(tid, "export", name);
          return (f(...args) as Promise<unknown>).then(
            (value) => {
              finish(open, { outcome: "ok" });
              return value;
            },
            (e) => {
              finish(open, { outcome: "error" });
              throw e;
            },
          );
        };
      },
    };
  };

  const toEvents = ({ name, cat, tid, start, end, id, args }: Entry): TraceEvent[] => {
    const ts = round(start);
    const base = { name, cat, ts, pid: PID, tid, args };
    if (end === undefined) return [{ ...base, ph: "i", s: "t" }];
    const id2 = { local: `0x${id?.toString(16)}` };
    if (id === undefined) return [{ ...base, ph: "X", dur: Math.max(round(end) - ts, 0) }];
    return [
      { ...base, ph: "b", id2 },
      { ...base, ph: "e", id2, ts: Math.max(round(end), ts), args: {} },
    ];
  };

  return {
    attach,
    get dropped() {
      return dropped;
    },
    toJSON() {
      const end = now();
      const names: TraceEvent[] = [];
      const tell = (name: string, tid: number, value: string): void => {
        names.push({ name, cat: "", ph: "M", ts: 0, pid: PID, tid, args: { name: value } });
      };
      tell("process_name", 0, "Kippu");
      for (let tid = 1; tid <= instances; tid++) tell("thread_name", tid, "guest");
      const unfinished = [...going].map((open) => ({
        ...open,
        end,
        args: { ...open.args, outcome: "unfinished" },
      }));
      const events = [...ring.slice(oldest), ...ring.slice(0, oldest), ...unfinished]
        .flatMap(toEvents)
        // What encloses others comes first.
        .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
      return {
        traceEvents: [...names, ...events],
        displayTimeUnit: "ms",
        otherData: { dropped },
      };
    },
    clear() {
      ring = [];
      oldest = dropped = 0;
    },
  };
};
