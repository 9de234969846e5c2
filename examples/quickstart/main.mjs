import { run } from "kippu";

const greet = async (name) => `Hello, ${name}!`;
process.exitCode = await run(process.argv[2], { host: { greet } });
