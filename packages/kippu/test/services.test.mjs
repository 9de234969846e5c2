// The services of the crate `kippu` in Node.

import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { nodeServices } from "../dist/node.js";
import { httpError } from "../dist/services/http-error.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (u8) => new TextDecoder().decode(u8);

/** Calls a function of a service as the guest would: values go through their encodings. */
const caller = (services) => (module, name, args, signal) => {
  const [[, isAsync, params, result], fn] = services[module][name];
  const cross = (type, value) => {
    if (typeof type === "number" || "stream" in type) return value;
    const encoded = type.encode(value, name).slice();
    return type.decode(encoded, 0, encoded.length);
  };
  const given = params.map(([, type], i) => cross(type, args[i]));
  const context = { signal: signal ?? new AbortController().signal };
  if (!isAsync) return cross(result, fn(...given));
  return (async () => cross(result, await fn(...given, context)))();
};
const open = (options) => {
  const { services, close } = nodeServices(options);
  after(close);
  return caller(services);
};

test("env", () => {
  const call = open({ args: ["a", "ö"], env: { A: "1", EMPTY: "", B: undefined }, cwd: "/x" });
  assert.deepEqual(call("kippu:env", "args", []), ["a", "ö"]);
  assert.equal(call("kippu:env", "var", ["A"]), "1");
  assert.equal(call("kippu:env", "var", ["EMPTY"]), "");
  assert.equal(call("kippu:env", "var", ["B"]), null);
  assert.equal(call("kippu:env", "var", ["toString"]), null);
  assert.deepEqual(call("kippu:env", "vars", []), [
    ["A", "1"],
    ["EMPTY", ""],
  ]);
  assert.equal(call("kippu:env", "current_dir", []), "/x");
});

test("files", async () => {
  const cwd = await fs.mkdtemp(join(tmpdir(), "kippu-"));
  after(() => fs.rm(cwd, { recursive: true }));
  const call = open({ cwd });
  const run = (name, ...args) => call("kippu:fs", name, args);
  await run("create_dir_all", "a/b");
  await run("create_dir_all", "a/b");
  const data = bytes("größe");
  const written = run("write", "a/file", data);
  data.fill(0);
  await written;
  assert.equal(text(await run("read", "a/file")), "größe", "lent bytes were copied");
  const meta = await run("metadata", "a/file");
  assert.deepEqual([meta.kind, meta.len], [0, 7]);
  assert.ok(Math.abs(meta.modified_ms - Date.now()) < 60_000);
  await fs.symlink("file", join(cwd, "a/link"));
  assert.equal((await run("metadata", "a/link")).kind, 0);
  assert.equal((await run("symlink_metadata", "a/link")).kind, 2);
  await run("write", "a/\u{ffff}", bytes(""));
  await run("write", "a/\u{10000}", bytes(""));
  assert.deepEqual(await run("read_dir", "a"), [
    ["b", 1],
    ["file", 0],
    ["link", 2],
    ["\u{ffff}", 0],
    ["\u{10000}", 0],
  ]);
  assert.equal(await run("canonicalize", "a/link"), await fs.realpath(join(cwd, "a/file")));
  await run("rename", "a/file", "a/b/moved");
  await run("remove_file", "a/b/moved");
  await run("write", "a/b/keep", bytes("x"));
  await fs.symlink("b", join(cwd, "a/folder"));
  await run("remove_dir_all", "a/folder");
  assert.equal(text(await run("read", "a/b/keep")), "x", "a link is removed, not what it names");
  for (const [code, name, ...args] of [
    ["ENOENT", "read", "none"],
    ["ENOENT", "read", ""],
    ["EINVAL", "read", "a\0b"],
    ["EISDIR", "read", "a"],
    ["ENOTDIR", "read", "a/b/keep/x"],
    ["ENOTDIR", "metadata", "a/b/keep/"],
    ["ENOTDIR", "remove_dir_all", "a/b/keep"],
    ["ENOENT", "remove_dir_all", "none"],
    ["EEXIST", "create_dir_all", "a/b/keep"],
    ["ENOENT", "rename", "none", "other"],
  ])
    await assert.rejects(run(name, ...args), { code }, `${name} ${args}`);
  await run("remove_dir_all", "a");
  assert.deepEqual(await run("read_dir", "."), []);
});

