// What page.mjs runs on the page. The package is a plain ES module here, without a bundler.
import { createHost } from "./host.mjs";
import { run } from "./kippu/browser.js";

/** All that was printed has come out before this line. */
const exit = (code) => console.info(`exit code ${code}`);
const fail = (e) => {
  // As Node does with what nobody catches. Not every engine begins a stack with the error.
  const stack = e?.stack ?? "";
  console.error(stack.startsWith(String(e)) ? stack : `${e}\n${stack}`);
  exit(1);
};
addEventListener("error", ({ error, message }) => fail(error ?? message));
addEventListener("unhandledrejection", ({ reason }) => fail(reason));
console.info("started");

const { args, env } = await (await fetch("options")).json();
const stdio = { stdin: (await fetch("stdin")).body ?? "" };
try {
  exit(await run("guest.wasm", { args, env, stdio, host: createHost() }));
} catch (e) {
  fail(e);
}
