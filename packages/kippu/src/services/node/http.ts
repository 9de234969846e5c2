// kippu:http by the global fetch.

import type { Context } from "../../call.js";
import { option, STRING, seq, struct, tuple, U8, U16, U32 } from "../../schema.js";
import { later, service, sync } from "../service.js";
import { httpError } from "./http-error.js";

const HEADERS = seq(tuple(STRING, STRING));
const REQUEST = struct("Request", {
  method: STRING,
  url: STRING,
  headers: HEADERS,
  body: option(seq(U8)),
});
const RESPONSE = struct("Response", { handle: U32, status: U16, headers: HEADERS });

interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer> | null;
}

/** An answer whose body is being read. */
interface Body {
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The read that is under way; an aborted one leaves its chunk to the next. */
  next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
  controller: AbortController;
}

const checkUrl = (text: string): URL => {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw httpError("url", `invalid URL: ${text}`);
  }
  if (!/^https?:$/.test(url.protocol)) throw httpError("url", `unknown scheme ${url.protocol}`);
  return url;
};

export const http = () => {
  const bodies = new Map<number, Body>();
  let last = 0;

  const newHandle = (): number => {
    do last = (last + 1) >>> 0;
    while (!last || bodies.has(last));
    return last;
  };
  const close = (handle: number): void => {
    const body = bodies.get(handle);
    bodies.delete(handle);
    body?.controller.abort();
    body?.next?.catch(() => {});
  };

  const exchange = async (
    { method, url, headers: given, body }: Request,
    { signal }: Context,
  ): Promise<unknown> => {
    const target = checkUrl(url);
    const controller = new AbortController();
    let handle = 0;
    // Also after the answer is here, until the guest has it: nobody else would close the body then.
    signal.addEventListener("abort", () => {
      controller.abort();
      close(handle);
    });
    try {
      const headers = new Headers();
      for (const [name, value] of given) headers.append(name, value);
      // fetch would ask for compressed bodies and unpack them unseen.
      if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
      const response = await fetch(target, {
        method,
        headers,
        // An empty body is none: fetch refuses one with GET.
        body: body?.length ? body : null,
        redirect: "manual",
        signal: controller.signal,
      });
      handle = newHandle();
      bodies.set(handle, { reader: response.body?.getReader(), next: undefined, controller });
      const unpacked = response.headers.has("content-encoding");
      return {
        handle,
        status: response.status,
        headers: [...response.headers].filter(
          ([name]) => !(unpacked && (name === "content-encoding" || name === "content-length")),
        ),
      };
    } catch (e) {
      throw httpError(undefined, e);
    }
  };

  const chunk = async (handle: number, { signal }: Context): Promise<Uint8Array> => {
    const body = bodies.get(handle);
    const none = new Uint8Array();
    if (!body?.reader) {
      bodies.delete(handle);
      return none;
    }
    for (;;) {
      body.next ??= body.reader.read();
      const { next } = body;
      try {
        const { value, done } = await next;
        if (signal.aborted) return none;
        body.next = undefined;
        if (done) bodies.delete(handle);
        if (done || value.length) return value ?? none;
      } catch (e) {
        bodies.delete(handle);
        throw httpError(undefined, e);
      }
    }
  };

  return {
    http: service(
      later("fetch", { request: REQUEST }, RESPONSE, exchange),
      later("chunk", { handle: "u32" }, "bytes", chunk),
      sync("close", { handle: "u32" }, "()", close),
    ),
    close(): void {
      for (const handle of bodies.keys()) close(handle);
    },
  };
};
