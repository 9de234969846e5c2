// What the tests in browsers share: pages, and what the program of script.js must find there.

import { serve } from "../../../conformance/browsers.mjs";

/**
 * Opens a page that `routes` serve and waits until its script has set `globalThis.result`, to a
 * value or `{ error }`. What the console and uncaught errors say fails it.
 */
export const visit = async (browser, routes, { headers, path = "" } = {}) => {
  // Browsers ask for it by themselves.
  const icon = { "/favicon.ico": (_, response) => response.writeHead(204).end() };
  const server = await serve({ ...icon, ...routes }, { headers });
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`uncaught: ${error.stack ?? error}`));
  try {
    await page.goto(server.url + path);
    const handle = await Promise.race([
      page.waitForFunction(() => globalThis.result, { timeout: 30_000, polling: 50 }),
      browser.expired,
    ]).catch((cause) => {
      throw new Error(`the page gave no result; it said: ${said.join("\n") || "nothing"}`, {
        cause,
      });
    });
    const result = await handle.jsonValue();
    if (result.error) throw new Error(`the page failed: ${result.error}\n${said.join("\n")}`);
    return { result, said };
  } finally {
    await page.close();
    await server.close();
  }
};

/** What `script` of script.js gives, wherever it runs. */
export const EXPECTED = {
  notes: ["kippu", "späte Wörter 🦀"],
  explained: ["kippu: a ticket", "späte Wörter 🦀: unknown"],
  items: [
    { name: "pen", prices: [3, 5], size: "Unknown", comment: null },
    { name: "bücher", prices: [], size: { Box: { width: 8, height: 6 } }, comment: "heavy" },
  ],
  refused: "TypeError",
  code: 7,
};
