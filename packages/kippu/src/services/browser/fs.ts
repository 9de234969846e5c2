// kippu:fs where there are no files: programs that use them can run, and each use is an error.

import { fileService } from "../fs.js";

const refuse = async (): Promise<never> => {
  throw Object.assign(new Error("ENOSYS: pages have no file system"), {
    name: "NotSupportedError",
    code: "ENOSYS",
  });
};

export const noFiles = () =>
  fileService({
    read: refuse,
    write: refuse,
    metadata: refuse,
    symlink_metadata: refuse,
    read_dir: refuse,
    create_dir_all: refuse,
    remove_file: refuse,
    remove_dir_all: refuse,
    rename: refuse,
    canonicalize: refuse,
  });