test("output keeps the order of write and print, to every kind of stream", async () => {
  const slow = [];
  for (const [name, make] of [
    ["function", (out) => (chunk) => void out.push(chunk)],
    [
      "slow function",
      (out) => async (chunk) => {
        await new Promise((resolve) => setTimeout(resolve, slow.push(0) % 3));
        out.push(chunk);
      },
    ],
    [
      "node",
      (out) =>
        new Writable({
          write(chunk, _, done) {
            setImmediate(() => {
              out.push(chunk);
              done();
            });
          },
        }),
    ],
    ["web", (out) => new WritableStream({ write: (chunk) => void out.push(chunk) })],
  ]) {
    const out = [];
    const { services, close } = nodeServices({ stdio: { stdout: make(out), stderr: make([]) } });
    const call = caller(services);
    const buffer = bytes("1");
    const first = call("kippu:io", "write", [1, buffer]);
    buffer.fill(0);
    call("kippu:io", "print", [1, bytes("2")]);
    const third = call("kippu:io", "write", [1, bytes("3")]);
    call("kippu:io", "print", [1, bytes("4")]);
    await Promise.all([first, third]);
    await close();
    assert.equal(out.map(text).join(""), "1234", name);
  }
});

test("a broken pipe is an error of write and nothing else", async () => {
  const stdout = new Writable({
    write(_chunk, _, done) {
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    },
  });
  const { services, close } = nodeServices({ stdio: { stdout } });
  const call = caller(services);
  await assert.rejects(call("kippu:io", "write", [1, bytes("x")]), { code: "EPIPE" });
  call("kippu:io", "print", [1, bytes("x")]);
  await assert.rejects(call("kippu:io", "write", [3, bytes("x")]), { code: "EBADF" });
  await close();
});

test("input comes from every kind of source, in pieces of at most max", async () => {
  const pieces = ["hel", "lo", ""];
  for (const [name, stdin] of [
    ["text", "hello"],
    ["bytes", bytes("hello")],
    ["array", pieces],
    ["node", Readable.from(pieces.map((p) => Buffer.from(p)))],
    ["web", ReadableStream.from(pieces.map(bytes))],
    [
      "function",
      (
        (left) => async () =>
          left.shift() ?? null
      )([...pieces]),
    ],
  ]) {
    const call = open({ stdio: { stdin } });
    let read = "";
    for (;;) {
      const chunk = await call("kippu:io", "read", [2]);
      assert.ok(chunk.length <= 2, name);
      if (!chunk.length) break;
      read += text(chunk);
    }
    assert.equal(read, "hello", name);
    assert.equal((await call("kippu:io", "read", [2])).length, 0, name);
  }
});

test("a dropped read leaves its bytes to the next, also of the next program", async () => {
  const stdin = new PassThrough();
  const first = open({ stdio: { stdin } });
  const dropped = new AbortController();
  const lost = first("kippu:io", "read", [10], dropped.signal);
  dropped.abort();
  stdin.write("abc");
  await lost;
  assert.equal(text(await first("kippu:io", "read", [2])), "ab");
  const second = open({ stdio: { stdin } });
  assert.equal(text(await second("kippu:io", "read", [2])), "c");
});

test("terminals", () => {
  const call = open({ stdio: { stdin: "", stdout: () => {}, stderr: fakeTerminal() } });
  assert.deepEqual(
    [0, 1, 2, 3].map((fd) => call("kippu:io", "is_terminal", [fd])),
    [false, false, true, false],
  );
  assert.deepEqual(
    [1, 2].map((fd) => call("kippu:io", "columns", [fd])),
    [0, 100],
  );
});
const fakeTerminal = () =>
  Object.assign(new Writable({ write() {} }), { isTTY: true, columns: 100 });

/** A server whose answers `answer` gives; ends with the test. */
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
const request = (url, more) => ({
  method: "GET",
  url,
  headers: [],
  user_agent: "tester/1",
  body: null,
  redirect: 0,
  credentials: 1,
  ...more,
});

