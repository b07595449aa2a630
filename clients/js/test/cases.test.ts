// The link does what internal/link does in Go: both pass the cases in its testdata, which
// internal/link/case_player_test.go describes.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaults } from "../src/link/config.js";
import { CodeError, type Action, type Event } from "../src/link/out.js";
import { Link } from "../src/link/link.js";
import { asText, hex, repository, unhex, utf8 } from "./bytes.js";

interface Config {
  id: string; incarnation: string; seed: number; endpoints: string[]; ignore_alternates?: boolean;
  interval?: number; pong_timeout?: number; at_most_once?: boolean; never_give_up?: boolean; fresh_tokens?: boolean;
}

interface Step {
  at: number; do: string; attempt?: number; bytes?: string; says?: string; body?: string; token?: string;
  fault?: "peer" | "host"; first?: number; last?: number; what?: number; number?: number; code?: number;
  reason?: string; size?: number; untaken?: number; taken?: number; partial?: number;
  out?: unknown[]; result?: unknown; state: string; deadline: number | null;
}

// SplitMix64, of which the link takes the highest bits.
function splitMix(seed: number): () => number {
  let state = BigInt(seed);
  const mask = (1n << 64n) - 1n;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ z >> 30n) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ z >> 27n) * 0x94d049bb133111ebn) & mask;
    z ^= z >> 31n;
    return Number(z >> 11n) / 2 ** 53;
  };
}

class Player {
  private readonly link: Link;
  private flow = { untaken: 0, taken: 0, partial: 0 };
  private attempts: number[] = [];

  constructor(c: Config) {
    this.link = new Link({
      ...defaults, id: c.id, incarnation: BigInt(`0x${c.incarnation}`), endpoints: c.endpoints,
      ignoreAlternates: c.ignore_alternates ?? false, interval: c.interval ?? 0,
      pongTimeout: c.pong_timeout ?? defaults.pongTimeout, atMostOnce: c.at_most_once ?? false,
      neverGiveUp: c.never_give_up ?? false, freshTokens: c.fresh_tokens ?? false,
    }, splitMix(c.seed));
  }

  play(s: Step): Partial<Step> {
    // Go rounds to nanoseconds; what is due then is due here.
    const deadline = this.link.deadline;
    const now = Math.abs(deadline - s.at) < 1e-3 ? Math.max(deadline, s.at) : s.at;
    const result = this.call(now, s);
    const out = this.link.take().map((a) => this.effect(a));
    const due = this.link.deadline;
    return {
      ...(out.length > 0 ? { out } : {}), ...(result === undefined ? {} : { result }),
      state: this.link.state, deadline: due === Infinity ? null : due,
    };
  }

  private call(now: number, s: Step): unknown {
    const l = this.link, attempt = s.attempt ?? 0, body = utf8(s.body ?? "");
    switch (s.do) {
      case "start": return l.start(now);
      case "resolved": return l.resolved(now, attempt);
      case "connected": return l.connected(now, attempt, utf8(s.token ?? ""));
      case "received": return this.received(now, attempt, unhex(s.bytes!));
      case "disconnected": return l.disconnected(now, attempt, new Error("gone"), s.fault!);
      case "flow":
        this.flow = { untaken: s.untaken ?? 0, taken: s.taken ?? 0, partial: s.partial ?? 0 };
        return this.tellFlow(now, false);
      case "tick":
        this.tellFlow(now, true);
        return l.tick(now);
      case "network": return l.networkChanged(now);
      case "ask": return l.askNow(now);
      case "stop": return l.stop();
      case "send": return plain(l.box.send(now, body, false));
      case "request": return plain(l.box.send(now, body, true));
      case "post": return l.box.post(now, body) ?? 0;
      case "pace": return l.box.pace(now, s.size!);
      case "give_up": return l.box.giveUp(now, BigInt(s.number!));
      case "ack": return l.ack(now, attempt, { first: BigInt(s.first ?? 0), last: BigInt(s.last ?? 0), what: s.what ?? 0 });
      case "nack": return l.nack(now, attempt, { number: BigInt(s.number!), code: s.code!, reason: s.reason ?? "" });
      case "reply":
        if (l.answerable(attempt)) l.box.reply(now, attempt, BigInt(s.number!), body);
        return l.answerable(attempt);
      case "renew": return l.renew(now, attempt, utf8(s.token!));
      case "info": return this.info();
      default: throw new Error(`no such step: ${s.do}`);
    }
  }

