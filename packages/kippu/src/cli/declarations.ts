// The text of the `.d.ts` file of a program. Everything is in the order of names, so that the text
// changes only when the program's interface does.

import { type Signature, T_BOOL, T_STRING, T_UNIT, TYPE_NAMES, type Type } from "../types.js";
import { docComment, oneLine } from "./comment.js";
import { type Declaration, declarationsOf, EXPORTS, HOST } from "./declared.js";
import { type Doc, indent, LINE, layout, list } from "./layout.js";
import { parameterNames, property } from "./names.js";
import { itemOf, numbersIn, type Program, schemaOf } from "./program.js";
import {
  after,
  type Direction,
  fieldDocs,
  generic,
  HELPERS,
  isOptional,
  type Scope,
  type Union,
  unionOf,
  writeOut,
} from "./shapes.js";

const T_BYTES = T_STRING + 1;

/** The typed array of each type of number. */
const TYPED_ARRAYS = TYPE_NAMES.map((name) => {
  const kinds: Record<string, string> = { i: "Int", u: "Uint", f: "Float" };
  return `${kinds[name[0]]}${name.slice(1)}Array`;
});

/** A function's text and the doc comment above it. */
type Member = readonly [comment: string, code: Doc];

const typeOf = (type: Type, direction: Direction, scope: Scope): Union => {
  const item = itemOf(type);
  if (item !== undefined) {
    const name = scope.fromPackage(direction === "got" ? "GuestStream" : "StreamSource");
    return [generic(name, typeOf(item, direction, scope))];
  }
  const numbers = numbersIn(type);
  if (numbers !== undefined) {
    const array = TYPED_ARRAYS[numbers];
    return direction === "got" ? [`${array}<ArrayBuffer>`] : [array, "readonly number[]"];
  }
  const schema = schemaOf(type);
  if (schema) return unionOf(schema, direction, scope);
  if (type === T_UNIT) return ["void"];
  if (type === T_BOOL) return ["boolean"];
  if (type === T_STRING) return ["string"];
  if (type !== T_BYTES) return ["number"];
  return direction === "got" ? ["Uint8Array<ArrayBuffer>"] : ["ArrayBuffer", "ArrayBufferView"];
};

const functionOf = (name: string, params: readonly Doc[], result: Union): Doc => [
  property(name),
  ": ",
  list("(", params, ")"),
  after(" =>", result),
  ";",
];

const hostFunction = ([name, isAsync, params, type, doc = ""]: Signature, scope: Scope): Member => {
  const [taken, given] = HOST;
  const names = parameterNames([...params.map(([param]) => param), "context"]);
  const docs = params.map(([, param], i) => after(`${names[i]}:`, typeOf(param, taken, scope)));
  const lent = names.filter((_, i) => params[i]?.[1] === T_BYTES);
  const until = isAsync ? " until the first `await`" : "";
  const notes = lent.map(
    (name) => `@param ${name} Lent${until}: copy it (\`${name}.slice()\`) to keep it.`,
  );
  const comment = lent.length ? `${doc}\n\n${notes.join("\n")}` : doc;
  if (!isAsync) return [comment, functionOf(name, docs, typeOf(type, given, scope))];
  // What a function without a result gives is ignored, whatever it is.
  const result = type === T_UNIT ? ["unknown"] : typeOf(type, given, scope);
  const context = `${names[params.length]}: ${scope.fromPackage("Context")}`;
  return [
    comment,
    functionOf(name, [...docs, context], [generic(scope.helper("Awaitable"), result)]),
  ];
};

const isLeftOut = (type: Type): boolean => {
  const schema = schemaOf(type);
  return schema ? isOptional(schema) : false;
};

const exportFunction = (
  [name, isAsync, params, type, doc = ""]: Signature,
  scope: Scope,
): Member => {
  const [given, got] = EXPORTS;
  const names = parameterNames([...params.map(([param]) => param), "signal"]);
  // Only what nothing that is needed follows can be left out.
  const needed = params.findLastIndex(([, param]) => !isLeftOut(param));
  const docs = params.map(([, param], i) =>
    after(names[i] + (i > needed ? "?:" : ":"), typeOf(param, given, scope)),
  );
  const result = typeOf(type, got, scope);
  if (!isAsync) return [doc, functionOf(name, docs, result)];
  const signal = `${names[params.length]}?: AbortSignal`;
  return [doc, functionOf(name, [...docs, signal], [generic("Promise", result)])];
};

const interfaceOf = (name: string, comment: string, members: readonly Member[]): string => {
  const head = docComment(comment);
  // What nobody can call, or give, by mistake.
  if (!members.length) return `${head}export type ${name} = Record<string, never>;\n`;
  const lines = members.map(
    ([comment, code]) => `${docComment(comment, "  ")}${layout(indent("  ", code))}\n`,
  );
  return `${head}export interface ${name} {\n${lines.join("")}}\n`;
};

const declaration = ({ name, schema, direction }: Declaration, scope: Scope): Doc => {
  if (!("fields" in schema && schema.fields.length))
    return [after(`export type ${name} =`, writeOut(schema, direction, scope)), ";"];
  const fields = fieldDocs(schema.fields, direction, scope).map((field) => [LINE, field, ";"]);
  return [`export interface ${name} {`, indent(...fields), LINE, "}"];
};

/** The `.d.ts` of `program`; `from` is the name of its file. */
export const declarationText = (program: Program, from: string): string => {
  const scope = declarationsOf(program);
  const types = scope.types.map((type) => {
    const comment = type.inputOf ? `A {@link ${type.inputOf}} as JavaScript may give it.` : "";
    return `${docComment(comment)}${layout(declaration(type, scope))}\n`;
  });
  const host = program.host.map((signature) => hostFunction(signature, scope));
  const exports = program.exports.map((signature) => exportFunction(signature, scope));
  const helpers = scope.helpers().map(([helper, name]) => {
    const [params, meaning, union] = HELPERS[helper];
    const text = layout([after(`export type ${name}${params} =`, union), ";"]);
    return `${docComment(meaning)}${text}\n`;
  });
  const imports = scope.imports();
  const services = oneLine(program.services.join(", "));
  const head = [
    `// Made by \`kippu types\` from ${oneLine(from)}. Do not edit.\n`,
    ...(services ? [`// The program uses the services ${services}.\n`] : []),
  ];
  return [
    head.join(""),
    ...(imports.length ? [`import type { ${imports.join(", ")} } from "kippu";\n`] : []),
    ...types,
    interfaceOf("Host", "The functions that the program needs: give them as `host`.", host),
    interfaceOf("Exports", "The functions that the program offers.", exports),
    ...helpers,
  ].join("\n");
};
