// From whatever names or holds a module to the module.

import { KippuError } from "./errors.js";

/** What `instantiate` takes: where a module is, its bytes, a response with it, or itself. */
export type WasmSource = URL | string | BufferSource | Response | WebAssembly.Module;

const fromResponse = async (response: Response): Promise<WebAssembly.Module> => {
  if (!response.ok)
    throw new KippuError(
      "KIPPU_LOAD",
      `could not load ${response.url || "the module"}: HTTP status ${response.status}`,
    );
  // Streaming wants the right type; a server that sends another one is no reason to fail.
  if (response.headers.get("content-type")?.startsWith("application/wasm"))
    return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
};

/** Compiles `source`; `read` gives what a URL or string names. */
export const load = async (
  source: WasmSource | Promise<WasmSource>,
  read: (from: URL | string) => Promise<Response | BufferSource>,
): Promise<WebAssembly.Module> => {
  const wasm = await source;
  if (wasm instanceof WebAssembly.Module) return wasm;
  const found = typeof wasm === "string" || wasm instanceof URL ? await read(wasm) : wasm;
  return found instanceof Response ? fromResponse(found) : WebAssembly.compile(found);
};
