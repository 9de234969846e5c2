// What went wrong in an HTTP exchange, by the kinds that the boundary knows.

/**
 * Kinds by the codes of Node's sockets, TLS, DNS and HTTP parser, which Bun has too, and by the
 * words of Deno, which has no codes. The first match counts.
 */
const KINDS: [kind: string, codes: RegExp][] = [
  ["dns", /^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)|\bdns error:/],
  [
    "connect",
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM|UND_ERR_CONNECT_TIMEOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$|\btcp connect error:/,
  ],
  ["timeout", /^(UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|TimeoutError)$/],
  [
    "tls",
    /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|UNABLE_TO_|SELF_SIGNED_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|CRL_)|\bclient error \(Connect\)/,
  ],
  [
    "closed",
    /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_ABORTED|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|other side closed|terminated|error reading a body from connection)$|\bconnection closed before\b/,
  ],
  ["protocol", /^(HPE_|UND_ERR_|HTTPParserError$|Malformed_HTTP_Response$)|\binvalid HTTP\b/],
];

/** The errors that `e` consists of, from the inside out. */
const chain = (e: unknown, depth = 0): Partial<Error & { code: unknown }>[] => {
  if (typeof e !== "object" || e === null || depth > 8) return [];
  const { cause, errors } = e as { cause?: unknown; errors?: unknown };
  // What happy eyeballs tried, one by one.
  const parts = Array.isArray(errors) ? errors.flatMap((part) => chain(part, depth + 1)) : [];
  return [...parts, ...chain(cause, depth + 1), e];
};

const kindOf = (e: unknown): string | undefined => {
  for (const { code, message, name } of chain(e))
    for (const key of [code, message, name])
      for (const [kind, codes] of KINDS)
        if (typeof key === "string" && codes.test(key)) return kind;
  return undefined;
};

/** An error of a known kind, which is its code. */
export const failure = (kind: string, message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, cause === undefined ? {} : { cause }), {
    name: "HttpError",
    code: kind,
  });

/**
 * The error that the guest gets for `e`: the innermost message, and the kind that it tells, or
 * `otherwise`.
 */
export const httpError = (e: unknown, otherwise = "other"): Error => {
  const inner = chain(e).find(({ message }) => message);
  return failure(kindOf(e) ?? otherwise, inner?.message ?? String(e), e);
};
