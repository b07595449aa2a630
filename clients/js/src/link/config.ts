// What the owner of a link decides. Durations are milliseconds.

import { maxPayload } from "../frame.js";

export interface LinkConfig {
  id: string;
  incarnation: bigint; // random, for the life of the link
  endpoints: readonly string[]; // "host:port"
  ignoreAlternates: boolean; // keeps to the endpoints, whatever nodes name
  interval: number; // the longest silence before a PING; 0: what the node says
  pongTimeout: number; // silence after a PING that means death
  connectTimeout: number; // the first for each of token and connection
  welcomeTimeout: number; // the first from HELLO to WELCOME
  backoffMin: number; // first step of the backoff
  backoffMax: number; // the longest wait that no node ordered
  stableAfter: number; // age at which a session ends the backoff
  maxPayload: number; // of every frame in both directions, bytes
  atMostOnce: boolean; // sends nothing again
  neverGiveUp: boolean; // has no code end the link
  freshTokens: boolean; // the owner gets a new token for every connection
}

export const defaults = {
  ignoreAlternates: false,
  interval: 0,
  pongTimeout: 10_000,
  connectTimeout: 5_000,
  welcomeTimeout: 5_000,
  backoffMin: 500,
  backoffMax: 60_000,
  stableAfter: 60_000,
  maxPayload,
  atMostOnce: false,
  neverGiveUp: false,
  freshTokens: false,
} as const;

export const minInterval = 100; // whatever the node says
export const maxWait = 3_600_000; // the longest that a node can make a client wait

/** Draws uniformly from [0, 1), as Math.random does. It is for jitter, not for secrets. */
export type Random = () => number;

/** Draws uniformly from [0, d), 0 if that is empty. */
export function below(random: Random, d: number): number {
  return d > 0 ? random() * d : 0;
}

/** Throws an Error with one sentence about the first field that can't work. */
export function validate(c: LinkConfig): void {
  if (c.endpoints.length === 0) throw new Error("endpoints is empty");
  for (const e of c.endpoints) {
    if (!validAddress(e)) throw new Error(`endpoints: ${JSON.stringify(e)} is not host:port`);
  }
  if (c.interval !== 0 && !(c.interval >= minInterval)) {
    throw new Error(`interval: ${c.interval} is below ${minInterval}`);
  }
  for (const name of ["pongTimeout", "connectTimeout", "welcomeTimeout", "backoffMin", "backoffMax", "stableAfter"] as const) {
    if (!(c[name] > 0 && c[name] <= maxWait)) throw new Error(`${name}: ${c[name]} is not within (0, ${maxWait}]`);
  }
  if (c.backoffMin > c.backoffMax) throw new Error(`backoffMin: ${c.backoffMin} is above backoffMax ${c.backoffMax}`);
  if (!(c.maxPayload >= 8192 && c.maxPayload <= 0x7fffffff)) throw new Error(`maxPayload: ${c.maxPayload} is below 8192`);
}

/** Whether it is "host:port", an IPv6 address in brackets. */
export function validAddress(address: string): boolean {
  const m = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const host = m?.[1] ?? m?.[2] ?? "", port = Number(m?.[3] ?? 0);
  return host !== "" && host.length <= 253 && port > 0 && port <= 0xffff;
}
