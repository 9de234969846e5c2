// The types of the boundary. Tuples instead of objects: their fields cost no names in a bundle.

/** Encodes and decodes the values of one serde type (type byte 12). */
export interface Codec {
  /** The type as Rust names it, for messages. */
  readonly name: string;
  /** The bytes stay valid until the next call of any codec. Throws TypeError, naming `where`. */
  encode(value: unknown, where: string): Uint8Array;
  decode(bytes: Uint8Array, at: number, len: number): unknown;
}

/** A stream; its values cross as numbers. */
export interface Stream {
  /** The type of its items. */
  readonly stream: Type;
  readonly name: string;
  /** The number of a stream that JavaScript gives. Throws TypeError, naming `where`. */
  take(value: unknown, where: string): number;
  /** Gives up what `take` gave. */
  drop(stream: number): void;
  /** The stream of the guest's with this number. */
  open(stream: number): unknown;
}

/** A type byte of the custom section, the codec of a serde type, or a stream. */
export type Type = number | Codec | Stream;

export const T_UNIT = 0;
export const T_BOOL = 1;
export const T_U32 = 7;
export const T_F64 = 9;
export const T_STRING = 10;
export const T_SERDE = 12;
export const T_STREAM = 13;
export const T_NUMBERS = 14;

export const isStream = (type: Type): type is Stream =>
  typeof type === "object" && "stream" in type;

/** The names of the types by number. */
export const TYPE_NAMES = "(),bool,i8,u8,i16,u16,i32,u32,f32,f64,string,bytes".split(",");

export type Param = readonly [name: string, type: Type];

/** What is known of a host function or an export. */
export type Signature = readonly [
  name: string,
  isAsync: boolean,
  params: readonly Param[],
  result: Type,
  doc?: string,
];

// biome-ignore lint/suspicious/noExplicitAny: host functions are the user's, of any signature
export type HostFunction = (...args: any[]) => unknown;

/** What crosses for one value: nothing, a number, text or bytes. */
export type Raw = undefined | number | string | Uint8Array;

/** How strings are written; text.ts tells what each does. */
export type TextCodec = readonly [
  write: (u8: Uint8Array, at: number, room: number, text: string) => number,
  encode: (text: string) => Uint8Array,
];

// Tags of records and replies.
export const NUMBER = 1;
export const BYTES = 2;
export const ERROR = 16;
export const OWNED = 32;

/**
 * Makes the error for a situation; `code` lacks its prefix `KIPPU_`. What `detail` is
 * depends on the code; errors.ts lists them.
 */
export type Fail = (code: string, detail?: unknown) => Error;
