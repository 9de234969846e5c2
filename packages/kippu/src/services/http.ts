// kippu:http by the global fetch.

import type { Context } from "../call.js";
import { macrotask } from "../loop.js";
import { option, STRING, seq, struct, tuple, U8, U16, U32 } from "../schema.js";
import { toReadableStream } from "../streams.js";
import { failure, httpError } from "./http-error.js";
import { later, service, streamOf, sync } from "./service.js";

const HEADERS = seq(tuple(STRING, STRING));
const REQUEST = struct("Request", {
  method: STRING,
  url: STRING,
  headers: HEADERS,
  user_agent: STRING,
  body: option(seq(U8)),
  redirect: U8,
  credentials: U8,
});
const RESPONSE = struct("Response", { handle: U32, status: U16, headers: HEADERS, url: STRING });

const FOLLOW = 0;
const MANUAL = 1;
/** A stream that is always ready may keep others waiting for this many milliseconds. */
const BURST = 8;

const CREDENTIALS = ["omit", "same-origin", "include"] as const;

interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  user_agent: string;
  body: Uint8Array<ArrayBuffer> | null;
  redirect: number;
  credentials: number;
}

/** A body that the guest makes while it is sent. */
type Pieces = AsyncIterableIterator<Uint8Array<ArrayBuffer>>;

/** One exchange, from the request to the end of the answer's body. */
interface Exchange {
  controller: AbortController;
  /** Of the request's body; undefined when it is sent. */
  pieces: Pieces | undefined;
  /** Of the answer's body. */
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The read that is under way; an aborted one leaves its chunk to the next. */
  next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
}

const checkUrl = (text: string): URL => {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw failure("url", `invalid URL: ${text}`);
  }
  if (!/^https?:$/.test(url.protocol)) throw failure("url", `unknown scheme ${url.protocol}`);
  return url;
};

/** The names of `headers` that a request takes. */
const accepted = (headers: Headers): Headers =>
  new Request("http://localhost/", { headers }).headers;

/**
 * Whether fetch is a browser's, which keeps cookies, redirects and more from the program. One that
 * lets it send cookies has none of its own.
 */
const isBrowsers = (): boolean => !accepted(new Headers({ cookie: "a=b" })).has("cookie");

const headersOf = ({ headers: given, user_agent }: Request, browser: boolean): Headers => {
  const headers = new Headers();
  for (const [name, value] of given) headers.append(name, value);
  if (browser) {
    const taken = accepted(headers);
    // Browsers drop them without a word.
    const lost = [...headers.keys()].filter((name) => !taken.has(name));
    if (lost[0])
      throw failure("unsupported", `a browser does not let pages set ${lost.join(", ")}`);
  } else {
    if (!headers.has("user-agent")) headers.set("user-agent", user_agent);
    // fetch would ask for compressed bodies and unpack them unseen.
    if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  }
  return headers;
};

/** What fetch is given as the body, and how it is to take it. */
const bodyOf = async (
  { body }: Request,
  exchange: Exchange,
  browser: boolean,
): Promise<RequestInit> => {
  const { pieces, controller } = exchange;
  // An empty body is none: fetch refuses one with GET.
  if (!pieces) return { body: body?.length ? body : null };
  let since = performance.now();
  const paced = {
    async next() {
      if (performance.now() - since > BURST) {
        await new Promise<void>(macrotask);
        since = performance.now();
      }
      const result = await pieces.next();
      // One that was dropped looks as if it had ended.
      controller.signal.throwIfAborted();
      if (result.done) exchange.pieces = undefined;
      return result;
    },
    async return() {
      await pieces.return?.();
      return { done: true, value: undefined } as const;
    },
  };
  const source = { [Symbol.asyncIterator]: () => paced };
  // `duplex` is not in every list of types yet.
  if (!browser) return { body: toReadableStream(source), duplex: "half" } as RequestInit;
  // Whether a stream can be sent depends on the browser and on the protocol that the server will
  // speak, which nobody knows before.
  const parts: BlobPart[] = [];
  for await (const piece of source) parts.push(piece);
  return { body: new Blob(parts) };
};