  private received(now: number, attempt: number, b: Uint8Array): unknown {
    for (let consumed = 0; ;) {
      const r = this.link.received(now, attempt, b.subarray(consumed));
      consumed += r.consumed;
      if (b.length - consumed < r.need) return { consumed, need: r.need };
    }
  }

  private tellFlow(now: number, asked: boolean): void {
    for (const a of this.attempts) {
      if (!asked || this.link.asks(now, a)) this.link.flow(now, a, this.flow);
    }
  }

  private info(): unknown {
    const i = this.link.info();
    return {
      endpoint: i.endpoint, node: i.node, session: i.session || "0000000000000000-0000000000000000", rtt: i.rtt,
      dials: i.dials, sessions: i.sessions, losses: i.losses, pings: i.pings, pongs: i.pongs,
      unsettled: i.unsettled, moving: i.moving, refused: i.refused,
      connect_timeout: i.connectTimeout, welcome_timeout: i.welcomeTimeout,
      ...(i.nextAttempt === Infinity ? {} : { next_attempt: i.nextAttempt }),
    };
  }

  private effect(a: Action): unknown {
    switch (a.do) {
      case "dial":
        this.attempts.push(a.attempt);
        return a;
      case "write": return { do: a.do, attempt: a.attempt, bytes: hex(a.bytes) };
      case "close": return a;
      case "tell": return { do: a.do, ...eventEffect(a.event) };
    }
  }
}

function eventEffect(e: Event): object {
  const { kind, ...rest } = e as Event & Record<string, unknown>;
  const out: Record<string, unknown> = { kind };
  for (const [name, value] of Object.entries(rest)) {
    switch (name) {
      case "wasReady": out["was_ready"] = value; break;
      case "wantsReply": out["wants_reply"] = value; break;
      case "error": break;
      default: out[name] = value instanceof Uint8Array ? asText(value) : plain(value);
    }
  }
  if (e.kind === "nacked") out["code"] = e.error.code, out["reason"] = e.error.reason;
  if (e.kind === "stopped" && e.error instanceof CodeError) out["code"] = e.error.code;
  return out;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

// Numbers may differ by a microsecond: Go counts whole nanoseconds.
function like(got: unknown, want: unknown): unknown {
  if (typeof got === "number" && typeof want === "number" && Math.abs(got - want) < 1e-3) return want;
  if (Array.isArray(got) && Array.isArray(want)) return got.map((g, i) => like(g, want[i]));
  if (got && want && typeof got === "object" && typeof want === "object") {
    return Object.fromEntries(Object.entries(got).map(([k, v]) => [k, like(v, (want as Record<string, unknown>)[k])]));
  }
  return got;
}

const folder = join(repository, "internal/link/testdata/cases");
for (const file of readdirSync(folder)) {
  const c = JSON.parse(readFileSync(join(folder, file), "utf8")) as { about: string; config: Config; steps: Step[] };
  test(`${file}: ${c.about}`, () => {
    const p = new Player(c.config);
    c.steps.forEach((s, i) => {
      const want: Partial<Step> = { state: s.state, deadline: s.deadline };
      if (s.out) want.out = s.out.map((o) => { const { says, ...rest } = o as { says?: string }; return rest; });
      if (s.result !== undefined && s.result !== null) want.result = s.result;
      const got = p.play(s);
      assert.deepEqual(like(got, want), want, `step ${i + 1}: ${JSON.stringify(s)}`);
    });
  });
}
