// Lays text out: what fits stays on one line, what does not is broken at its outermost brackets.

/** A place that is a space, or nothing, on one line, and otherwise the end of a line. */
interface Break {
  readonly whole: string;
}

/** Text that stands on one line only, or broken lines only. */
interface Choice {
  readonly whole: string;
  readonly broken: string;
}

/** Stays on one line as a whole, or has all its own breaks broken. */
interface Group {
  readonly group: Doc[];
}

/** Broken lines within begin further to the right. */
interface Indent {
  readonly indent: Doc[];
}

export type Doc = string | readonly Doc[] | Break | Choice | Group | Indent;

/** A space, or the end of the line. */
export const LINE: Doc = { whole: " " };

/** Nothing, or the end of the line. */
export const SOFT: Doc = { whole: "" };

export const choice = (whole: string, broken: string): Doc => ({ whole, broken });
export const group = (...docs: Doc[]): Doc => ({ group: docs });
export const indent = (...docs: Doc[]): Doc => ({ indent: docs });

/** `docs` with `between` between them. */
export const join = (docs: readonly Doc[], between: Doc): Doc[] =>
  docs.flatMap((doc, i) => (i ? [between, doc] : [doc]));

/** `items` between brackets, separated by commas; broken lines have one after the last as well. */
export const list = (open: string, items: readonly Doc[], close: string): Doc =>
  items.length
    ? group(open, indent(SOFT, ...join(items, [",", LINE])), choice("", ","), SOFT, close)
    : open + close;

type Item = readonly [depth: number, broken: boolean, doc: Doc];

const isList = (doc: Doc): doc is readonly Doc[] => Array.isArray(doc);

/** Puts what `doc` is made of onto the stack, and gives the text when it is text. */
const open = (
  [depth, broken, doc]: Item,
  stack: Item[],
  breaks: (doc: Doc) => boolean,
): string | Break => {
  if (typeof doc === "string") return doc;
  if ("broken" in doc) return broken ? doc.broken : doc.whole;
  if ("whole" in doc) return broken ? doc : doc.whole;
  const [parts, inner, deeper] = isList(doc)
    ? [doc, broken, depth]
    : "indent" in doc
      ? [doc.indent, broken, depth + 2]
      : [doc.group, breaks(doc), depth];
  for (const part of parts.toReversed()) stack.push([deeper, inner, part]);
  return "";
};

/** Whether `first` and what follows it up to the end of the line take at most `room` columns. */
const fits = (first: Item, rest: readonly Item[], room: number): boolean => {
  let next = rest.length;
  const stack: Item[] = [first];
  while (room >= 0) {
    const item = stack.pop() ?? rest[--next];
    if (!item) return true;
    const text = open(item, stack, () => false);
    if (typeof text !== "string") return true;
    room -= text.length;
  }
  return false;
};

/** The text of `doc`, whose lines have at most `width` columns where there is a place to break them. */
export const layout = (doc: Doc, width = 100): string => {
  const stack: Item[] = [[0, true, doc]];
  let out = "";
  let column = 0;
  for (let item = stack.pop(); item; item = stack.pop()) {
    const [depth] = item;
    const text = open(item, stack, (group) => {
      const flat: Item = [depth, false, (group as Group).group];
      return !fits(flat, stack, width - column);
    });
    if (typeof text === "string") {
      out += text;
      column += text.length;
    } else {
      out += `\n${" ".repeat(depth)}`;
      column = depth;
    }
  }
  return out;
};
