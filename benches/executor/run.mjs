// Measures one case in this engine, in the same rounds as native/src/main.rs, and prints the same JSON line:
// {bench, case, unit, values: [[contestant, minimum]]}. Arguments: the guest, the bench, the case.
//
// Each case has a process of its own: the engine makes code fit what it has seen run, and would measure a case
// with code that fits the one before.
import { readFile } from "node:fs/promises";

// More than natively: the engine compiles what runs often once more, and better.
const ROUNDS = 40;
const WARM_UP_ROUNDS = 10;

const [guestFile, bench, name] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(guestFile), {});
const guest = instance.exports;
// Asked for before the memory is looked at: making the list may grow it.
const [at, length] = [guest.list(), guest.list_length()];
const list = new Uint8Array(guest.memory.buffer, at, length);
const cases = JSON.parse(new TextDecoder().decode(list));

const index = cases.findIndex((each) => each.bench === bench && each.name === name);
if (index < 0) throw new Error(`the guest has no case ${name} of ${bench}`);
const { n, contenders } = cases[index];
const right = guest.right_sum(index, n);
const all = contenders.map(({ name }, place) => ({
  name,
  number: guest.start(index, place),
  least: Infinity,
}));
const inTurns = [...all];
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  // Another one begins in every round: nobody always runs after the same neighbour.
  inTurns.push(inTurns.shift());
  for (const contestant of inTurns) {
    guest.prepare(contestant.number, n);
    const before = performance.now();
    guest.run(contestant.number, n);
    const took = ((performance.now() - before) * 1e6) / n;
    const sum = guest.finish(contestant.number);
    if (sum !== right) throw new Error(`${name}, ${contestant.name}: ${sum} is not ${right}`);
    if (round >= 0) contestant.least = Math.min(contestant.least, took);
  }
}
const values = all.map(({ name, least }) => [name, least]);
console.log(JSON.stringify({ bench, case: name, unit: "ns", values }));
