// Real nodes for the tests: the Go binary.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { repository } from "./bytes.js";

export const binary = process.env["STORMWHEEL_BIN"] ?? join(repository, "bin/stormwheel");

/** Why tests with real nodes can't run, false if they can. */
export const noNodes: string | false = existsSync(binary) ? false : `there is no ${binary}: make build makes it`;

/** Flags of a node that is soon to notice, and to be noticed. Where the tests run may be slower than that. */
export const quick = ["--heartbeat", "300ms", "--timeout", "900ms", "--failover-rate", "1000"];
/** Flags of a node whose clients are given time. */
export const calm = ["--heartbeat", "300ms", "--timeout", "30s", "--failover-rate", "1000"];

export interface Node {
  name: string;
  addr: string; // host:port
  url: string;
  admin: string;
  process: ChildProcess;
  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts a node, which is killed at the end of the test. */
export async function node(t: TestContext, name: string, ...flags: string[]): Promise<Node> {
  const p = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--transports", "tcp,ws",
    "--ws-origins", "*", "--node", name, "--log-level", "error", ...flags], { stdio: ["ignore", "pipe", "ignore"] });
  const end = (): void => void p.kill("SIGKILL");
  process.once("exit", end);
  t.after(end);
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: p.stdout! }).once("line", resolve);
    p.once("exit", (code) => reject(new Error(`the node has ended with ${code}`)));
  });
  const field = (key: string): string => new RegExp(` ${key}=(\\S+)`).exec(line)![1]!;
  const addr = field("listen");
  return { name, addr, url: `ws://${addr}/`, admin: `http://${field("admin")}`, process: p, kill: (signal) => void p.kill(signal) };
}

/** Stops a node, and waits until it is: a signal takes its time, and a node that still runs answers. */
export async function freeze(n: Node): Promise<void> {
  n.kill("SIGSTOP");
  await until("the node is stopped", () =>
    execFileSync("ps", ["-o", "state=", "-p", String(n.process.pid)], { encoding: "utf8" }).trim().startsWith("T"));
}

/** Waits until is() is true, for half a minute at most. */
export async function until(what: string, is: () => unknown): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error(`not in half a minute: ${what}`);
    await pause(10);
  }
}

/** A test that needs real nodes. */
export function withNodes(name: string, run: (t: TestContext) => Promise<void>): void {
  test(name, { skip: noNodes, timeout: 60_000 }, run);
}
