// The program `kippu`: what it takes, what it says, and how it ends.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ANSWER, compile as compileWat, entry, guest, withSection } from "./guest.mjs";
import { packed } from "./packed.mjs";
import { kippu } from "./types/compile.mjs";

const folder = await mkdtemp(join(tmpdir(), "kippu-cli-"));
after(() => rm(folder, { recursive: true }));

let files = 0;
/** The path of a new file with these bytes. */
const file = async (bytes, name = `${++files}.wasm`) => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

/** A guest that needs `log` and offers `twice`, and traps as soon as it is linked. */
const GUEST = guest({
  imports: `
    (import "host" "log" (func (param i32 i32) (result i32)))
    (import "kippu:fs" "read" (func (param i32 i32 i32) (result i32)))`,
  body: `
    (func (export "kippu_export:twice") (param f64) (result i32) (i32.const 0))
    (func $trap (unreachable))
    (start $trap)`,
  entries: [
    { name: "log", async: false, params: { text: "string" }, doc: "Says." },
    { name: "dropped", params: { text: "string" } },
    { kind: 1, name: "twice", async: false, params: { n: "f64" }, result: "f64" },
    { kind: 1, name: "gone", async: false },
    { version: 9, name: "later" },
  ],
});

const TEXT = `// Made by \`kippu types\` from guest.wasm. Do not edit.
// The program uses the services kippu:fs.

/** The functions that the program needs: give them as \`host\`. */
export interface Host {
  /** Says. */
  log: (text: string) => void;
}

/** The functions that the program offers. */
export interface Exports {
  twice: (n: number) => number;
}
`;

const path = await file(GUEST, "guest.wasm");

/** Runs `kippu` and compares all that comes of it. */
const says = async (args, code, stdout, stderr = "") => {
  const result = await kippu(...args);
  for (const [name, wanted] of Object.entries({ stdout, stderr }))
    if (wanted instanceof RegExp) assert.match(result[name], wanted);
    else assert.equal(result[name], wanted);
  assert.equal(result.code, code);
};

