// The client against a server that says what real nodes seldom do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { flags, types } from "../src/frame.js";
import * as wire from "../src/messages.js";
import { CodeError, codes, Refusal, RefusedError, type Message } from "../src/index.js";
import { asText } from "./bytes.js";
import { ack, deliver, fake, goAway, nack, reply, welcome } from "./fake.js";
import { until } from "./nodes.js";
import { start, started } from "./rig.js";

const timeout = 60_000;

test("what becomes of deliver answers the message", { timeout }, async (t) => {
  const s = await fake(t);
  const { failures } = await started(t, {
    endpoints: [s.url],
    deliver: async (m: Message): Promise<number | void> => {
      switch (m.text) {
        case "word": return 3;
        case "later": await new Promise((resolve) => setTimeout(resolve, 20)); return;
        case "no": throw new Refusal(1007, "not that");
        case "bad code": throw new Refusal(7);
        case "broken": throw new Error("broken");
        case "question": await m.reply("answer"); return;
        case "ignored question": return;
      }
    },
  });
  const c = s.connections[0]!;
  c.send(deliver(1, "word"), deliver(2, "later"), deliver(3, "no"), deliver(4, "broken"), deliver(0, "wants nothing"),
    deliver(5, "question", flags.wantsReply), deliver(6, "ignored question", flags.wantsReply), deliver(7, "bad code"));
  await c.frame(types.ack, 2);
  await c.frame(types.nack, 2);
  const acks = c.frames.filter((f) => f.type === types.ack).map((f) => wire.parseAck(f.payload));
  const nacks = c.frames.filter((f) => f.type === types.nack).map((f) => wire.parseNack(f.payload));
  assert.deepEqual(acks.map((a) => [a.first, a.what]).sort(), [[1n, 3], [2n, 0], [6n, 0]]);
  assert.deepEqual(nacks.sort((a, b) => Number(a.number - b.number)),
    [{ number: 3n, code: 1007, reason: "not that" }, { number: 4n, code: 2, reason: "" }, { number: 7n, code: 100, reason: "" }]);
  const answer = await c.frame(types.send);
  assert.equal(answer.flags, flags.reply);
  assert.equal(asText(answer.payload.subarray(16)), "answer");
  assert.deepEqual(failures.map(String), ["Error: broken"]);
});

test("answers come to who has asked", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  const c = s.connections[0]!;
  const all = [client.send("one"), client.request("two"), client.send("three")] as const;
  await c.frame(types.send, 2);
  c.send(nack(3, 1), ack(1, 9), reply(2, "noon"));
  assert.equal(await all[0], 9);
  assert.equal(asText(await all[1]), "noon");
  await assert.rejects(all[2], (e: unknown) => e instanceof RefusedError && e.code === 1 && e.again);
});

test("what was not settled goes again over the next connection, with its number", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  const sent = [client.send("one"), client.send("two")];
  await s.connections[0]!.frame(types.send, 1);
  s.connections[0]!.send(ack(1));
  await sent[0];
  s.connections[0]!.ws.terminate();
  await until("another connection", () => s.connections.length === 2);
  const again = await s.connections[1]!.frame(types.send);
  assert.equal(wire.parseDeliver(again.payload, 0).number, 2n);
  s.connections[1]!.send(ack(2));
  await sent[1];
});

test("a close code says what the GOAWAY would have said", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  s.connections[0]!.ws.close(codes.replaced + 1000);
  await assert.rejects(client.done, (e: unknown) => e instanceof CodeError && e.code === codes.replaced);
  assert.equal(client.info().state, "stopped");
});

test("3504 ends the client, and what waits is told", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  const sent = client.send("x");
  s.connections[0]!.send(goAway(codes.replaced));
  await assert.rejects(sent, { name: "UnknownError" });
  await assert.rejects(client.done, CodeError);
  await assert.rejects(client.send("y"), { name: "ClosedError" });
  await assert.rejects(client.ready(), { name: "ClosedError" });
});

test("a text message is no frame, and ends the connection", { timeout }, async (t) => {
  const s = await fake(t);
  const { client } = await started(t, { endpoints: [s.url] });
  s.connections[0]!.ws.send("hello");
  await until("a loss and another session", () => client.info().sessions === 2);
  assert.equal(client.info().losses, 1);
});

test("frames are read out of messages that are cut anywhere", { timeout }, async (t) => {
  const s = await fake(t);
  const { texts } = await started(t, { endpoints: [s.url] });
  const b = Buffer.concat([deliver(1, "one"), deliver(2, "two"), deliver(3, "three")]);
  for (let i = 0; i < b.length; i += 5) s.connections[0]!.ws.send(b.subarray(i, i + 5));
  await until("all messages", () => texts.length === 3);
  assert.deepEqual(texts, ["one", "two", "three"]);
});

test("a grant is renewed in time, by a PING with a new token", { timeout }, async (t) => {
  const s = await fake(t, (c) => c.send(welcome(2000)));
  let n = 0;
  await started(t, { endpoints: [s.url], token: async () => `token ${++n}` });
  const ping = await s.connections[0]!.frame(types.ping);
  assert.ok(asText(ping.payload).endsWith("token 2"));
});

test("a token that does not come costs the attempt, not the node", { timeout }, async (t) => {
  const s = await fake(t);
  let n = 0;
  const { client, errors } = start(t, {
    endpoints: [s.url], connectTimeout: 1000,
    token: () => ++n === 1 ? new Promise<string>(() => {}) : n === 2 ? Promise.reject(new Error("not now")) : "good",
  });
  await client.ready();
  assert.equal(n, 3);
  assert.ok(errors.includes("Error: token: it took too long") && errors.includes("Error: not now"), errors.join());
  assert.equal(s.connections.length, 1);
});

test("functions of the application that throw end nothing", { timeout }, async (t) => {
  const s = await fake(t);
  const failures: unknown[] = [];
  const { client } = await started(t, {
    endpoints: [s.url], changed: () => { throw new Error("in changed"); }, failed: (e) => void failures.push(e),
  });
  assert.equal(client.info().state, "ready");
  assert.ok(failures.length > 0);
});
