// When the guest is turned: now, at the microtask checkpoint, in a macrotask, by a timer.

/** The longest delay that setTimeout takes. */
const LONGEST = 2 ** 31 - 1;
/** A deadline must be earlier by this many milliseconds to re-arm the timer; less is jitter. */
const SLACK = 0.5;

const macrotask: (f: () => void) => void =
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

/** This many turns pass between two looks at the clock. */
const TURNS = 256;
/** Turns in microtasks may follow one another for this many milliseconds before a macrotask. */
const BURST = 8;

/**
 * `enter` takes `kippu_turn` and gives its result. What comes back turns the guest now (unless a
 * macrotask is to do it, and `force` is not set), turns it at the next microtask checkpoint, and
 * forgets the timer.
 */
export const createLoop = (
  enter: () => number,
): [turn: (force?: boolean) => void, schedule: () => void, disarm: () => void] => {
  const ready = Promise.resolve();
  let wanted = false;
  /** A macrotask is on its way: pages paint and host timers fire before the guest goes on. */
  let left = false;
  let turns = 0;
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
      since = performance.now();
      turn();
    });
  };
  const turn = (force?: boolean): void => {
    wanted = false;
    if (!force) {
      if (!left && ++turns % TURNS < 1 && performance.now() - since > BURST) breathe();
      if (left) return;
    }
    const next = enter();
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
  return [
    turn,
    () => {
      if (!wanted) {
        wanted = true;
        ready.then(() => wanted && turn());
      }
    },
    disarm,
  ];
};
