// The client in a browser: the page of examples/page in Chromium, against real nodes.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Client } from "../src/index.js";
import { repository } from "./bytes.js";
import { calm, freeze, node, noNodes, quick, until, type Node } from "./nodes.js";

const executable = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find((path) => path && existsSync(path));
const skip = noNodes || (executable ? false : "there is no Chromium; CHROMIUM names one");
const pictures = process.env["STORMWHEEL_PICTURES"]; // a folder for screenshots, to look at

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

// The page, whose server tells it the nodes, in a context of its own.
async function open(t: TestContext, nodes: Node[], headers: Record<string, string> = {}, init?: () => void, html?: string): Promise<Page> {
  const types: Record<string, string> = { html: "text/html", js: "text/javascript", json: "application/json" };
  const s = createServer((q, a) => {
    const name = q.url === "/" ? "index.html" : q.url!.slice(1);
    const file = join(repository, "examples/page", name);
    a.setHeader("Content-Type", types[name.split(".")[1]!] ?? "text/plain");
    for (const [key, value] of Object.entries(headers)) a.setHeader(key, value);
    if (html && name === "index.html") a.end(html);
    else if (name === "nodes.json") a.end(JSON.stringify(nodes.map((n) => n.url)));
    else if (existsSync(file)) a.end(readFileSync(file));
    else a.writeHead(404).end();
  });
  await new Promise<void>((resolve) => s.listen(0, "127.0.0.1", resolve));
  browser ??= chromium.launch({ executablePath: executable!, args: ["--no-sandbox"] });
  const context = await (await browser).newContext();
  t.after(async () => { await context.close(); s.closeAllConnections(); s.close(); });
  const page = await context.newPage();
  if (init) await page.addInitScript(init);
  await page.goto(`http://127.0.0.1:${(s.address() as AddressInfo).port}/`);
  if (!html) await page.waitForFunction(() => (globalThis as { client?: Client }).client?.info().state === "ready", undefined, { timeout: 30_000 });
  return page;
}

type Facts = { state: string; node: string; sessions: number; losses: number; pings: number; pongs: number; error: string };

const facts = (page: Page): Promise<Facts> => page.evaluate(() => {
  const i = (globalThis as unknown as { client: Client }).client.info();
  return { state: i.state, node: i.node, sessions: i.sessions, losses: i.losses, pings: i.pings, pongs: i.pongs, error: String(i.lastError) };
});

