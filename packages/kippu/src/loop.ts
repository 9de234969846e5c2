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

/**
 * `enter` takes `kippu_turn` and gives its result. What comes back turns the guest now, turns
 * it at the next microtask checkpoint, and forgets the timer.
 */
export const createLoop = (
  enter: () => number,
): [turn: () => void, schedule: () => void, disarm: () => void] => {
  const ready = Promise.resolve();
  let wanted = false;
  let left = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = 0;

  const disarm = (): void => {
    if (timer) clearTimeout(timer);
    timer = undefined;
  };
  const turn = (): void => {
    wanted = false;
    const next = enter();
    if (next >= 0) {
      const at = performance.now() + next;
      if (!timer || at < due - SLACK) {
        disarm();
        due = at;
        timer = setTimeout(
          () => {
            timer = undefined;
            turn();
          },
          Math.min(Math.ceil(next), LONGEST),
        );
      }
    } else {
      disarm();
      if (next < -1 && !left) {
        left = true;
        macrotask(() => {
          left = false;
          turn();
        });
      }
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
