// What the guest may do with the page, and what the page tells the guest.

import { instantiate } from "kippu";

/** Written out one by one, so that bundlers find them. */
const documents = {
  "README.md": new URL("../../README.md", import.meta.url),
  "ARCHITECTURE.md": new URL("../../ARCHITECTURE.md", import.meta.url),
  "CONTRIBUTING.md": new URL("../../CONTRIBUTING.md", import.meta.url),
  "abi/spec.md": new URL("../../abi/spec.md", import.meta.url),
  "docs/src/benchmarks.md": new URL("../../docs/src/benchmarks.md", import.meta.url),
  "docs/src/embedding.md": new URL("../../docs/src/embedding.md", import.meta.url),
  "packages/kippu/README.md": new URL("../../packages/kippu/README.md", import.meta.url),
};

const [box, status, hits] = ["query", "status", "hits"].map((id) => document.getElementById(id));

const element = (name, className, ...content) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
};

const host = {
  // `signal` aborts when the guest has waited long enough.
  async load(name, { signal }) {
    const response = await fetch(documents[name], { signal });
    if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`);
    return response.text();
  },

  status(text) {
    status.textContent = text;
  },

  show({ query, hits: found, total, ms }) {
    const lines = total === 1 ? "1 line" : `${total} lines`;
    const first = total > found.length ? `, the first ${found.length} are shown` : "";
    status.textContent = query.trim() ? `${lines} in ${ms.toFixed(1)} ms${first}` : "";
    hits.replaceChildren(
      ...found.map((hit) =>
        element(
          "li",
          "",
          element("div", "place", `${hit.document}:${hit.line}`),
          element("p", "line", hit.before, element("mark", "", hit.found), hit.after),
        ),
      ),
    );
  },
};

try {
  const guest = await instantiate(new URL("./search.wasm", import.meta.url), { host });
  const lines = await guest.exports.open(Object.keys(documents));
  status.textContent = `${lines} lines`;
  box.addEventListener("input", () => guest.exports.typed(box.value));
  box.placeholder = "waker";
  box.disabled = false;
  box.focus();
} catch (error) {
  status.textContent = `${error.name}: ${error.message}`;
  throw error;
}
