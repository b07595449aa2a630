// The client against real nodes, and what happens to these.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { codes, NoReplyError, TooLargeError, UnknownError, type CodeError } from "../src/index.js";
import { binary, calm, freeze, node, quick, until, withNodes } from "./nodes.js";
import { start, started } from "./rig.js";

withNodes("a message is acknowledged and comes back", async (t) => {
  const n = await node(t, "a");
  const { client, texts } = await started(t, { endpoints: [n.url] });
  assert.equal(await client.send("hello"), 0);
  assert.deepEqual(texts, ["hello"]);
  await client.post("noted");
  await until("the echo of a post", () => texts.includes("noted"));
  const info = client.info();
  assert.equal(info.node, "a");
  assert.equal(info.endpoint, n.url);
  assert.equal(info.unsettled, 0);
  assert.equal(info.bufferedAmount, 0);
  assert.match(info.session, /^[0-9a-f]{16}-[0-9a-f]{16}$/);
  client.stop();
  await client.done;
  assert.equal(client.info().losses, 0);
});

withNodes("heartbeats keep an idle session", async (t) => {
  const n = await node(t, "a", ...calm);
  const { client } = await started(t, { endpoints: [n.url], pongTimeout: 30_000 });
  await until("ten answers", () => client.info().pongs >= 10);
  assert.equal(client.info().sessions, 1);
  assert.ok(client.info().rtt! > 0);
});

withNodes("kill -9: the next node has the session, and what was not settled arrives", async (t) => {
  const [a, b] = [await node(t, "a", ...quick), await node(t, "b", ...quick)];
  const { client } = await started(t, { endpoints: [a.url, b.url] });
  const [here, there] = client.info().node === "a" ? [a, b] : [b, a];
  await freeze(here); // so that it answers nothing more
  const sent = client.send("in between");
  here.kill("SIGKILL");
  await until("the other node", () => client.info().node === there.name);
  await sent;
  assert.ok(client.info().losses >= 1);
});

withNodes("a drain hands the session over, and nobody notices", async (t) => {
  const there = await node(t, "b", ...calm);
  const here = await node(t, "a", "--drain-grace", "300ms", "--alternates", there.addr, ...calm);
  const { client, states } = await started(t, { endpoints: [here.url], pongTimeout: 30_000 });
  let sent = 0, moved = false;
  const sending = (async () => {
    for (; !moved; sent++) await client.send(`message ${sent}`);
  })();
  here.kill("SIGTERM");
  await until("the other node", () => client.info().node === there.name);
  moved = true;
  await sending;
  await until("the end of the node", () => here.process.exitCode === 0);
  assert.deepEqual(states, ["connecting", "handshaking", "ready", "ready"]);
  assert.equal(client.info().losses, 0);
  assert.ok(sent > 0);
});

withNodes("a frozen node is noticed, and left", async (t) => {
  const [a, b] = [await node(t, "a", ...quick), await node(t, "b", ...quick)];
  const { client, errors } = await started(t, { endpoints: [a.url, b.url] });
  const [here, there] = client.info().node === "a" ? [a, b] : [b, a];
  await freeze(here);
  const sent = client.send("who is there?");
  await until("the other node", () => client.info().node === there.name);
  await sent;
  assert.ok(errors.some((e) => e.includes("no PONG")), errors.join());
});

withNodes("a frozen node is left at once when the network has changed", async (t) => {
  const [a, b] = [await node(t, "a"), await node(t, "b")];
  const { client } = await started(t, { endpoints: [a.url, b.url], pongTimeout: 60_000, connectTimeout: 1000 });
  const [here, there] = client.info().node === "a" ? [a, b] : [b, a];
  await freeze(here);
  client.networkChanged();
  await until("the other node", () => client.info().node === there.name);
});

// A way to a node that can be cut. Nothing passes while it is.
async function cable(t: TestContext, addr: string): Promise<{ url: string; cut(): void; mend(): void; reset(): void }> {
  const ends = new Set<Socket>();
  let broken = false;
  const [host, port] = addr.split(":") as [string, string];
  const s = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      ends.add(from);
      from.on("data", (b) => void (broken || to.write(b)));
      from.on("close", () => { ends.delete(from); if (!broken) to.destroy(); });
      from.on("error", () => {});
    }
  });
  await new Promise<void>((resolve) => s.listen(0, "127.0.0.1", resolve));
  const reset = (): void => ends.forEach((e) => e.destroy());
  t.after(() => { s.close(); reset(); });
  return {
    url: `ws://127.0.0.1:${(s.address() as AddressInfo).port}/`, reset,
    cut: () => { broken = true; }, mend: () => { broken = false; },
  };
}

withNodes("a cut that says nothing is noticed, and the client is back when it is mended", async (t) => {
  const n = await node(t, "a", ...quick);
  const way = await cable(t, n.addr);
  const { client } = await started(t, { endpoints: [way.url], welcomeTimeout: 300, backoffMax: 500, ignoreAlternates: true });
  way.cut();
  await until("the loss", () => client.info().state !== "ready");
  const sent = client.send("when you are back");
  way.mend();
  await sent;
  assert.ok(client.info().losses >= 1);
});

