// Runs the conformance guest on the main thread of a page: node page.mjs BROWSER GUEST.wasm [CASE…].
// What the guest prints comes out here, and its exit code is that of this program.
import { pathToFileURL } from "node:url";
import { launch, serve } from "./browsers.mjs";

/** In milliseconds. The cases take some seconds; who runs this waits a little longer. */
const LIMIT = 150_000;

const [name, wasm, ...args] = process.argv.slice(2);
if (!wasm) {
  console.error("usage: node page.mjs BROWSER GUEST.wasm [CASE…]");
  process.exit(2);
}
// A page has no environment: it gets only what is meant for the cases.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name.startsWith("KIPPU_CONFORMANCE_")),
);

const server = await serve(
  {
    "/": '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="page-program.mjs"></script>',
    "/page-program.mjs": "conformance/page-program.mjs",
    "/host.mjs": "conformance/host.mjs",
    "/kippu/": "packages/kippu/dist/",
    "/guest.wasm": pathToFileURL(wasm),
    // The page's program reads what this one is given.
    "/stdin": (_, response) => process.stdin.pipe(response),
    "/options": (_, response) => response.end(JSON.stringify({ args, env })),
  },
  // No program that is made at run time but WebAssembly.
  { headers: { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'" } },
);
const browser = await launch(name, { limit: LIMIT });
try {
  const page = await browser.newPage();
  const outputs = { log: process.stdout, error: process.stderr };
  const end = new Promise((resolve, reject) => {
    let started = false;
    page.on("console", (message) => {
      const text = message.text();
      const note = message.type() === "info" && /^(started|exit code (\d+))$/.exec(text);
      if (!note) (outputs[message.type()] ?? process.stderr).write(`${text}\n`);
      else if (note[2]) resolve(Number(note[2]));
      else started = true;
    });
    page.on("pageerror", (e) => {
      // Once it runs, the program looks after errors itself. Firefox also reports what is none of its,
      // such as that another origin does not answer.
      if (started) process.stderr.write(`${e}\n`);
      else reject(e);
    });
    page.on("error", reject);
  });
  await page.goto(server.url);
  process.exitCode = await Promise.race([end, browser.expired]);
} catch (e) {
  console.error(`${browser.version}:`, e);
  process.exitCode = 3;
} finally {
  await browser.close();
  await server.close();
}
