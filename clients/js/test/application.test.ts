// What an application hands over, and what its functions may do to the client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { types } from "../src/frame.js";
import { Client } from "../src/index.js";
import type { WebSocketLike } from "../src/socket.js";
import { asText } from "./bytes.js";
import { deliver, fake, welcome } from "./fake.js";
import { until } from "./nodes.js";
import { start, started } from "./rig.js";

const timeout = 60_000;

test("a body is copied, a Buffer too, and what is none is refused", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  const body = Buffer.from("as it was");
  void client.send(body).catch(() => {});
  body.fill("x");
  await s.connections[0]!.frame(types.send);
  s.connections[0]!.ws.terminate();
  await until("another connection", () => s.connections.length === 2);
  assert.equal(asText((await s.connections[1]!.frame(types.send)).payload.subarray(8)), "as it was");
  for (const none of [undefined, 5, { length: 2 }, [1, 2]]) {
    await assert.rejects(client.send(none as unknown as string), TypeError);
  }
});

test("a token that is too late hears of it", { timeout }, async (t) => {
  const s = await fake(t);
  const signals: AbortSignal[] = [];
  const { client } = start(t, {
    endpoints: [s.url], connectTimeout: 1000,
    token: (signal) => signals.push(signal) === 1 ? new Promise<string>(() => {}) : "good",
  });
  await client.ready();
  assert.equal(signals[0]!.aborted, true);
  assert.equal(signals[1]!.aborted, false);
});

test("a renewal ends with its connection, and a token that throws at once harms nothing", { timeout }, async (t) => {
  const s = await fake(t, (c) => c.send(welcome(1500)));
  const renewals: AbortSignal[] = [], unhandled: unknown[] = [];
  const listen = (e: unknown): void => void unhandled.push(e);
  process.on("unhandledRejection", listen);
  t.after(() => process.off("unhandledRejection", listen));
  let asked = 0;
  const { client } = await started(t, {
    endpoints: [s.url],
    token: (signal) => {
      if (++asked === 2) throw new Error("not now");
      if (asked === 4) return renewals.push(signal), new Promise<string>(() => {});
      return "good";
    },
  });
  await until("the first renewal", () => asked === 2);
  s.connections[0]!.ws.terminate(); // asked is 3 for the next connection
  await until("another renewal", () => asked === 4);
  s.connections[1]!.ws.terminate();
  await until("its end", () => renewals[0]!.aborted);
  await client.ready();
  assert.deepEqual(unhandled, []);
});

test("a failed that throws ends nothing", { timeout }, async (t) => {
  const s = await fake(t);
  t.mock.method(console, "error", () => {});
  const broken = (): never => { throw new Error("broken"); };
  const { client } = start(t, { endpoints: [s.url], changed: broken, deliver: broken, failed: broken });
  await client.ready();
  s.connections[0]!.send(deliver(1, "one"));
  await s.connections[0]!.frame(types.nack);
  s.connections[0]!.ws.terminate();
  await until("another session", () => client.info().sessions === 2);
});

test("nothing is looked after once nothing waits for room any more", { timeout }, async (t) => {
  class Slow implements WebSocketLike {
    static last: Slow;
    binaryType = "";
    bufferedAmount = 0;
    readyState = 1;
    onopen: ((event: unknown) => void) | null = null;
    onmessage: ((event: unknown) => void) | null = null;
    onclose = null;
    onerror = null;
    constructor() {
      Slow.last = this;
      queueMicrotask(() => {
        this.onopen!({});
        const b = welcome();
        this.onmessage!({ data: b.buffer.slice(b.byteOffset, b.byteOffset + b.length) });
      });
    }
    send(): void {}
    close(): void {}
  }
  const client = new Client({ id: "alice", endpoints: ["ws://a/"], webSocket: Slow });
  t.after(() => client.stop());
  client.start();
  await client.ready();
  Slow.last.bufferedAmount = 2 << 20;
  const over = new AbortController();
  const sent = client.send("waits", { signal: over.signal });
  assert.equal(client.info().waiting, 1);
  const timers = t.mock.method(globalThis, "setTimeout");
  over.abort(new Error("enough"));
  await assert.rejects(sent, /enough/);
  assert.equal(client.info().waiting, 0);
  assert.ok(timers.mock.calls.at(-1)!.arguments[1]! > 1000, "the timer is for the heartbeat");
});
