// The HTTP client of the crate `kippu` on a page: what the browser does, hides and forbids.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { BROWSER_NAMES, launch, serve } from "../../../conformance/browsers.mjs";
import { buildGuest } from "../test/rust.mjs";

const bodyOf = async (stream) => {
  let body = "";
  for await (const chunk of stream) body += chunk;
  return body;
};

const deferred = () => {
  const d = {};
  d.promise = new Promise((resolve) => {
    d.resolve = resolve;
  });
  return d;
};

/** What `server` has seen; and the stages that tests wait for, by name. */
const seen = [];
const stages = new Map();
const stage = (name) => {
  if (!stages.has(name)) stages.set(name, deferred());
  return stages.get(name);
};

const cors = (request) => ({
  "access-control-allow-origin": request.headers.origin ?? "*",
  "access-control-allow-credentials": "true",
});

/** The same for both origins. */
const api = {
  "/api/set": (request, response) => {
    const cookies = ["sweet=1; SameSite=Lax", "sour=2; SameSite=Lax"];
    response.writeHead(200, { ...cors(request), "set-cookie": cookies }).end("set");
  },
  "/api/cookies": (request, response) => {
    response.writeHead(200, cors(request)).end(request.headers.cookie ?? "none");
  },
  "/api/redirect/": (request, response, url) => {
    const left = Number(url.pathname.split("/").at(-1));
    if (left) response.writeHead(302, { ...cors(request), location: `./${left - 1}` }).end();
    else response.writeHead(200, cors(request)).end("arrived");
  },
  "/api/echo": async (request, response) => {
    const { method, headers } = request;
    const body = await bodyOf(request);
    const { "content-length": length, "user-agent": agent } = headers;
    seen.push({ method, length, agent, body });
    response.writeHead(200, cors(request)).end(body);
  },
  "/api/silent": (_, response) => {
    stage("asked").resolve();
    response.once("close", stage("gone").resolve);
  },
  "/api/endless": async (_, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream" }).write("one");
    response.once("close", stage("left").resolve);
    await stage("more").promise;
    response.write("two");
  },
  "/api/more": (_, response) => {
    stage("more").resolve();
    response.end();
  },
  "/api/broken": async (_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("half");
    await stage("half").promise;
    response.destroy();
  },
  "/api/half": (_, response) => {
    stage("half").resolve();
    response.end();
  },
  "/api/private": (_, response) => response.end("not for others"),
};

let server;
let other;
before(async () => {
  const page = {
    "/": "<!doctype html><meta charset=utf-8><title>http</title><p>",
    "/favicon.ico": (_, response) => response.writeHead(204).end(),
    "/guest.wasm": buildGuest("http-guest"),
    "/kippu/": new URL("../dist/", import.meta.url),
  };
  server = await serve({ ...page, ...api });
  other = await serve(api);
});
after(async () => {
  await server?.close();
  await other?.close();
});

/** In the page: loads the guest and what the tests below call. */
const prepare = async () => {
  const { instantiate } = await import("/kippu/browser.js");
  const guest = await instantiate("/guest.wasm");
  const request = (url, more) => ({
    method: "GET",
    url: new URL(url, location.href).href,
    headers: [],
    body: null,
    redirect: "Default",
    credentials: "Default",
    timeout: null,
    read_timeout: null,
    ...more,
  });
  const told = ({ name, code, message, cause }) => ({
    name,
    code,
    message,
    cause: cause && told(cause),
  });
  /** What `f` gives, or the error that it fails with. */
  const outcome = async (f) => {
    try {
      return await f();
    } catch (e) {
      return { error: told(e) };
    }
  };
  Object.assign(globalThis, {
    guest,
    request,
    outcome,
    ask: (url, more) => outcome(() => guest.exports.ask(request(url, more))),
    text: (u8) => new TextDecoder().decode(u8),
    bytes: (text) => new TextEncoder().encode(text),
  });
};