withNodes("connections that are reset are made anew", async (t) => {
  const n = await node(t, "a", ...quick);
  const way = await cable(t, n.addr);
  const { client } = await started(t, { endpoints: [way.url], ignoreAlternates: true });
  for (let i = 1; i <= 3; i++) {
    way.reset();
    await until("a loss", () => client.info().losses >= i);
    await client.send(`message ${i}`);
  }
});

withNodes("a client keeps below the limits of its node", async (t) => {
  const n = await node(t, "a", "--max-frame-rate", "40", ...calm);
  const { client } = await started(t, { endpoints: [n.url], pongTimeout: 30_000 });
  await Promise.all(Array.from({ length: 250 }, (_, i) => client.send(`message ${i}`)));
  assert.equal(client.info().sessions, 1);
  assert.equal(client.info().losses, 0);
});

withNodes("more than can be unsettled at once is sent in turn, and in order", async (t) => {
  const n = await node(t, "a");
  const { client, texts } = await started(t, { endpoints: [n.url] });
  const all = Array.from({ length: 1000 }, (_, i) => String(i));
  await Promise.all(all.map((text) => client.send(text)));
  assert.deepEqual(texts, all);
});

withNodes("large messages go both ways, and too large ones nowhere", async (t) => {
  const n = await node(t, "a");
  const { client, texts } = await started(t, { endpoints: [n.url] });
  const text = "x".repeat(65536 - 8);
  await client.send(text);
  assert.equal(texts[0], text);
  await assert.rejects(client.send(text + "x"), TooLargeError);
});

// A way to a node from which so many bytes a second come, and no more: the others wait in it.
async function slowWay(t: TestContext, addr: string, bytesPerSecond: number): Promise<string> {
  const [host, port] = addr.split(":") as [string, string];
  const every = 20;
  const s = createServer((near) => {
    const far = connect(Number(port), host);
    let held = Buffer.alloc(0);
    far.on("data", (b) => void (held = Buffer.concat([held, b])));
    near.pipe(far);
    const ticking = setInterval(() => {
      const n = Math.round(bytesPerSecond * every / 1000);
      if (held.length > 0) near.write(held.subarray(0, n));
      held = held.subarray(n);
    }, every);
    for (const end of [near, far]) {
      end.on("error", () => {});
      end.on("close", () => { clearInterval(ticking); near.destroy(); far.destroy(); });
    }
    t.after(() => near.destroy());
  });
  await new Promise<void>((resolve) => s.listen(0, "127.0.0.1", resolve));
  t.after(() => void s.close());
  return `ws://127.0.0.1:${(s.address() as AddressInfo).port}/`;
}

withNodes("a message that takes longer than the pong timeout costs no session", async (t) => {
  const n = await node(t, "a", ...calm);
  const url = await slowWay(t, n.addr, 28 << 10);
  const { client, texts } = await started(t, { endpoints: [url], pongTimeout: 1500, ignoreAlternates: true });
  const text = "x".repeat(65536 - 8);
  const began = Date.now();
  await client.send(text);
  assert.equal(client.info().losses, 0);
  assert.equal(texts[0], text);
  assert.ok(Date.now() - began > 2000, "it came too soon to prove anything");
});

withNodes("a request to who only acknowledges has no reply", async (t) => {
  const n = await node(t, "a");
  const { client } = await started(t, { endpoints: [n.url] });
  await assert.rejects(client.request("how late?"), NoReplyError);
});

withNodes("a signal ends the wait, before the message is sent and after", async (t) => {
  const n = await node(t, "a");
  const { client } = await started(t, { endpoints: [n.url] });
  await assert.rejects(client.send("x", { signal: AbortSignal.abort() }), { name: "AbortError" });
  await freeze(n);
  const abort = new AbortController();
  const sent = client.send("x", { signal: abort.signal });
  const posted = client.info().unsettled;
  abort.abort();
  await assert.rejects(sent, UnknownError);
  assert.equal(posted, 1);
  assert.equal(client.info().unsettled, 0);
});

withNodes("what waits at the end may have arrived, or not", async (t) => {
  const n = await node(t, "a");
  const { client } = await started(t, { endpoints: [n.url] });
  await freeze(n);
  const sent = client.send("x");
  client.stop();
  await assert.rejects(sent, UnknownError);
  await assert.rejects(client.send("y"), { name: "ClosedError" });
  assert.equal(client.unsettled().length, 1);
});

withNodes("a token that is not taken is a refusal, and a good one lets in", async (t) => {
  const file = join(mkdtempSync(join(tmpdir(), "stormwheel-")), "secret");
  writeFileSync(file, "0123456789abcdef0123456789abcdef\n");
  const n = await node(t, "a", "--auth-secret-file", file);
  const good = execFileSync(binary, ["token", "--secret-file", file, "--id", "alice"], { encoding: "utf8" }).trim();
  let token = "wrong";
  const { client } = start(t, { endpoints: [n.url], token: () => token });
  await until("the refusal", () => client.info().refused);
  assert.equal((client.info().lastError as CodeError).code, codes.unauthorized);
  token = good;
  client.networkChanged();
  await client.ready();
});
