// Browsers and a web server for programs and tests that run on a page.
//
//   const server = await serve({ "/kippu/": "packages/kippu/dist/", "/": "<!doctype html>…" });
//   const browser = await launch("firefox");
//   try {
//     const page = await browser.newPage(server.url);
//     console.log(await page.evaluate(() => document.title));
//   } finally {
//     await browser.close();
//     await server.close();
//   }
//
// The browsers are those of the system. A browser never outlives this process, however that ends,
// and leaves no file behind. As a program this prints where a browser is: node browsers.mjs chromium
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { access, constants, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const BROWSERS = {
  chromium: {
    kind: "chrome",
    // The first that is on PATH is taken; the variable comes before all.
    variable: "KIPPU_CHROMIUM",
    programs: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"],
    arguments: [
      // As root, which containers and CI are, there is no sandbox.
      "--no-sandbox",
      "--disable-gpu",
      // Shared memory is small in containers.
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  },
  firefox: {
    kind: "firefox",
    variable: "KIPPU_FIREFOX",
    programs: ["firefox-esr", "firefox"],
    arguments: [],
  },
};

/** The names that `launch` takes. */
export const BROWSER_NAMES = Object.keys(BROWSERS);

/** How long a browser may run, in milliseconds. */
const LIMIT = 120_000;

const isProgram = (path) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * The path of a browser's program. Throws with advice when there is none.
 *
 * @param {"chromium" | "firefox"} name
 */
export const find = async (name) => {
  const known = BROWSERS[name];
  if (!known) throw new Error(`no browser ${name}; there are ${BROWSER_NAMES.join(" and ")}`);
  const { variable, programs } = known;
  const given = process.env[variable];
  if (given) return given;
  for (const program of programs)
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, process.platform === "win32" ? `${program}.exe` : program);
      if (folder && (await isProgram(path))) return path;
    }
  throw new Error(
    `${name} was not found: install it (on Debian: apt-get install ${programs[0]}), ` +
      `or put the path of its program into ${variable}`,
  );
};

/**
 * Ends the browser's processes and removes its files when this process is gone, also when it was
 * killed: then its end of the guard's standard input is closed.
 */
const GUARD = `
  const [pid, folder] = process.argv.slice(1);
  process.stdin.resume().on("end", () => {
    try { process.kill(process.platform === "win32" ? +pid : -pid, "SIGKILL"); } catch {}
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
`;

const guard = (pid, folder) => {
  const child = spawn(process.execPath, ["-e", GUARD, String(pid), folder], {
    // Of its own group: what ends ours must not end it.
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.unref();
  child.stdin.unref?.();
  return () =>
    new Promise((done) => {
      child.once("exit", done);
      child.ref();
      child.stdin.end();
    });
};

/**
 * Starts a headless browser with a profile of its own.
 *
 * Gives `newPage(url?)`, which opens a page (of puppeteer), `version`, the browser's own words,
 * `puppeteer`, its browser for all else, and `close()`, which may be called more than once.
 * `expired` rejects after `limit` milliseconds; the browser is killed then, and with it ends
 * whatever waits for it. Throws with advice when the browser is not installed.
 *
 * @param {"chromium" | "firefox"} name
 * @param {{ limit?: number, arguments?: string[] }} [options] `arguments`
 *   are further ones of the browser's command line.
 */
export const launch = async (name, { limit = LIMIT, arguments: more = [] } = {}) => {
  const executablePath = await find(name);
  const known = BROWSERS[name];
  // Not needed by who only serves or finds.
  const { default: puppeteer } = await import("puppeteer-core");
  const folder = await mkdtemp(join(tmpdir(), `kippu-${name}-`));
  const profile = join(folder, "profile");
  await mkdir(profile);
  let browser;
  try {
    browser = await puppeteer.launch({
      browser: known.kind,
      executablePath,
      headless: true,
      userDataDir: profile,
      args: [...known.arguments, ...more],
      // What a browser writes into the home folder goes away with its profile.
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
      timeout: limit,
      protocolTimeout: limit,
    });
  } catch (e) {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    throw new Error(`${name} (${executablePath}) does not start: ${e.message}`, { cause: e });
  }
  const release = guard(browser.process().pid, folder);

  let closing;
  const close = () => {
    closing ??= (async () => {
      clearTimeout(timer);
      // A browser that does not end when asked is ended by the guard.
      const asked = browser.close().catch(() => {});
      await Promise.race([asked, new Promise((done) => setTimeout(done, 5000).unref())]);
      await release();
    })();
    return closing;
  };
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${name} was not done within ${limit / 1000} s`));
      // What hangs is not asked first.
      browser.process()?.kill("SIGKILL");
      close();
    }, limit);
  });
  // Who does not look at it learns by the calls that fail.
  expired.catch(() => {});
  return {
    name,
    version: await browser.version(),
    puppeteer: browser,
    expired,
    close,
    async newPage(url) {
      const page = await browser.newPage();
      if (url !== undefined) await page.goto(String(url));
      return page;
    },
  };
};

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const sendFile = async (response, path) => {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-length": found.size,
  });
  createReadStream(path)
    .on("error", () => response.destroy())
    .pipe(response);
};

/**
 * Serves over HTTP on 127.0.0.1, on a port that is free.
 *
 * Of the routes the longest whose path the request's path begins with is taken, or is, when the
 * route does not end in a slash. A route is a page's text (it begins with `<`), the path of a file
 * or of a folder (ends in a slash; relative paths start at the repository's root), or a function
 * `(request, response, url)`. Gives `url`, with a slash at its end, and `close()`, which also ends
 * the connections.
 *
 * @param {Record<string, string | URL | Function>} routes
 * @param {{ headers?: Record<string, string> }} [options] `headers` go with every answer.
 */
export const serve = async (routes, { headers = {} } = {}) => {
  const paths = Object.keys(routes).sort((a, b) => b.length - a.length);
  const answer = async (request, response) => {
    for (const [name, value] of Object.entries({ "cache-control": "no-store", ...headers }))
      response.setHeader(name, value);
    const url = new URL(request.url, server.url);
    const route = paths.find(
      (path) => url.pathname === path || (path.endsWith("/") && url.pathname.startsWith(path)),
    );
    let target = routes[route];
    if (typeof target === "function") return target(request, response, url);
    if (typeof target === "string" && target.startsWith("<")) {
      // A page is at its own path only: what is missing below it is missing.
      if (url.pathname === route)
        return response.writeHead(200, { "content-type": TYPES[".html"] }).end(target);
      target = undefined;
    }
    if (target === undefined)
      return response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    const base = resolve(ROOT, target instanceof URL ? fileURLToPath(target) : target);
    if (url.pathname === route && !route.endsWith("/")) return sendFile(response, base);
    const path = resolve(base, decodeURIComponent(url.pathname.slice(route.length)) || ".");
    // Nothing outside of the folder.
    if (relative(base, path).split(sep)[0] === "..")
      return response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    return sendFile(response, path);
  };
  const listener = createServer((request, response) => {
    answer(request, response).catch((e) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { "content-type": "text/plain" }).end(String(e));
    });
  });
  const server = {
    url: "",
    close: () =>
      new Promise((done) => {
        listener.close(() => done());
        listener.closeAllConnections();
      }),
  };
  await new Promise((done, reject) => {
    listener.on("error", reject);
    listener.listen(0, "127.0.0.1", done);
  });
  server.url = `http://127.0.0.1:${listener.address().port}/`;
  return server;
};

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  try {
    console.log(await find(process.argv[2]));
  } catch (e) {
    console.error(e.message);
    process.exitCode = 1;
  }
