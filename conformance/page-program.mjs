// What page.mjs runs on the page. The package is a plain ES module here, without a bundler.
import { createHost } from "./host.mjs";
import { run } from "./kippu/browser.js";

const { args, env } = await (await fetch("options")).json();
let code = 1;
try {
  code = await run("guest.wasm", { args, env, host: createHost() });
} catch (e) {
  // As Node does with what nobody catches. Not every engine begins a stack with the error.
  const { stack } = e;
  console.error(stack.startsWith(String(e)) ? stack : `${e}\n${stack}`);
}
// All that was printed has come out before this line.
console.info(`exit code ${code}`);
