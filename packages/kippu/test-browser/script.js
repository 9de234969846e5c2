// What pages and bundles run, whole: see support.mjs, which also says what it must find.

export const script = async (instantiate, wasm) => {
  const notes = [];
  const words = { kippu: "a ticket" };
  const host = {
    note: (what) => {
      notes.push(what);
    },
    lookup: (word) =>
      new Promise((resolve) => setTimeout(() => resolve(words[word] ?? "unknown"), 5)),
  };
  const guest = await instantiate(wasm, { host });
  const explained = await Promise.all([
    guest.exports.explain("kippu"),
    guest.exports.explain("späte Wörter 🦀"),
  ]);
  const items = await guest.exports.double([
    { name: "pen", prices: [1.5, 2.5], size: "Unknown", comment: null },
    { name: "bücher", prices: [], size: { Box: { width: 4, height: 3 } }, comment: "heavy" },
  ]);
  const refused = await guest.exports.explain(1).then(
    () => "nothing",
    (e) => e.name,
  );
  const found = { notes: [...notes], explained, items, refused };
  const code = await guest.start();
  await guest.dispose();
  return { ...found, code };
};
