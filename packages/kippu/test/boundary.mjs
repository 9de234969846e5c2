// The guest of the tests about exports and streams, and host functions that note what happens.

import { readFile } from "node:fs/promises";
import { instantiate } from "../dist/index.js";
import { buildGuest } from "./rust.mjs";

// Node and Deno have it by a flag.
globalThis.gc ??= () => globalThis.Bun.gc(true);

export const module = await WebAssembly.compile(await readFile(buildGuest("boundary-guest")));

/** A promise with its handles. */
export const deferred = () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

export const macrotask = () => new Promise((done) => setTimeout(done, 2));

/** A fresh instance, what it noted, and the questions that wait for an answer. */
export const open = async (host = {}) => {
  const notes = [];
  const questions = [];
  const unexpected = (name) => () => {
    throw new Error(`${name} is not expected to be called`);
  };
  const instance = await instantiate(module, {
    host: {
      note: (what) => {
        notes.push(what);
      },
      ask: (question, context) => {
        const answer = deferred();
        questions.push({ question, ...answer, signal: context.signal });
        return answer.promise;
      },
      call_back: unexpected("call_back"),
      numbers: unexpected("numbers"),
      numbers_sync: unexpected("numbers_sync"),
      take: unexpected("take"),
      amplify: unexpected("amplify"),
      peek: unexpected("peek"),
      take_refused: unexpected("take_refused"),
      ...host,
    },
  });
  return { instance, exports: instance.exports, notes, questions };
};
