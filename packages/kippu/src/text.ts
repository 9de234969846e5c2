// UTF-8 in and out of guest memory. Very short ASCII goes byte by byte, which beats every
// native call; the rest goes through Buffer where there is one (Node, Bun), else through
// TextDecoder and TextEncoder, which are slower to call.

interface NodeBuffer {
  utf8Slice?(this: Uint8Array, start: number, end: number): string;
  utf8Write?(this: Uint8Array, text: string, at: number, room: number): number;
}

const { utf8Slice, utf8Write } =
  (globalThis as { Buffer?: { prototype: NodeBuffer } }).Buffer?.prototype ?? ({} as NodeBuffer);
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

/** Up to this many bytes a loop is the fastest. */
const SHORT_READ = 8;
const SHORT_WRITE = 20;

/** The string in `len` bytes of UTF-8 at `at`. */
export const readText = (u8: Uint8Array, at: number, len: number): string => {
  const end = at + len;
  if (len <= SHORT_READ) {
    let text = "";
    let i = at;
    for (; i < end && u8[i] < 128; i++) text += String.fromCharCode(u8[i]);
    if (i === end) return text;
  }
  return utf8Slice ? utf8Slice.call(u8, at, end) : decoder.decode(u8.subarray(at, end));
};

/**
 * Writes `text` at `at` and gives the number of bytes, or -1 when the `room` bytes there
 * are not sure to hold it.
 */
export const writeText = (u8: Uint8Array, at: number, room: number, text: string): number => {
  const len = text.length;
  if (len * 3 > room) return -1;
  if (len <= SHORT_WRITE) {
    let i = 0;
    for (let c: number; i < len; u8[at + i++] = c) {
      c = text.charCodeAt(i);
      if (c > 127) break;
    }
    if (i === len) return len;
  }
  return utf8Write
    ? utf8Write.call(u8, text, at, room)
    : encoder.encodeInto(text, u8.subarray(at, at + room)).written;
};

export const encodeText = (text: string): Uint8Array => encoder.encode(text);
