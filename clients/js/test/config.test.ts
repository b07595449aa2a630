// What a configuration may be, and what it says of one that can't work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, type Config } from "../src/index.js";
import { parseEndpoints } from "../src/urls.js";
import { webSocket } from "./rig.js";

test("endpoints are URLs of one scheme and one path", () => {
  const way = parseEndpoints(["wss://a.example/edge?x=1", "wss://[::1]:7000/edge?x=1", "wss://a.example:443/edge?x=1"]);
  assert.deepEqual(way.addresses, ["a.example:443", "[::1]:7000"]);
  assert.equal(way.url("b.example:8443"), "wss://b.example:8443/edge?x=1");
  assert.equal(parseEndpoints(["https://a.example"]).url("a.example:443"), "wss://a.example:443/");
});

test("what can't work is said at once, with its name", () => {
  const wrong: [Partial<Config>, RegExp][] = [
    [{ endpoints: [] }, /endpoints is empty/],
    [{ endpoints: ["/"] }, /endpoints: "\/" is no URL/],
    [{ endpoints: ["ftp://a/"] }, /endpoints: .* neither ws/],
    [{ endpoints: ["ws://a/", "wss://a/"] }, /another scheme/],
    [{ endpoints: ["ws://a/x", "ws://b/y"] }, /another scheme or path/],
    [{ endpoints: ["wss://alice:secret@a/"] }, /name or password/],
    [{ maxQueued: -1 }, /maxQueued: -1/],
    [{ maxQueued: NaN }, /maxQueued: NaN/],
    [{ endpoints: "ws://a/" as unknown as string[] }, /endpoints: it is a list/],
    [{ id: undefined as unknown as string }, /id: every client needs one/],
    [{ id: "" }, /client id is missing/],
    [{ id: "x".repeat(129) }, /client id has 129 bytes/],
    [{ id: "a\nb" }, /control character/],
    [{ interval: 50 }, /interval: 50 is below 100/],
    [{ pongTimeout: 0 }, /pongTimeout: 0/],
    [{ backoffMin: 5000, backoffMax: 1000 }, /backoffMin/],
    [{ maxPayload: 100 }, /maxPayload/],
    [{ webSocket: null as unknown as string, endpoints: ["ws://a/"] }, /webSocket|^$/],
  ];
  for (const [cfg, says] of wrong) {
    if (cfg.webSocket === null && typeof globalThis.WebSocket === "function") continue; // there is one
    assert.throws(() => new Client({ id: "alice", endpoints: ["ws://a/"], webSocket, ...cfg }), says, JSON.stringify(cfg));
  }
});

test("a client starts once, and may be stopped before", () => {
  const client = new Client({ id: "alice", endpoints: ["ws://127.0.0.1:1/"], webSocket });
  assert.equal(client.info().rtt, undefined, "nothing was asked yet");
  client.stop();
  client.stop();
  assert.throws(() => client.start(), /started before/);
  assert.equal(client.info().state, "stopped");
});
