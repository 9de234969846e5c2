// kippu:fs, for every engine: its signatures.

import { F64, STRING, seq, struct, tuple, U8 } from "../schema.js";
import type { HostFunction } from "../types.js";
import { later, type Service, service } from "./service.js";

const METADATA = struct("Metadata", { kind: U8, len: F64, modified_ms: F64 });

const PATH = { path: "string" };

/** What an engine does for each function; abi/spec.md tells what that is. */
export type Files = Record<
  | "read"
  | "write"
  | "metadata"
  | "symlink_metadata"
  | "read_dir"
  | "create_dir_all"
  | "remove_file"
  | "remove_dir_all"
  | "rename"
  | "canonicalize",
  HostFunction
>;

export const fileService = (files: Files): Record<string, Service> =>
  service(
    later("read", PATH, "bytes", files.read),
    later("write", { path: "string", data: "bytes" }, "()", files.write),
    later("metadata", PATH, METADATA, files.metadata),
    later("symlink_metadata", PATH, METADATA, files.symlink_metadata),
    later("read_dir", PATH, seq(tuple(STRING, U8)), files.read_dir),
    later("create_dir_all", PATH, "()", files.create_dir_all),
    later("remove_file", PATH, "()", files.remove_file),
    later("remove_dir_all", PATH, "()", files.remove_dir_all),
    later("rename", { from: "string", to: "string" }, "()", files.rename),
    later("canonicalize", PATH, "string", files.canonicalize),
  );
