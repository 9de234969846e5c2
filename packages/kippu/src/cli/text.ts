// What `kippu --help` and its friends say.

export const MAIN_HELP = `Works with Rust programs that were built with the crate \`kippu\`.

Usage: kippu COMMAND

Commands:
  types FILE.wasm             Prints a .d.ts with the functions that the program needs and offers
  run FILE.wasm [ARGUMENT…]   Runs the program, and ends with its exit code

Options:
  -h, --help                  Prints this, or with a command more about it
  -V, --version               Prints the version

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

export const TYPES_HELP = `Prints a .d.ts with the functions that the program needs (\`Host\`) and offers (\`Exports\`).
The program is not run.

Usage: kippu types FILE.wasm [-o FILE] [--check]

Options:
  -o, --out FILE   Writes into FILE instead; a file that is right already is left alone
      --check      Writes nothing, and fails when FILE is not what would be written
  -h, --help       Prints this

Exit codes: 0 done, 1 failed or different, 2 wrong usage.
`;

export const RUN_HELP = `Runs the program with the files, network, standard streams and environment of this process,
and ends with its exit code. What follows FILE.wasm are the program's own arguments.

Usage: kippu run FILE.wasm [ARGUMENT…]

Options:
  -h, --help   Prints this

Exit codes: that of the program; 1 when it could not be loaded or ended by a panic, 2 wrong usage.
`;
