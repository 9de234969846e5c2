// Calls out: a host function as the guest imports it.

import type { Driver } from "./driver.js";
import { encodeError } from "./error.js";
import {
  ERROR,
  type HostFunction,
  isStream,
  type Raw,
  type Signature,
  T_STRING,
  type Type,
} from "./types.js";
import { fromBytes, fromNumber, toRaw } from "./value.js";

/** The last argument of an async host function that declares one parameter more than it needs. */
export interface Context {
  /** Aborted when the guest drops the future or the instance ends. */
  readonly signal: AbortSignal;
}

/** Whether a value crosses as one raw number. */
const isNumber = (type: Type): boolean =>
  typeof type === "object" ? isStream(type) : type < T_STRING;

/** Answers with an error, or with the one that says why there is no room for it. */
export const answerError = (driver: Driver, thrown: unknown): number => {
  try {
    return driver.answer(encodeError(thrown), ERROR);
  } catch (e) {
    return driver.answer(encodeError(e), ERROR);
  }
};

/** The same for a ticket. */
export const completeError = (driver: Driver, ticket: number, thrown: unknown): void => {
  try {
    driver.complete(ticket, encodeError(thrown), ERROR);
  } catch (e) {
    driver.complete(ticket, encodeError(e), ERROR);
  }
};

/** What the guest imports for `fn`. */
export const hostFunction = (
  driver: Driver,
  [name, isAsync, params, result]: Signature,
  fn: HostFunction,
): ((...raw: number[]) => number) => {
  const where = `host function ${name}`;
  const count = params.length;
  const wide = isAsync && fn.length > count;

  const fault = (thrown: unknown): number => answerError(driver, thrown);

  const complete = (ticket: number, value: unknown, failed: boolean): void => {
    let raw: Raw;
    try {
      if (!driver.dropped(ticket) && !driver.dead()) {
        if (failed) throw value;
        raw = toRaw(where, result, value);
      } else if (!failed && isStream(result)) result.drop(result.take(value, where));
      driver.complete(ticket, raw, 0);
    } catch (e) {
      completeError(driver, ticket, e);
    }
  };

  const settle = (ticket: number, value: unknown, abort?: () => void): number => {
    if (
      !isAsync ||
      typeof value !== "object" ||
      !value ||
      typeof (value as Promise<unknown>).then !== "function"
    )
      return driver.answer(toRaw(where, result, value), 0);
    // Before the ticket is open: it is not when the instance has ended in this very call.
    Promise.resolve(value).then(
      (v) => complete(ticket, v, false),
      (e) => complete(ticket, e, true),
    );
    driver.open(ticket, abort);
    return 0;
  };

  // What is called most gets closures that make no arrays: functions of up to three numbers, and
  // async ones of one string.
  const [A, B, C] = params.map(([, type]) => type);
  if (!wide && count < 4 && params.every(([, type]) => isNumber(type))) {
    const sync: ((a: number, b: number, c: number) => number)[] = [
      () => {
        try {
          return settle(0, fn());
        } catch (e) {
          return fault(e);
        }
      },
      (a) => {
        try {
          return settle(0, fn(fromNumber(A, a)));
        } catch (e) {
          return fault(e);
        }
      },
      (a, b) => {
        try {
          return settle(0, fn(fromNumber(A, a), fromNumber(B, b)));
        } catch (e) {
          return fault(e);
        }
      },
      (a, b, c) => {
        try {
          return settle(0, fn(fromNumber(A, a), fromNumber(B, b), fromNumber(C, c)));
        } catch (e) {
          return fault(e);
        }
      },
    ];
    const later: ((t: number, a: number, b: number, c: number) => number)[] = [
      (t) => {
        try {
          return settle(t, fn());
        } catch (e) {
          return fault(e);
        }
      },
      (t, a) => {
        try {
          return settle(t, fn(fromNumber(A, a)));
        } catch (e) {
          return fault(e);
        }
      },
      (t, a, b) => {
        try {
          return settle(t, fn(fromNumber(A, a), fromNumber(B, b)));
        } catch (e) {
          return fault(e);
        }
      },
      (t, a, b, c) => {
        try {
          return settle(t, fn(fromNumber(A, a), fromNumber(B, b), fromNumber(C, c)));
        } catch (e) {
          return fault(e);
        }
      },
    ];
    return (isAsync ? later : sync)[count] as (...raw: number[]) => number;
  }
  if (isAsync && !wide && count === 1)
    return (t, at, len) => {
      try {
        return settle(t, fn(fromBytes(A, driver.memory(), at >>> 0, len >>> 0)));
      } catch (e) {
        return fault(e);
      }
    };

  return (...raw) => {
    try {
      let i = +isAsync;
      const args = params.map(([, type]) =>
        isNumber(type)
          ? fromNumber(type, raw[i++])
          : fromBytes(type, driver.memory(), raw[i++] >>> 0, raw[i++] >>> 0),
      );
      let abort: (() => void) | undefined;
      if (wide) {
        let controller: AbortController | undefined;
        let gone = false;
        abort = () => {
          gone = true;
          controller?.abort();
        };
        args[count] = {
          get signal() {
            controller ??= new AbortController();
            if (gone) controller.abort();
            return controller.signal;
          },
        };
      }
      return settle(raw[0], fn(...args), abort);
    } catch (e) {
      return fault(e);
    }
  };
};
