// How services are declared: as host functions with the signature that the boundary's page gives.

import { codecOf } from "../codec.js";
import type { Schema } from "../schema.js";
import type { HostFunction, Signature, Stream, Type } from "../types.js";
import { TYPE_NAMES } from "../types.js";

/** A service function: its signature and what it does. */
export type Service = readonly [Signature, HostFunction];

const typeOf = (type: string | Schema | Stream): Type =>
  typeof type === "string" ? TYPE_NAMES.indexOf(type) : "stream" in type ? type : codecOf(type);

/**
 * A stream with items of `type`. It belongs to no instance yet: `instantiate` puts that of the guest
 * in its place.
 */
export const streamOf = (type: string | Schema): Stream =>
  ({ stream: typeOf(type), name: "stream" }) as Stream;

const declare =
  (isAsync: boolean) =>
  (
    name: string,
    params: Record<string, string | Schema | Stream>,
    result: string | Schema,
    fn: HostFunction,
  ): readonly [string, Service] => [
    name,
    [
      [
        name,
        isAsync,
        Object.entries(params).map(([param, type]) => [param, typeOf(type)] as const),
        typeOf(result),
      ],
      fn,
    ],
  ];

/** A function that answers at once. */
export const sync = declare(false);
/** A function whose answer may come later; one parameter more takes the context. */
export const later = declare(true);

/** The functions of one module. */
export const service = (...functions: (readonly [string, Service])[]): Record<string, Service> =>
  Object.fromEntries(functions);
