// Arrays of numbers, which cross as they lie in memory.

import { type Codec, TYPE_NAMES } from "./types.js";
import { toRaw, wrongType } from "./value.js";

const ARRAYS = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
];

/** The type of numbers one after another. */
export interface Numbers extends Codec {
  /** The type of each. */
  readonly numbers: number;
}

/** Numbers of type `item`; `undefined` when there is no typed array of it. */
export const numbersOf = (item: number): Numbers | undefined => {
  const Typed = ARRAYS[item - 2];
  if (!Typed) return;
  const name = `Vec<${TYPE_NAMES[item]}>`;
  return {
    numbers: item,
    name,
    encode(value, where) {
      let from = value;
      if (!(from instanceof Typed)) {
        if (!Array.isArray(from) && !(ArrayBuffer.isView(from) && !(from instanceof DataView)))
          throw wrongType(where, `${Typed.name} or an array of numbers`, from);
        const list = from as ArrayLike<unknown>;
        const made = new Typed(list.length);
        for (let i = 0; i < list.length; i++)
          made[i] = toRaw(`${where}[${i}]`, item, list[i]) as number;
        from = made;
      }
      const { buffer, byteOffset, byteLength } = from as Uint8Array;
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    decode: (u8, at, len) => new Typed(u8.slice(at, at + len).buffer),
  };
};
