// A class of JavaScript's whose state is in Rust.

// ANCHOR: class
export const counterClass = ({ counter_new, counter_step, counter_free }) =>
  class Counter {
    #number;
    constructor(count) {
      this.#number = counter_new(count);
    }
    step() {
      return counter_step(this.#number);
    }
    free() {
      counter_free(this.#number);
    }
  };
// ANCHOR_END: class
