// Names: what may stand where in TypeScript, and which one a type of the guest gets.

// What TypeScript gives a meaning of its own, and what the files made here refer to.
const TAKEN =
  `any as asserts async await bigint boolean break case catch class const continue debugger
declare default delete do else enum export extends false finally for function get if implements import
in infer instanceof interface intrinsic is keyof let module namespace never new null number object of
package private protected public readonly require return satisfies set static string super switch
symbol this throw true try type typeof undefined unique unknown using var void while with yield
AbortSignal ArrayBuffer ArrayBufferView BigInt64Array BigUint64Array Context DataView Exports Float32Array
Float64Array GuestStream Host Int16Array Int32Array Int8Array Map Promise PromiseLike ReadonlyMap ReadonlySet
Record StreamSource Uint16Array Uint32Array Uint8Array`.split(/\s+/);

// Words that cannot be the name of a parameter in a module.
const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval
export extends false finally for function if implements import in instanceof interface let new null
package private protected public return static super switch this throw true try typeof var void while
with yield`.split(/\s+/),
);

/** Whether `text` can be a name in JavaScript. */
export const isIdentifier = (text: string): boolean =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(text);

/** The name of a property: as it is when that is possible, else quoted. */
export const property = (name: string): string =>
  isIdentifier(name) ? name : JSON.stringify(name);

/** Gives each name once: the second `Page` is `Page2`. */
export const createNames = (): ((wanted: string) => string) => {
  const taken = new Set(TAKEN);
  return (wanted) => {
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}${n}`;
    taken.add(name);
    return name;
  };
};

/** The names of parameters; an underscore follows those that are reserved or there twice. */
export const parameterNames = (wanted: readonly string[]): string[] => {
  const taken = new Set(RESERVED);
  return wanted.map((text, i) => {
    // Rust writes its own reserved words as `r#type`.
    const plain = text.replace(/^r#/, "");
    let name = isIdentifier(plain) ? plain : `arg${i}`;
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  });
};
