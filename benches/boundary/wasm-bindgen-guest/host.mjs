// The host functions of all contestants. The file is here because wasm-bindgen takes modules only
// from a guest's own folder.

const payload = new Uint8Array(64 * 1024).fill(7);

export const number = async () => 1;
export const text = async () => "twenty bytes of text";
export const take = async (bytes) => bytes.length;
export const give = async () => payload;
export const sync_number = () => 1;

let waiting = [];

/** A number that comes in a later macrotask, together with all others that are waited for. */
export function later() {
  if (waiting.length === 0) {
    setImmediate(() => {
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve(1);
    });
  }
  return new Promise((resolve) => waiting.push(resolve));
}