describe("types", () => {
  test("prints, without running the guest", () => says(["types", path], 0, TEXT));

  test("a guest that needs and offers nothing", async () => {
    const empty = await file(guest());
    const { stdout } = await kippu("types", empty);
    assert.match(stdout, /export type Host = Record<string, never>;/);
    assert.match(stdout, /export type Exports = Record<string, never>;/);
  });

  test("the name of the file cannot end the comment it stands in", async () => {
    const odd = await file(guest(), "a\nexport const b = 1;\u2028.wasm");
    const { stdout } = await kippu("types", odd);
    assert.ok(stdout.startsWith("// Made by `kippu types` from a export const b = 1; .wasm. Do"));
  });

  test("writes a file, and leaves one alone that is right already", async () => {
    const out = join(folder, "guest.d.ts");
    await says(["types", path, "--out", out], 0, "");
    assert.equal(await readFile(out, "utf8"), TEXT);
    await utimes(out, 1, 1);
    await says(["types", "-o", out, path], 0, "");
    assert.equal((await stat(out)).mtimeMs, 1000);
    await writeFile(out, "old");
    await says(["types", path, "-o", out], 0, "");
    assert.equal(await readFile(out, "utf8"), TEXT);
  });

  test("--check compares and writes nothing", async () => {
    const out = join(folder, "checked.d.ts");
    const args = ["types", path, "--out", out, "--check"];
    const hint = `write it with \`kippu types ${path} --out ${out}\`\n`;
    await says(args, 1, "", `kippu: ${out} does not exist: ${hint}`);
    await assert.rejects(stat(out), { code: "ENOENT" });
    await writeFile(out, `${TEXT}\n`);
    await says(args, 1, "", `kippu: ${out} is not up to date: ${hint}`);
    assert.equal(await readFile(out, "utf8"), `${TEXT}\n`);
    await writeFile(out, TEXT);
    await says(args, 0, "");
    // Git may have made them so.
    await writeFile(out, TEXT.replaceAll("\n", "\r\n"));
    await says(args, 0, "");
  });

  test("files that cannot be described", async () => {
    const cut = GUEST.subarray(0, GUEST.length - 9);
    const bare = compileWat("(module)");
    const unread = guest({
      imports: `(import "host" "a" (func)) (import "host" "b" (func))`,
      entries: [{ name: "b" }, { version: 9, name: "a" }],
    });
    const damaged = withSection(guest(), [...entry({ name: "f" }), 9, 0, 0, 0, 1]);
    const schema = [12, 1, 0x53, 28];
    const uncrossable = guest({ entries: [{ name: "f", result: schema }] });
    const cases = [
      [join(folder, "none.wasm"), "cannot read FILE: there is no such file or folder"],
      [folder, "cannot read FILE: it is a folder"],
      [await file(""), "FILE is not a WebAssembly module"],
      [await file("export {};"), "FILE is not a WebAssembly module"],
      [
        await file(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)),
        "FILE is a WebAssembly component or of an unknown version: build for wasm32-unknown-unknown",
      ],
      [await file(cut), /^cannot describe FILE: WebAssembly\.compile\(\): /],
      [
        await file(bare),
        "cannot describe FILE: the module was not built with the crate `kippu`: it does not export kippu_abi",
      ],
      [
        await file(unread),
        "cannot describe FILE: the module does not describe the host functions that it imports: a; was its custom section `kippu` removed?",
      ],
      [
        await file(damaged),
        'cannot describe FILE: the custom section `kippu` is damaged at entry ""',
      ],
      [
        await file(uncrossable),
        'cannot describe FILE: the custom section `kippu` is damaged at entry "f"',
      ],
    ];
    for (const [wasm, wanted] of cases) {
      const { code, stdout, stderr } = await kippu("types", wasm);
      const message = stderr.replace(/^kippu: /, "").replaceAll(wasm, "FILE");
      if (wanted instanceof RegExp) assert.match(message, wanted);
      else assert.equal(message, `${wanted}\n`);
      assert.equal(stdout, "");
      assert.equal(code, 1);
    }
  });

  test("files that cannot be written", async () => {
    const none = join(folder, "none", "guest.d.ts");
    const missing = `kippu: cannot write ${none}: there is no such file or folder\n`;
    await says(["types", path, "-o", none], 1, "", missing);
    await says(
      ["types", path, "-o", folder],
      1,
      "",
      `kippu: cannot read ${folder}: it is a folder\n`,
    );
  });

  test("a reader that has seen enough is no error of ours", async () => {
    const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
    const entries = Array.from({ length: 3000 }, (_, i) => ({
      kind: 1,
      name: `f${i}`,
      doc: "d".repeat(90),
    }));
    const body = entries.map(({ name }) => `(func (export "kippu_export:${name}"))`).join("");
    const large = await file(guest({ body, entries }));
    const child = spawn(process.execPath, [cli, "types", large], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    await once(child.stdout, "readable");
    child.stdout.destroy();
    const [code] = await once(child, "exit");
    assert.equal(stderr, "");
    assert.equal(code, 1);
  });
});