async function untilPage(page: Page, what: string, is: (f: Facts) => boolean): Promise<Facts> {
  let last: Facts | undefined;
  const end = Date.now() + 30_000;
  do {
    last = await facts(page);
    if (is(last)) return last;
  } while (Date.now() < end);
  throw new Error(`not in half a minute: ${what}; it is ${JSON.stringify(last)}`);
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
  await page.waitForFunction((text) => document.getElementById("log")!.textContent!.includes(`✓ ${text}`), text, { timeout: 30_000 });
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const withChromium = (name: string, run: (t: TestContext) => Promise<void>): void => void test(name, { skip, timeout: 90_000 }, run);

withChromium("a page talks to a node", async (t) => {
  const page = await open(t, [await node(t, "a")]);
  await say(page, "hello");
  const log = await page.textContent("#log");
  assert.match(log!, /ready at a[^]*> hello[^]*< hello/);
  await picture(page, "talks");
});

withChromium("the page of the README talks to a node", async (t) => {
  const n = await node(t, "a");
  const readme = readFileSync(join(repository, "clients/js/README.md"), "utf8");
  const html = /```html\n([^]*?)```/.exec(readme)![1]!;
  assert.ok(html.trim().split("\n").length <= 21);
  const page = await open(t, [n], {}, undefined, html.replace("ws://127.0.0.1:7000/", n.url).replace(', "ws://127.0.0.1:7001/"', ""));
  await page.waitForFunction(() => document.getElementById("state")!.textContent === "ready a");
  await page.fill("#text", "hello");
  await page.press("#text", "Enter");
  await page.waitForFunction(() => document.getElementById("log")!.textContent === "< hello\nthe node's application has it\n");
});

withChromium("a page survives kill -9 of its node", async (t) => {
  const [a, b] = [await node(t, "a", ...quick), await node(t, "b", ...quick)];
  const page = await open(t, [a, b]);
  const [here, there] = (await facts(page)).node === "a" ? [a, b] : [b, a];
  here.kill("SIGKILL");
  await untilPage(page, "the other node", (f) => f.state === "ready" && f.node === there.name);
  await say(page, "still here");
  await picture(page, "killed");
});

withChromium("a page is handed over by a node that drains", async (t) => {
  const there = await node(t, "b", ...calm);
  const here = await node(t, "a", "--drain-grace", "300ms", "--alternates", there.addr, ...calm);
  const page = await open(t, [here]);
  here.kill("SIGTERM");
  const f = await untilPage(page, "the other node", (f) => f.node === "b");
  assert.equal(f.losses, 0);
  await until("the end of the node", () => here.process.exitCode === 0);
  await say(page, "moved");
  assert.equal((await facts(page)).losses, 0);
  await picture(page, "drained");
});

withChromium("a page leaves a node that is frozen", async (t) => {
  const [a, b] = [await node(t, "a", ...quick), await node(t, "b", ...quick)];
  const page = await open(t, [a, b]);
  const [here, there] = (await facts(page)).node === "a" ? [a, b] : [b, a];
  await freeze(here);
  await untilPage(page, "the other node", (f) => f.state === "ready" && f.node === there.name);
  await say(page, "still here");
  await picture(page, "frozen-node");
});

withChromium("a page that was frozen itself is back soon", async (t) => {
  const n = await node(t, "a", ...quick);
  const page = await open(t, [n]);
  const session = await (await browser!).newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter((p) => p.type === "renderer").map((p) => p.id);
  assert.ok(renderers.length > 0);
  for (const pid of renderers) process.kill(pid, "SIGSTOP");
  try {
    await evicted(n);
  } finally {
    for (const pid of renderers) process.kill(pid, "SIGCONT");
  }
  await untilPage(page, "another session", (f) => f.state === "ready" && f.sessions >= 2);
  await say(page, "awake");
  await picture(page, "frozen-page");
});

// Waits until a node has evicted somebody.
async function evicted(n: Node): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const stats = await (await fetch(`${n.admin}/stats`)).json() as Record<string, unknown>;
    if (Number(stats["evictions"]) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the node has not evicted in half a minute");
}

// What a browser does to the timers of a page that nobody looks at.
function throttle(): void {
  const real = globalThis.setTimeout;
  (globalThis as { setTimeout: unknown }).setTimeout = (f: () => void, ms = 0) => real(f, Math.max(ms, 60_000));
}

withChromium("heartbeats go on where the page's timers are held back", async (t) => {
  const page = await open(t, [await node(t, "a", ...calm)], {}, throttle);
  const f = await untilPage(page, "eight answers", (f) => f.pongs >= 8);
  assert.deepEqual([f.sessions, f.losses], [1, 0]);
});

withChromium("a page whose policy forbids workers has its plain timers", async (t) => {
  const policy = "default-src 'self' 'unsafe-inline'; connect-src *; worker-src 'none'";
  const page = await open(t, [await node(t, "a", ...calm)], { "Content-Security-Policy": policy });
  const f = await untilPage(page, "eight answers", (f) => f.pongs >= 8);
  assert.deepEqual([f.sessions, f.losses], [1, 0]);
});

withChromium("a network that comes back, and a page that is looked at again, ask at once", async (t) => {
  const page = await open(t, [await node(t, "a")]);
  const asked = (what: string): Promise<number> => page.evaluate(async (what) => {
    const client = (globalThis as unknown as { client: Client }).client, before = client.info().pings;
    if (what === "online") dispatchEvent(new Event("online"));
    if (what === "visible" || what === "glance") {
      let state = "hidden";
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange"));
      const real = Date.now;
      if (what === "visible") Date.now = () => real() + 10_000;
      state = "visible";
      document.dispatchEvent(new Event("visibilitychange"));
      Date.now = real;
    }
    const asked = client.info().pings - before;
    while (client.info().pongs < client.info().pings) await new Promise((resolve) => setTimeout(resolve, 5));
    return asked;
  }, what);
  assert.equal(await asked("online"), 1);
  assert.equal(await asked("visible"), 1);
  assert.equal(await asked("glance"), 0);
});
