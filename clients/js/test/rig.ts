// A client for a test, and what it was told.

import type { TestContext } from "node:test";
import { WebSocket as Ws } from "ws";
import { Client, type Config, type Message } from "../src/index.js";
import { until } from "./nodes.js";

/** Node's own WebSocket where STORMWHEEL_WEBSOCKET=global says so, else that of npm's ws. */
export const webSocket: unknown = process.env["STORMWHEEL_WEBSOCKET"] === "global" ? globalThis.WebSocket : Ws;

export interface Rig {
  client: Client;
  texts: string[]; // of what was delivered
  states: string[];
  errors: string[]; // why sessions and attempts ended
  failures: unknown[];
}

/** Starts a client, which is stopped at the end of the test. */
export function start(t: TestContext, cfg: Partial<Config> & { endpoints: string[] }): Rig {
  const rig: Omit<Rig, "client"> = { texts: [], states: [], errors: [], failures: [] };
  const client = new Client({
    id: "alice", webSocket, pongTimeout: 1000, backoffMin: 50,
    deliver: (m: Message) => void rig.texts.push(m.text),
    changed: (info) => {
      rig.states.push(info.state);
      rig.errors.push(String(info.lastError));
    },
    failed: (error) => void rig.failures.push(error),
    ...cfg,
  });
  t.after(() => client.stop());
  client.start();
  return { client, ...rig };
}

export async function started(t: TestContext, cfg: Partial<Config> & { endpoints: string[] }): Promise<Rig> {
  const rig = start(t, cfg);
  await until("a session", () => rig.client.info().state === "ready");
  return rig;
}
