// How services are declared: as host functions with the signature that the boundary's page gives.

import { codecOf } from "../codec.js";
import type { Schema } from "../schema.js";
import type { HostFunction, Signature, Type } from "../types.js";
import { TYPE_NAMES } from "../types.js";

/** A service function: its signature and what it does. */
export type Service = readonly [Signature, HostFunction];

const typeOf = (type: string | Schema): Type =>
  typeof type === "string" ? TYPE_NAMES.indexOf(type) : codecOf(type);

const declare =
  (isAsync: boolean) =>
  (
    name: string,
    params: Record<string, string | Schema>,
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
