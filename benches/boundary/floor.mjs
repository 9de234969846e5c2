// The loops of loops.rs in plain JavaScript: what no boundary can be quicker than.
import * as host from "./wasm-bindgen-guest/host.mjs";

export async function numbers(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await host.number();
  return sum;
}

export async function texts(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (await host.text()).length;
  return sum;
}

export async function bytes_out(n) {
  const payload = new Uint8Array(64 * 1024).fill(7);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += await host.take(payload);
  return sum;
}

export async function bytes_in(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (await host.give()).length;
  return sum;
}

export function sync_numbers(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += host.sync_number();
  return sum;
}

export const in_flight = (n) => countdown(n, host.later);
export const spawns = (n) => countdown(n, async () => 1);

export async function echo(value) {
  return value;
}

/** Starts `n` async functions that each await `part` and waits for the last. */
function countdown(n, part) {
  return new Promise((resolve) => {
    let [left, sum] = [n, 0];
    const task = async () => {
      const value = await part();
      sum += value;
      if (--left === 0) resolve(sum);
    };
    for (let i = 0; i < n; i++) task();
  });
}

export async function stream_in(numbers) {
  let sum = 0;
  for await (const number of numbers) sum += number;
  return sum;
}

export async function* stream_out(n) {
  for (let i = 0; i < n; i++) yield 1;
}
