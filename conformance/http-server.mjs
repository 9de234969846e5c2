// The HTTP server that the conformance cases talk to. As a program it prints its URL and serves until its standard
// input ends, so that it never outlives whoever started it: node http-server.mjs

import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const TEXT = { "content-type": "text/plain; charset=utf-8" };

/** What the page of another origin may do: everything. */
const cors = (request) => ({
  "access-control-allow-origin": request.headers.origin ?? "*",
  "access-control-allow-credentials": "true",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "*",
  "access-control-expose-headers": "*, x-count, x-method, x-seen",
  "access-control-max-age": "60",
  "cache-control": "no-store",
});

const bodyOf = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** Byte `i` of what /big and /bytes give; the guest knows it too. */
const pattern = (length) => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 255;
  return bytes;
};

/** A port where nobody listens: the system has just given it out and got it back. */
const closedPort = () =>
  new Promise((resolve, reject) => {
    const server = createSocketServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** How many requests are waiting for what will not come. */
let waiting = 0;

const held = (response) => {
  waiting++;
  response.on("close", () => waiting--);
};

const routes = {
  "/hello": (_, response) => response.writeHead(200, TEXT).end("hello"),
  "/echo": async (request, response) => {
    const body = await bodyOf(request);
    const type = request.headers["content-type"];
    response.writeHead(200, { ...(type && { "content-type": type }), "x-method": request.method });
    response.end(body);
  },
  "/count": async (request, response) => {
    let length = 0;
    let chunks = 0;
    for await (const chunk of request) {
      length += chunk.length;
      chunks++;
    }
    response.writeHead(200, { ...TEXT, "x-seen": String(chunks) }).end(String(length));
  },
  // What follows the question mark.
  "/query": (request, response) => {
    response.writeHead(200, TEXT).end(request.url.slice(request.url.indexOf("?") + 1));
  },
  "/slow": async (_, response) => {
    await delay(200);
    response.writeHead(200, TEXT).end("slow");
  },
  "/never": (_, response) => held(response),
  // Reads all that comes, and never answers.
  "/swallow": (request, response) => {
    held(response);
    request.resume();
  },
  // The first line of an answer, and no more.
  "/half-head": (request, response) => {
    held(response);
    request.socket.write("HTTP/1.1 200 OK\r\ncontent-");
  },
  // The beginning of a body, and no more.
  "/stalls": (_, response) => {
    held(response);
    response.writeHead(200, { ...TEXT, "content-length": "1000" }).write("some");
  },
  // Answers before it has the body.
  "/early": (_, response) => response.writeHead(413, TEXT).end("early"),
  "/trailers": (_, response) => {
    response.writeHead(200, { ...TEXT, trailer: "x-sum" });
    response.write("hello");
    response.addTrailers({ "x-sum": "42" });
    response.end();
  },
  "/waiting": (_, response) => response.writeHead(200, TEXT).end(String(waiting)),
  "/chunks": async (_, response) => {
    response.writeHead(200, TEXT);
    for (let i = 0; i < 5; i++) {
      if (i) await delay(20);
      response.write(`chunk ${i}\n`);
    }
    response.end();
  },
  // Never ends: whoever reads it has to stop.
  "/endless": async (_, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream" });
    held(response);
    const block = pattern(16384);
    const blocks = function* () {
      for (;;) yield block;
    };
    // It ends in an error when the other end is gone.
    await pipeline(Readable.from(blocks()), response).catch(() => {});
  },
  // Says more than it gives.
  "/broken": async (_, response) => {
    response.writeHead(200, { ...TEXT, "content-length": "1000" });
    response.write("the beginning");
    await delay(20);
    response.destroy();
  },
  "/redirect": (_, response) => response.writeHead(302, { location: "/hello" }).end(),
  "/redirect-post": (_, response) => response.writeHead(303, { location: "/hello" }).end(),
  "/redirect-same": (_, response) => response.writeHead(307, { location: "/echo" }).end(),
  "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
  "/big": (_, response) => {
    const body = pattern(4 << 20);
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(body);
  },
  "/headers": (request, response) => {
    response.writeHead(200, { "content-type": "application/json", "x-count": "2" });
    response.end(JSON.stringify(request.headers));
  },
  "/closed-port": async (_, response) => {
    response.writeHead(200, TEXT).end(String(await closedPort()));
  },
};

const serve = async (request, response) => {
  for (const [name, value] of Object.entries(cors(request))) response.setHeader(name, value);
  if (request.method === "OPTIONS") {
    response.writeHead(204).end();
    return;
  }
  const { pathname } = new URL(request.url, "http://localhost");
  const status = /^\/status\/([2-5]\d\d)$/.exec(pathname)?.[1];
  if (status) {
    // These have no body.
    const text = ["204", "304"].includes(status) ? undefined : `status ${status}`;
    response.writeHead(Number(status), TEXT).end(text);
  } else if (Object.hasOwn(routes, pathname)) await routes[pathname](request, response);
  else response.writeHead(404, TEXT).end(`no route ${pathname}`);
};

/** Starts the server on a free port of this machine. */
export const listen = () =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      serve(request, response).catch((error) => {
        // The other end is gone, mostly.
        response.destroy(error);
      });
    });
    server.once("error", reject);
    // A thousand may connect at once.
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
      const close = () =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ url: `http://127.0.0.1:${server.address().port}`, close });
    });
  });

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { url, close } = await listen();
  console.log(url);
  process.stdin.on("end", close).resume();
}