for (const name of BROWSER_NAMES)
  describe(name, () => {
    let browser;
    let page;
    const ask = (path, more) =>
      page.evaluate((path, more) => globalThis.ask(path, more), path, more);

    before(async () => {
      browser = await launch(name);
      page = await browser.newPage(server.url);
      await page.evaluate(prepare);
      seen.length = 0;
      stages.clear();
    });
    after(() => browser?.close());

    test("cookies are the browser's", async () => {
      const set = await ask("/api/set");
      assert.equal(set.text, "set");
      assert.ok(!set.headers.some(([name]) => name === "set-cookie"), "nobody sees them");
      assert.equal((await ask("/api/cookies")).text, "sweet=1; sour=2");
      assert.equal((await ask("/api/cookies", { credentials: "Omit" })).text, "none");
      const there = `${other.url}api/cookies`;
      assert.equal((await ask(there)).text, "none");
      assert.equal((await ask(there, { credentials: "Include" })).text, "sweet=1; sour=2");
      const { error } = await ask("/api/cookies", { headers: [["cookie", "mine=3"]] });
      assert.equal(error.code, "Unsupported");
      assert.match(error.cause.message, /\bcookie\b/);
    });

    test("redirects are the browser's", async () => {
      const followed = await ask("/api/redirect/3");
      assert.deepEqual([followed.text, followed.url], ["arrived", `${server.url}api/redirect/0`]);
      const limited = await ask("/api/redirect/3", { redirect: { Follow: 1 } });
      assert.equal(limited.text, "arrived", "by its own limit");
      const straight = await ask("/api/redirect/0");
      assert.equal(straight.url, `${server.url}api/redirect/0`);

      assert.equal(
        (await ask("/api/redirect/1", { redirect: "Manual" })).error.code,
        "Unsupported",
      );
      assert.equal((await ask("/api/redirect/0", { redirect: "Manual" })).text, "arrived");
      assert.equal((await ask("/api/redirect/1", { redirect: "Error" })).error.code, "Redirect");
      assert.equal((await ask("/api/redirect/0", { redirect: "Error" })).text, "arrived");
    });

    test("another origin is asked no more than plain fetch asks", async () => {
      const answer = await ask(`${other.url}api/echo`, { method: "POST", body: [104, 105] });
      assert.equal(answer.text, "hi");
      assert.equal(answer.content_length, null, "what is hidden may make it wrong");
      const requests = seen.splice(0);
      assert.deepEqual(
        requests.map(({ method, body }) => [method, body]),
        [["POST", "hi"]],
        "without a preflight",
      );
      assert.doesNotMatch(requests[0].agent, /kippu/);
      assert.equal((await ask(`${other.url}api/private`)).error.code, "Connect");
    });

    test("a streamed body is collected and sent", async () => {
      const answer = await page.evaluate(async () => {
        async function* pieces() {
          for (const piece of ["one ", "two ", "three"]) {
            await new Promise((resolve) => setTimeout(resolve));
            yield bytes(piece);
          }
        }
        return guest.exports.upload(request("/api/echo", { method: "POST" }), pieces());
      });
      assert.equal(answer.text, "one two three");
      const [{ length, body }] = seen.splice(0);
      assert.deepEqual([length, body], ["13", "one two three"]);
    });

    test("a stream that fails or is dropped sends nothing", async () => {
      const failed = await page.evaluate(async () => {
        async function* pieces() {
          yield bytes("some");
          throw new RangeError("the well is dry");
        }
        const post = request("/api/echo", { method: "POST" });
        return outcome(() => guest.exports.upload(post, pieces()));
      });
      assert.equal(failed.error.code, "Body");
      assert.deepEqual(
        [failed.error.cause.name, failed.error.cause.message],
        ["RangeError", "the well is dry"],
      );
      const dropped = await page.evaluate(async () => {
        const stop = new AbortController();
        let closed;
        const isClosed = new Promise((resolve) => {
          closed = resolve;
        });
        const pieces = {
          [Symbol.asyncIterator]: () => ({
            pulled: false,
            next() {
              if (!this.pulled) {
                this.pulled = true;
                return Promise.resolve({ done: false, value: bytes("some") });
              }
              setTimeout(() => stop.abort());
              return new Promise(() => {});
            },
            return() {
              closed("closed");
              return Promise.resolve({ done: true });
            },
          }),
        };
        const post = request("/api/echo", { method: "POST" });
        const { error } = await outcome(() => guest.exports.upload(post, pieces, stop.signal));
        return [error.name, await isClosed];
      });
      assert.deepEqual(dropped, ["AbortError", "closed"]);
      // The browser asks in order, so what was sent before would be here.
      assert.equal((await ask("/api/echo")).text, "");
      assert.deepEqual(
        seen.splice(0).map(({ method }) => method),
        ["GET"],
      );
    });

    test("a download comes as it is sent, and leaving it early ends it", async () => {
      const pieces = await page.evaluate(async () => {
        const pieces = [];
        for await (const piece of await guest.exports.download(request("/api/endless"))) {
          pieces.push(text(piece));
          if (pieces.length === 2) break;
          await fetch("/api/more");
        }
        return pieces;
      });
      assert.deepEqual(pieces, ["one", "two"]);
      await stage("left").promise;
    });

    test("dropping a request ends it", async () => {
      await page.evaluate(() => {
        globalThis.stop = new AbortController();
        const asking = () => guest.exports.ask(request("/api/silent"), stop.signal);
        globalThis.dropped = outcome(asking);
      });
      await stage("asked").promise;
      const { error } = await page.evaluate(() => {
        stop.abort();
        return dropped;
      });
      assert.equal(error.name, "AbortError");
      await stage("gone").promise;
    });

    test("what errors there are", async () => {
      const unused = createServer().listen(0, "127.0.0.1");
      await once(unused, "listening");
      const url = `http://127.0.0.1:${unused.address().port}/`;
      unused.close();
      await once(unused, "close");
      const { error } = await ask(url);
      assert.deepEqual([error.code, error.cause.name], ["Connect", "HttpError"]);
      assert.equal(error.cause.cause.name, "TypeError");

      const broken = await page.evaluate(async () => {
        const body = await guest.exports.download(request("/api/broken"));
        const first = text((await body.next()).value);
        await fetch("/api/half");
        const { error } = await outcome(() => body.next());
        return [first, error.code, (await body.next()).done];
      });
      assert.deepEqual(broken, ["half", "Closed", true]);
      assert.equal((await ask("/api/silent", { timeout: 50 })).error.code, "Timeout");
      assert.equal((await ask("ftp://localhost/")).error.code, "Url");
    });
  });