/** The answer's headers, without those that are not true of what the guest gets. */
const answerHeaders = ({ headers, type }: Response): [string, string][] => {
  // Deno takes the header away itself when it unpacks. It leaves bodies packed when a request names its encodings.
  const unpacked = headers.has("content-encoding") && !("Deno" in globalThis);
  // Another origin's `content-encoding` is hidden.
  const unsure = unpacked || type === "cors";
  return [...headers].filter(
    ([name]) =>
      !(unpacked && name === "content-encoding") && !(unsure && name === "content-length"),
  );
};

/** The service, and how to end all exchanges. */
export const http = () => {
  const exchanges = new Map<number, Exchange>();
  let last = 0;
  let browser: boolean | undefined;

  const newHandle = (): number => {
    do last = (last + 1) >>> 0;
    while (!last || exchanges.has(last));
    return last;
  };
  const end = ({ controller, pieces, next }: Exchange): void => {
    controller.abort();
    next?.catch(() => {});
    pieces?.return?.().catch(() => {});
  };
  const close = (handle: number): void => {
    const exchange = exchanges.get(handle);
    exchanges.delete(handle);
    if (exchange) end(exchange);
  };
  /** The answer is complete: there is no use in what is not sent yet. */
  const finish = (handle: number): void => {
    if (exchanges.get(handle)?.pieces) close(handle);
    exchanges.delete(handle);
  };

  const send = async (
    request: Request,
    pieces: Pieces | undefined,
    signal: AbortSignal,
  ): Promise<unknown> => {
    const exchange: Exchange = {
      controller: new AbortController(),
      pieces,
      reader: undefined,
      next: undefined,
    };
    let handle = 0;
    // Also after the answer is here, until the guest has it: nobody else would close the body then.
    signal.addEventListener("abort", () => {
      end(exchange);
      close(handle);
    });
    try {
      browser ??= isBrowsers();
      const { method, redirect } = request;
      const response = await fetch(checkUrl(request.url), {
        method,
        headers: headersOf(request, browser),
        ...(await bodyOf(request, exchange, browser)),
        // Elsewhere the guest follows.
        redirect: browser && redirect === FOLLOW ? "follow" : "manual",
        ...(browser && { credentials: CREDENTIALS[request.credentials] }),
        signal: exchange.controller.signal,
      });
      if (response.type === "opaqueredirect")
        throw redirect === MANUAL
          ? failure("unsupported", "a browser does not let pages see the response of a redirect")
          : failure("redirect", "the server redirects, the browser does not say where to");
      handle = newHandle();
      exchange.reader = response.body?.getReader();
      exchanges.set(handle, exchange);
      return {
        handle,
        status: response.status,
        headers: answerHeaders(response),
        url: response.redirected ? response.url : "",
      };
    } catch (e) {
      end(exchange);
      if ((e as Error | undefined)?.name === "HttpError") throw e;
      throw httpError(e, browser && e instanceof TypeError ? "connect" : "other");
    }
  };

  const chunk = async (handle: number, { signal }: Context): Promise<Uint8Array> => {
    const exchange = exchanges.get(handle);
    const none = new Uint8Array();
    if (!exchange?.reader) {
      finish(handle);
      return none;
    }
    for (;;) {
      exchange.next ??= exchange.reader.read();
      const { next } = exchange;
      try {
        const { value, done } = await next;
        if (signal.aborted) return none;
        exchange.next = undefined;
        if (done) finish(handle);
        if (done || value.length) return value ?? none;
      } catch (e) {
        close(handle);
        throw httpError(e, browser && e instanceof TypeError ? "closed" : "other");
      }
    }
  };

  return {
    http: service(
      later("fetch", { request: REQUEST }, RESPONSE, (request: Request, { signal }: Context) =>
        send(request, undefined, signal),
      ),
      later(
        "upload",
        { request: REQUEST, body: streamOf("bytes") },
        RESPONSE,
        (request: Request, body: Pieces, { signal }: Context) => send(request, body, signal),
      ),
      later("chunk", { handle: "u32" }, "bytes", chunk),
      sync("close", { handle: "u32" }, "()", close),
    ),
    close(): void {
      for (const handle of exchanges.keys()) close(handle);
    },
  };
};
