// The HTTP client of the crate `kippu`, from Rust to real servers and back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { after, before, test } from "node:test";
import { instantiate } from "kippu";
import { buildGuest } from "./rust.mjs";

const bytes = (text) => new TextEncoder().encode(text);
const text = (u8) => new TextDecoder().decode(u8);
const request = (url, more) => ({
  method: "GET",
  url,
  headers: [],
  body: null,
  redirect: "Default",
  credentials: "Default",
  timeout: null,
  read_timeout: null,
  ...more,
});

let wasm;
let guest;
before(async () => {
  wasm = await WebAssembly.compile(await readFile(buildGuest("http-guest")));
  guest = await instantiate(wasm);
});
after(() => guest.dispose());

/** A server whose answers `answer` gives; ends with the tests. */
const serve = async (answer) => {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
};

const bodyOf = async (stream) => {
  let body = "";
  for await (const chunk of stream) body += text(chunk);
  return body;
};

/** What an async generator waits for, and the test gives. */
const gate = () => Promise.withResolvers?.() ?? deferred();
const deferred = () => {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  return d;
};

test("a request and its response", async () => {
  const url = await serve(async (req, res) => {
    const body = await bodyOf(req);
    const { cookie, "user-agent": agent } = req.headers;
    res.writeHead(201, { "set-cookie": ["a=1; Path=/", "b=2, c=3"], "x-latin": "\xe4" });
    res.end(`${req.method} ${req.url} ${cookie} ${agent} ${body}`);
  });
  const post = request(`${url}/p?q#f`, {
    method: "POST",
    headers: [["cookie", "x=y; z"]],
    body: bytes("größe"),
  });
  const answer = await guest.exports.ask(post);
  assert.equal(answer.status, 201);
  assert.match(answer.text, /^POST \/p\?q x=y; z kippu\/\d+\.\d+\.\d+ größe$/);
  assert.equal(answer.url, `${url}/p?q`);
  assert.equal(answer.content_length, null);
  const cookies = answer.headers.filter(([name]) => name === "set-cookie");
  assert.deepEqual(
    cookies.map(([, value]) => value),
    ["a=1; Path=/", "b=2, c=3"],
  );
});

test("json and query", async () => {
  const url = await serve(async (req, res) => {
    const { sent } = JSON.parse(await bodyOf(req));
    const got = `${req.url} ${req.headers["content-type"]} ${sent}`;
    res.end(sent === "bad" ? "<html>" : JSON.stringify({ got }));
  });
  assert.equal(
    await guest.exports.json(`${url}/?x=1`, "ö"),
    "/?x=1&a+b=%C3%BC%26 application/json ö",
  );
  assert.equal(await guest.exports.json(url, "bad"), "no JSON");
});

test("redirects are followed, shown or errors", async () => {
  const other = await serve((req, res) => res.end(`other ${req.headers.authorization}`));
  const url = await serve((req, res) => {
    const n = Number(req.url.slice(1));
    if (req.url === "/away") res.writeHead(302, { location: other }).end();
    else if (n > 0) res.writeHead(302, { location: `/${n - 1}` }).end();
    else res.end(`end ${req.headers.authorization}`);
  });
  const ask = (path, redirect) =>
    guest.exports.ask(request(url + path, { redirect, headers: [["authorization", "secret"]] }));
  const followed = await ask("/10", "Default");
  assert.deepEqual([followed.text, followed.url], ["end secret", `${url}/0`]);
  await assert.rejects(ask("/11", "Default"), { code: "TooManyRedirects" });
  assert.equal((await ask("/2", { Follow: 2 })).text, "end secret");
  await assert.rejects(ask("/2", { Follow: 1 }), { code: "TooManyRedirects" });
  await assert.rejects(ask("/1", { Follow: 0 }), { code: "TooManyRedirects" });
  assert.equal((await ask("/away", "Default")).text, "other undefined");
  const shown = await ask("/5", "Manual");
  assert.deepEqual([shown.status, shown.url], [302, `${url}/5`]);
  assert.ok(shown.headers.some(([name, value]) => name === "location" && value === "/4"));
  await assert.rejects(ask("/5", "Error"), { code: "Redirect" });
  assert.equal((await ask("/0", "Error")).text, "end secret");
});