test("http sends method, headers and body, and gives status, headers and body", async () => {
  const url = await serve(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    res.writeHead(201, { "X-Mixed": "Case", "set-cookie": ["a=1", "b=2"] });
    res.end(`${req.method} ${req.url} ${req.headers["x-own"]} ${body}`);
  });
  const call = open();
  const { handle, status, headers } = await call("kippu:http", "fetch", [
    request(`${url}/path?q`, {
      method: "POST",
      headers: [["X-Own", "mine"]],
      body: bytes("größe"),
    }),
  ]);
  assert.equal(status, 201);
  const find = (name) => headers.filter(([n]) => n === name).map(([, value]) => value);
  assert.deepEqual(find("x-mixed"), ["Case"]);
  assert.deepEqual(find("set-cookie"), ["a=1", "b=2"]);
  let body = "";
  for (;;) {
    const chunk = await call("kippu:http", "chunk", [handle]);
    if (!chunk.length) break;
    body += text(chunk);
  }
  assert.equal(body, "POST /path?q mine größe");
  assert.equal((await call("kippu:http", "chunk", [handle])).length, 0);
  call("kippu:http", "close", [handle]);
  call("kippu:http", "close", [12345]);
});

test("http does not follow redirects", async () => {
  const target = await serve((_, res) => res.writeHead(302, { location: "/other" }).end());
  for (const redirect of [0, 1, 2]) {
    const given = request(target, { redirect });
    const { status, headers, url } = await open()("kippu:http", "fetch", [given]);
    assert.deepEqual([status, url], [302, ""]);
    assert.ok(headers.some(([name, value]) => name === "location" && value === "/other"));
  }
});

test("http asks for plain bodies and does not call unpacked ones packed", async () => {
  const seen = [];
  const url = await serve((req, res) => {
    seen.push(req.headers["accept-encoding"], req.headers["user-agent"]);
    const body = gzipSync("packed");
    res.writeHead(200, { "content-encoding": "gzip", "content-length": body.length }).end(body);
  });
  const call = open();
  const { handle, headers } = await call("kippu:http", "fetch", [request(url)]);
  const body = await call("kippu:http", "chunk", [handle]);
  assert.deepEqual(seen, ["identity", "tester/1"]);
  const told = headers.filter(([name]) => /^content-(encoding|length)$/.test(name));
  // Deno unpacks only what it asked for, and this server sends what nobody asked for.
  const packed = "Deno" in globalThis;
  assert.equal(text(packed ? gunzipSync(body) : body), "packed");
  const length = String(gzipSync("packed").length);
  assert.deepEqual(
    told,
    packed
      ? [
          ["content-encoding", "gzip"],
          ["content-length", length],
        ]
      : [],
  );
});

test("http bodies stream, and a dropped chunk is not lost", async () => {
  let res;
  const url = await serve((_, answer) => {
    res = answer;
    res.writeHead(200);
    res.write("one");
  });
  const call = open();
  const { handle } = await call("kippu:http", "fetch", [request(url)]);
  assert.equal(text(await call("kippu:http", "chunk", [handle])), "one");
  const dropped = new AbortController();
  const lost = call("kippu:http", "chunk", [handle], dropped.signal);
  dropped.abort();
  res.write("two");
  await lost;
  assert.equal(text(await call("kippu:http", "chunk", [handle])), "two");
  const closed = once(res, "close");
  call("kippu:http", "close", [handle]);
  await closed;
});

