// The module that the guest `cases` names. Beside what the tool has written when the tests run.

const sleep = (ms) => new Promise((ok) => setTimeout(ok, ms));

const circle = new Error("circle");
circle.cause = circle;

const failures = {
  error: () =>
    Object.assign(new TypeError("no", { cause: new RangeError("why") }), { code: "E_NO" }),
  text: () => "just text",
  nothing: () => undefined,
  circle: () => circle,
  nasty: () => ({
    get message() {
      throw new Error("nasty");
    },
    toString() {
      throw new Error("nasty");
    },
  }),
};

export const add = (a, b) => a + b;

export const promise = async (name) => {
  if (name === "never") return new Promise(() => {});
  if (name === "later") await sleep(10);
  if (Object.hasOwn(failures, name)) throw failures[name]();
  return name;
};

export const thrower = (name) => {
  if (Object.hasOwn(failures, name)) throw failures[name]();
  return name;
};