test("an upload is sent piece by piece, as it is made", async () => {
  const seen = [];
  const arrived = [gate(), gate()];
  const url = await serve(async (req, res) => {
    assert.equal(req.headers["content-length"], undefined);
    for await (const chunk of req) {
      seen.push(text(chunk));
      arrived[seen.length - 1]?.resolve();
    }
    res.end("got it");
  });
  async function* pieces() {
    yield bytes("one");
    // The next one is made when the server has this one.
    await arrived[0].promise;
    yield bytes("");
    yield bytes("two");
    await arrived[1].promise;
    yield bytes("three");
  }
  const answer = await guest.exports.upload(request(url, { method: "POST" }), pieces());
  assert.equal(answer.text, "got it");
  assert.deepEqual(seen, ["one", "two", "three"]);
});

test("an upload is not made faster than it is sent", async () => {
  const stuck = gate();
  const url = await serve((req) => {
    req.pause();
    stuck.resolve();
  });
  let made = 0;
  const closed = gate();
  async function* pieces() {
    try {
      for (; made < 1000; made++) yield new Uint8Array(1 << 20);
    } finally {
      closed.resolve();
    }
  }
  const stop = new AbortController();
  const sending = guest.exports.upload(request(url, { method: "POST" }), pieces(), stop.signal);
  await stuck.promise;
  // Long enough for a host that does not wait to make all of them.
  await new Promise((resolve) => setTimeout(resolve, 300));
  stop.abort();
  await assert.rejects(sending, { name: "AbortError" });
  await closed.promise;
  // What the buffers of the system hold.
  assert.ok(made < 64, `${made} MiB were made for a server that reads nothing`);
});

test("an error of the uploaded stream is the error of the request", async () => {
  const begun = gate();
  const broken = gate();
  const url = await serve((req) => {
    req.once("data", begun.resolve).on("error", broken.resolve);
  });
  async function* pieces() {
    yield bytes("one");
    await begun.promise;
    throw Object.assign(new RangeError("the well is dry"), { code: "E_DRY" });
  }
  await assert.rejects(guest.exports.upload(request(url, { method: "PUT" }), pieces()), (e) => {
    assert.equal(e.code, "Body");
    assert.deepEqual(
      [e.cause.name, e.cause.message, e.cause.code],
      ["RangeError", "the well is dry", "E_DRY"],
    );
    return true;
  });
  await broken.promise;
});

test("an error of the uploaded stream after the head of the answer", async () => {
  const broken = gate();
  const url = await serve((req, res) => {
    req.resume().socket.once("close", () => broken.resolve(req.complete));
    res.writeHead(200).write("early");
  });
  const reading = gate();
  async function* pieces() {
    yield bytes("one");
    await reading.promise;
    throw new RangeError("the well is dry");
  }
  const body = await guest.exports.exchange(request(url, { method: "POST" }), pieces());
  assert.equal(text((await body.next()).value), "early");
  reading.resolve();
  await assert.rejects(body.next(), (e) => {
    assert.deepEqual([e.code, e.cause.name], ["Body", "RangeError"]);
    return true;
  });
  assert.equal(await broken.promise, false);
});

test("a streamed body is not sent twice", async () => {
  const url = await serve(async (req, res) => {
    if (req.url === "/end") return res.end(req.method);
    await bodyOf(req);
    res.writeHead(Number(req.url.slice(1)), { location: "/end" }).end();
  });
  const upload = (method, path) =>
    guest.exports.upload(request(url + path, { method }), [bytes("a"), bytes("b")]);
  await assert.rejects(upload("POST", "/307"), { code: "Redirect" });
  await assert.rejects(upload("PUT", "/302"), { code: "Redirect" });
  assert.equal((await upload("POST", "/302")).text, "GET");
  assert.equal((await upload("PUT", "/303")).text, "GET");
});

