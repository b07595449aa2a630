// A node that sends larger messages than the client takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deliver, fake, welcome } from "./fake.js";
import { until } from "./nodes.js";
import { started } from "./rig.js";

const timeout = 60_000;
const most = 1 << 20;
const body = "x".repeat(most - 8);

test("a node of larger messages is named before they come, once, and the first of them costs the session", { timeout }, async (t) => {
  const s = await fake(t, (c) => c.send(welcome(0, most)));
  const warnings: string[] = [];
  const { client, errors } = await started(t, { endpoints: [s.url], warned: (text) => void warnings.push(text) });
  assert.equal(client.info().maxDeliver, most);
  assert.deepEqual(warnings, ["the node sends payloads of up to 1048576 bytes, and maxPayload takes 65536"]);
  assert.equal(client.info().losses, 0);
  s.connections[0]!.send(deliver(1, body));
  await until("another session", () => client.info().sessions === 2);
  assert.equal(client.info().losses, 1);
  assert.ok(errors.some((e) => /1048576 bytes, 65536 are allowed/.test(e)), errors.join("; "));
  assert.equal(warnings.length, 1);
});

test("who takes what the node sends gets it, and is not warned", { timeout }, async (t) => {
  const s = await fake(t, (c) => c.send(welcome(0, most)));
  const warnings: string[] = [];
  const { client, texts } = await started(t, { endpoints: [s.url], maxPayload: most, warned: (text) => void warnings.push(text) });
  s.connections[0]!.send(deliver(1, body));
  await until("the message", () => texts.length === 1);
  assert.equal(texts[0], body);
  assert.equal(client.info().losses, 0);
  assert.deepEqual(warnings, []);
});

test("console.warn is told where nobody else is, and a warned that throws ends nothing", { timeout }, async (t) => {
  const s = await fake(t, (c) => c.send(welcome(0, most)));
  const warn = t.mock.method(console, "warn", () => {}), error = t.mock.method(console, "error", () => {});
  await started(t, { endpoints: [s.url] });
  assert.equal(warn.mock.callCount(), 1);
  const broken = new Error("broken");
  const { client } = await started(t, { endpoints: [s.url], warned: () => { throw broken; } });
  assert.equal(client.info().state, "ready");
  assert.deepEqual(error.mock.calls.map((c) => c.arguments), [[broken]]);
});
