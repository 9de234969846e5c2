// The library for JavaScript, before and after its last step away from wasm-bindgen.

import { instantiate } from "kippu";
import { wasmBindgen } from "kippu/wasm-bindgen";

const download = async (url, { signal }) => {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return response.arrayBuffer();
};

// ANCHOR: before
/** `folder` is the URL of what wasm-bindgen's tool wrote. `progress` is called after every file. */
export const openBefore = async (folder, progress) => {
  const glue = await import(new URL("checksums_bg.js", folder).href);
  const guest = await instantiate(new URL("checksums_bg.wasm", folder), {
    host: { download },
    foreign: wasmBindgen(glue),
  });
  glue.onProgress(progress);
  return guest;
};
// ANCHOR_END: before

// ANCHOR: after
/** `wasm` is the URL of what cargo wrote. */
export const openAfter = (wasm, progress) =>
  instantiate(wasm, {
    host: {
      download,
      progress,
      // The bytes are lent during the call only, and `digest` copies them within it.
      digest: (bytes) => crypto.subtle.digest("SHA-256", bytes),
    },
  });
// ANCHOR_END: after