describe("run", () => {
  /** Ends with the number of its arguments; names the last one on standard output. */
  const PROGRAM = guest({
    imports: `
      (import "kippu" "reply" (func $reply (param i32 i32 i32 i32 f64)))
      (import "kippu:io" "print" (func $print (param i32 i32 i32) (result i32)))
      (import "kippu:env" "args" (func $args (result i32)))`,
    body: `(func (export "kippu_start") (result i32)
      (local $at i32)
      (drop (call $args))
      (local.set $at (i32.load (i32.const ${ANSWER + 8})))
      (drop (call $print (i32.const 1)
        (i32.add (local.get $at) (i32.const 1))
        (i32.sub (i32.load (i32.const ${ANSWER + 12})) (i32.const 1))))
      (call $reply (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)
        (f64.convert_i32_u (i32.load8_u (local.get $at))))
      (i32.const 0))`,
  });

  test("runs a program with what follows it, and ends with its exit code", async () => {
    const program = await file(PROGRAM);
    await says(["run", program], 0, "");
    await says(["run", program, "--help", "-x", "é"], 3, "\x06--help\x02-x\x02é");
    await says(["run", "--", program, "--"], 1, "\x02--");
  });

  test("what cannot be run", async () => {
    const library = await file(guest());
    const none = join(folder, "none.wasm");
    for (const [wasm, message] of [
      [none, "there is no such file or folder"],
      [library, "the module has no `main`: it is a library, call its exports"],
      [await file(PROGRAM.subarray(0, 100)), /: WebAssembly\.compile\(\): /],
    ]) {
      const { code, stderr } = await kippu("run", wasm);
      assert.ok(stderr.startsWith(`kippu: ${wasm}: `), stderr);
      assert.match(stderr, message instanceof RegExp ? message : new RegExp(`${message}\n$`));
      assert.equal(code, 1);
    }
  });

  test("a program that traps", async () => {
    const body = `(func (export "kippu_start") (result i32) (unreachable))`;
    const { code, stderr } = await kippu("run", await file(guest({ body })));
    assert.match(stderr, /^kippu: .*: the instance has trapped: unreachable\n$/);
    assert.equal(code, 1);
  });
});

describe("the command line", () => {
  const usage = (message, topic = "kippu") =>
    new RegExp(`^kippu: ${message}.*\nSee \`${topic} --help\`\\.\n$`);

  test("help and version", async () => {
    for (const args of [["--help"], ["-h"], ["help"]])
      await says(args, 0, /^Usage: kippu COMMAND$/m);
    for (const args of [
      ["types", "--help"],
      ["types", "-h"],
    ])
      await says(args, 0, /^Usage: kippu types FILE\.wasm/m);
    for (const args of [
      ["run", "--help"],
      ["run", "-h"],
    ])
      await says(args, 0, /^Usage: kippu run FILE\.wasm/m);
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url)));
    for (const args of [["--version"], ["-V"]]) await says(args, 0, `${version}\n`);
  });

  test("wrong usage", async () => {
    await says([], 2, "", usage("expected a command"));
    await says(["typs"], 2, "", usage("unknown command typs"));
    await says(["constructor"], 2, "", usage("unknown command constructor"));
    await says(["--typs"], 2, "", usage("unknown command --typs"));
    const types = "kippu types";
    await says(["types"], 2, "", usage("expected one file, got 0", types));
    await says(["types", "a", "b"], 2, "", usage("expected one file, got 2", types));
    await says(["types", "a", "--chek"], 2, "", usage("Unknown option '--chek'", types));
    await says(["types", "a", "--out"], 2, "", usage("Option '-o, --out <value>'", types));
    await says(["types", "a", "--out="], 2, "", usage("--out needs the name of a file", types));
    await says(["types", "a", "--check"], 2, "", usage("--check needs --out FILE", types));
    await says(["run"], 2, "", usage("expected a file", "kippu run"));
    await says(["run", "--fast", "a"], 2, "", usage("unknown option --fast", "kippu run"));
  });
});

test("`npx kippu` of the packed package", async () => {
  const { folder: app, remove } = await packed();
  try {
    const bin = join(app, "node_modules", ".bin", "kippu");
    assert.ok((await stat(bin)).mode & 0o100, "it can be executed");
    const { stdout } = await promisify(execFile)("npx", ["--no", "kippu", "types", path], {
      cwd: app,
      shell: process.platform === "win32",
    });
    assert.equal(stdout, TEXT);
  } finally {
    await remove();
  }
});
