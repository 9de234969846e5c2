// Comments of the files that are made.

/** What must not end a comment, or a line of it, does not. */
const safe = (text: string): string => text.replaceAll("*/", "*\\/");

/** One line without anything that would end it. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");

/** A JSDoc comment with a line end, each line after `margin`; nothing when `text` is blank. */
export const docComment = (text: string, margin = ""): string => {
  const lines = safe(text)
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  while (lines[0] === "") lines.shift();
  if (!lines.length) return "";
  if (lines.length === 1) return `${margin}/** ${lines[0].trim()} */\n`;
  const body = lines.map((line) => `${margin} *${line && ` ${line}`}\n`).join("");
  return `${margin}/**\n${body}${margin} */\n`;
};