test("dropping a request ends it, before, within and after the upload", async () => {
  for (const stage of ["head", "upload", "answer"]) {
    const stop = new AbortController();
    const gone = gate();
    const url = await serve((req, res) => {
      res.once("close", gone.resolve);
      if (stage === "head") stop.abort();
      req.on("data", () => stage === "upload" && stop.abort());
      req.on("end", () => stage === "answer" && stop.abort());
    });
    const closed = gate();
    const never = gate();
    async function* pieces() {
      try {
        yield bytes("some");
        if (stage !== "answer") await never.promise;
      } finally {
        closed.resolve();
      }
    }
    const sending = guest.exports.upload(request(url, { method: "POST" }), pieces(), stop.signal);
    await assert.rejects(sending, { name: "AbortError" }, stage);
    await gone.promise;
    // A generator that waits ends when what it waits for is there; one that has not begun never does.
    never.resolve();
    if (stage !== "head") await closed.promise;
  }
});

test("dropping the response ends an upload that goes on", async () => {
  const gone = gate();
  const url = await serve((req, res) => {
    req.on("error", gone.resolve);
    res.writeHead(200).write("early");
  });
  const closed = gate();
  const never = gate();
  async function* pieces() {
    try {
      yield bytes("some");
      await never.promise;
    } finally {
      closed.resolve();
    }
  }
  const status = await guest.exports.drop_response(request(url, { method: "POST" }), pieces());
  assert.equal(status, 200);
  await gone.promise;
  never.resolve();
  await closed.promise;
});

test("an upload ends with its answer, and is not taken for complete", async () => {
  const complete = gate();
  const url = await serve((req, res) => {
    req.resume().socket.once("close", () => complete.resolve(req.complete));
    res.end("no need");
  });
  const never = gate();
  async function* pieces() {
    yield bytes("some");
    await never.promise;
  }
  const answer = await guest.exports.upload(request(url, { method: "POST" }), pieces());
  assert.equal(answer.text, "no need");
  assert.equal(await complete.promise, false);
  never.resolve();
});

test("a download comes as it is sent, and leaving it early ends it", async () => {
  const gone = gate();
  let answer;
  const url = await serve((_, res) => {
    res.once("close", gone.resolve);
    answer = res;
    res.writeHead(200).write("one");
  });
  const seen = [];
  for await (const piece of await guest.exports.download(request(url))) {
    seen.push(text(piece));
    if (seen.length === 2) break;
    answer.write("two");
  }
  assert.deepEqual(seen, ["one", "two"]);
  await gone.promise;
});

test("a download is not read faster than it is taken", async () => {
  let sent = 0;
  const url = await serve((_, res) => {
    res.writeHead(200);
    const more = () => {
      while (sent < 256 && res.write(new Uint8Array(1 << 20))) sent++;
    };
    res.on("drain", more);
    more();
  });
  const body = await guest.exports.download(request(url));
  await body.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(sent < 64, `${sent} MiB were sent to a program that reads nothing`);
  await body.return();
});

test("a download that breaks off is an error at its place", async () => {
  const begun = gate();
  const server = createTcpServer((socket) => {
    socket.once("data", async () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
      await begun.promise;
      socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  const body = await guest.exports.download(request(`http://127.0.0.1:${server.address().port}/`));
  assert.equal(text((await body.next()).value), "half");
  begun.resolve();
  await assert.rejects(body.next(), { code: "Closed" });
  assert.equal((await body.next()).done, true);
});

test("timeouts of the head and of reading", async () => {
  const url = await serve((req, res) => {
    if (req.url === "/silent") return;
    res.writeHead(200, { "content-length": "100" }).write("half");
  });
  await assert.rejects(guest.exports.ask(request(`${url}/silent`, { timeout: 100 })), {
    code: "Timeout",
  });
  await assert.rejects(guest.exports.ask(request(`${url}/slow`, { read_timeout: 100 })), {
    code: "Timeout",
  });
});

test("errors have a kind, and the host's own errors as causes", async () => {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/`;
  server.close();
  await once(server, "close");
  await assert.rejects(guest.exports.ask(request(url)), (e) => {
    assert.equal(e.code, "Connect");
    assert.equal(e.message, `connection refused or unreachable: ${url}`);
    assert.deepEqual([e.cause.name, e.cause.code], ["HttpError", "connect"]);
    assert.match(e.cause.message, /refused/i);
    assert.equal(e.cause.cause.name, "TypeError");
    return true;
  });
  await assert.rejects(guest.exports.ask(request("ftp://localhost/")), { code: "Url" });
  await assert.rejects(guest.exports.ask(request(url, { headers: [["host", "a"]] })), {
    code: "Other",
  });
});