test("http closes the stream of an upload in every case", async () => {
  const upload = async (url, signal) => {
    let closed = false;
    const body = {
      next: async () => ({ done: false, value: bytes("x") }),
      return: async () => {
        closed = true;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => body,
    };
    const call = open();
    try {
      const given = [request(url, { method: "POST" }), body];
      const { handle } = await call("kippu:http", "upload", given, signal);
      assert.equal(closed, false, "it goes on with the answer");
      while ((await call("kippu:http", "chunk", [handle])).length);
    } catch {}
    return closed;
  };
  const early = await serve((_, res) => res.end("no need"));
  assert.equal(await upload(early), true, "the answer is complete");
  assert.equal(await upload("http://does-not-exist.invalid/"), true, "it fails");
  assert.equal(await upload("ftp://x/"), true, "it is refused");
  const dropped = new AbortController();
  const silent = await serve((req) => req.once("data", () => dropped.abort()));
  assert.equal(await upload(silent, dropped.signal), true, "it is dropped");
});

test("http gives up when the request is dropped", async () => {
  const dropped = new AbortController();
  const { promise: hungUp, resolve } = deferred();
  const url = await serve((_, res) => {
    res.once("close", resolve);
    dropped.abort();
  });
  await assert.rejects(open()("kippu:http", "fetch", [request(url)], dropped.signal));
  await hungUp;
});

const deferred = () => {
  const d = {};
  d.promise = new Promise((resolve) => {
    d.resolve = resolve;
  });
  return d;
};

const tcp = async (onConnection) => {
  const server = createTcpServer(onConnection);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
};

test("http errors have the kinds of the boundary", async () => {
  const call = open();
  const fails = async (url, code) =>
    assert.rejects(call("kippu:http", "fetch", [request(url)]), { name: "HttpError", code }, url);
  await fails("http://", "url");
  await fails("ftp://example.com/", "url");
  await fails("http://does-not-exist.invalid/", "dns");
  const free = await tcp(() => {});
  const { port } = new URL(free);
  const closed = createTcpServer();
  closed.listen(0, "127.0.0.1");
  await once(closed, "listening");
  const unused = closed.address().port;
  closed.close();
  await once(closed, "close");
  assert.notEqual(unused, Number(port));
  await fails(`http://127.0.0.1:${unused}/`, "connect");
  await fails(`http://localhost:${unused}/`, "connect");
  await fails(await tcp((socket) => socket.destroy()), "closed");
  await fails(await tcp((socket) => socket.end("what is this?\r\n\r\n")), "protocol");
  const plain = await serve((_, res) => res.end());
  await fails(plain.replace("http:", "https:"), "tls");
});

test("a body that ends too early is an error of chunk", async () => {
  const url = await tcp((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
      setTimeout(() => socket.destroy(), 50);
    });
  });
  const call = open();
  const { handle } = await call("kippu:http", "fetch", [request(url)]);
  assert.equal(text(await call("kippu:http", "chunk", [handle])), "half");
  await assert.rejects(call("kippu:http", "chunk", [handle]), { code: "closed" });
  assert.equal((await call("kippu:http", "chunk", [handle])).length, 0, "the handle is free");
});

test("http errors are told by the codes inside", () => {
  const nest = (code) =>
    new TypeError("fetch failed", {
      cause: new AggregateError([Object.assign(new Error("inner"), { code })]),
    });
  for (const [code, kind] of [
    ["EAI_AGAIN", "dns"],
    ["ENETUNREACH", "connect"],
    ["ETIMEDOUT", "connect"],
    ["UND_ERR_CONNECT_TIMEOUT", "connect"],
    ["ECONNRESET", "closed"],
    ["UND_ERR_SOCKET", "closed"],
    ["CERT_HAS_EXPIRED", "tls"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls"],
    ["UND_ERR_BODY_TIMEOUT", "timeout"],
    ["HPE_INVALID_CONSTANT", "protocol"],
    ["WHO_KNOWS", "other"],
  ]) {
    const error = httpError(nest(code));
    assert.deepEqual([error.code, error.message], [kind, "inner"], code);
    assert.equal(error.cause.message, "fetch failed", "the host's own error is kept");
  }
});

test("http errors of engines without codes are told by their words", () => {
  for (const [message, kind] of [
    ["error sending request for url (http://a/): client error (Connect): dns error: failed", "dns"],
    [
      "error sending request for url (http://a/): client error (Connect): tcp connect error: refused",
      "connect",
    ],
    ["error sending request for url (https://a/): client error (Connect): bad certificate", "tls"],
    ["client error (SendRequest): connection closed before message completed", "closed"],
    ["error reading a body from connection", "closed"],
    ["client error (SendRequest): invalid HTTP version parsed", "protocol"],
    ["something else", "other"],
  ]) {
    const error = new TypeError("fetch failed", { cause: new Error(message) });
    assert.equal(httpError(error).code, kind, message);
  }
});

test("ctrl_c waits for SIGINT, and lets go of it when it is dropped", async () => {
  const call = open();
  const before = process.listenerCount("SIGINT");
  const next = call("kippu:signal", "ctrl_c", []);
  const dropped = new AbortController();
  const other = call("kippu:signal", "ctrl_c", [], dropped.signal);
  assert.equal(process.listenerCount("SIGINT"), before + 2);
  dropped.abort();
  await other;
  assert.equal(process.listenerCount("SIGINT"), before + 1);
  process.emit("SIGINT");
  await next;
  assert.equal(process.listenerCount("SIGINT"), before);
});
