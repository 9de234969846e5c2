// When the guest is turned: now, at the microtask checkpoint, in a macrotask, by a timer.

/** The longest delay that setTimeout takes. */
const LONGEST = 2 ** 31 - 1;
/** A deadline must be earlier by this many milliseconds to re-arm the timer; less is jitter. */
const SLACK = 0.5;

/** Calls `f` when the engine has done all else that is due. */
export const macrotask: (f: () => void) => void =
  (globalThis as { setImmediate?: (f: () => void) => void }).setImmediate ??
  ((f) => {
    // A channel for each use: one that stays open keeps some engines alive.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      f();
    };
    port2.postMessage(0);
  });

/** At most this many turns pass between two looks at the clock: fewer when turns are slow. */
const TURNS = 32;
/** So many milliseconds of turns may pass between two looks. */
const LOOK = 2;
/** Turns in microtasks may follow one another for this many milliseconds before a macrotask. */
const BURST = 8;

export interface Loop {
  /**
   * Turns the guest now, unless a macrotask is to do it. With `force` in any case: for callers
   * that are in a macrotask of their own, or cannot go on without.
   */
  turn(force?: boolean): void;
  /** Turns the guest at the next microtask checkpoint. */
  schedule(): void;
  /** Forgets the timer. */
  disarm(): void;
}

/** `enter` takes `kippu_turn` and gives its result. */
export const createLoop = (enter: () => number): Loop => {
  const ready = Promise.resolve();
  let wanted = false;
  /** A macrotask is on its way: pages paint and host timers fire before the guest goes on. */
  let left = false;
  let turns = 0;
  let every = TURNS;
  let since = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = 0;

  const disarm = (): void => {
    if (timer) clearTimeout(timer);
    timer = undefined;
  };
  const breathe = (): void => {
    left = true;
    macrotask(() => {
      left = false;
      turns = 0;
      since = performance.now();
      turn(true);
    });
  };
  const turn = (force?: boolean): void => {
    wanted = false;
    if (left && !force) return;
    if (!force && ++turns > every) {
      turns = 0;
      if (performance.now() - since > BURST) {
        breathe();
        return;
      }
    }
    // One turn in so many is timed, which is what the time of the next ones is judged by.
    const start = turns < 2 && performance.now();
    const next = enter();
    if (start !== false) every = Math.min(TURNS, LOOK / (performance.now() - start));
    if (next >= 0) {
      const at = performance.now() + next;
      if (!timer || at < due - SLACK) {
        disarm();
        due = at;
        timer = setTimeout(
          () => {
            timer = undefined;
            turn(true);
          },
          Math.min(Math.ceil(next), LONGEST),
        );
      }
    } else {
      disarm();
      if (next < -1 && !left) breathe();
    }
  };
  return {
    turn,
    schedule() {
      if (!wanted) {
        wanted = true;
        ready.then(() => wanted && turn());
      }
    },
    disarm,
  };
};
