// For programs in TypeScript: wasm-bindgen's tool writes no types for the module that holds its glue.

// ANCHOR: glue
declare module "*_bg.js" {
  export function __wbg_set_wasm(exports: unknown): void;
}
// ANCHOR_END: glue
