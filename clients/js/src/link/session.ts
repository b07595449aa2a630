// The session of a link and its connection: heartbeats, terms, what is written and answered.

import * as wire from "../messages.js";
import { maxToken } from "../tlv.js";
import { validate, type LinkConfig, type Random } from "./config.js";
import type { Conn } from "./conn.js";
import { Endpoints } from "./endpoints.js";
import type { Flow } from "./flow.js";
import { Grant } from "./grant.js";
import { Heartbeat } from "./heartbeat.js";
import type { Action, Event, State } from "./out.js";
import { Outbox, type Host } from "./outbox.js";

const probeTime = 1000; // how long a session may be silent after the network changed
const maxPongTimeout = 60_000; // the longest that a server can make a client wait for a PONG
export const none = new Uint8Array(0);
const noTerms: wire.Terms = { interval: 0, timeout: 0, window: 0, patience: 0, number: 0 };

/** What a link has between WELCOME and the end. Link makes the connections and loses them. */
export abstract class Session {
  private actions: Action[] = [];
  protected current: Conn | undefined; // the session's, or the attempt to get one
  protected next: Conn | undefined; // around a handover: the next one, or the one that was left
  protected rest: State = "idle"; // the state while there is no connection
  protected terms = noTerms;
  protected pongs = 0;

  protected readonly heartbeat = new Heartbeat();
  protected readonly endpoints: Endpoints;
  protected readonly grant: Grant;
  protected readonly outbox: Outbox;

  constructor(protected readonly cfg: LinkConfig, protected readonly random: Random) {
    validate(cfg);
    this.endpoints = new Endpoints(cfg, random);
    this.grant = new Grant(cfg.freshTokens, random);
    const session = this;
    const host: Host = {
      get attempt() { return session.attempt; },
      get ready() { return session.current?.state === "ready"; },
      wrote: (now, attempt, bytes) => this.wrote(now, this.find(attempt)!, bytes),
      tell: (event) => this.tell(event),
    };
    this.outbox = new Outbox(cfg, host);
  }

  /** What is to be done, in order. The next call begins anew. */
  take(): Action[] {
    const actions = this.actions;
    this.actions = [];
    return actions;
  }

  /** While it moves from one server to another, a link is ready. */
  get state(): State {
    return this.current?.state ?? this.rest;
  }

  /** That of the session's connection, or of the attempt to get one; 0 if there is neither. */
  get attempt(): number {
    return this.current?.attempt ?? 0;
  }

  /** The connections that there are. */
  protected conns(): Conn[] {
    return [this.current, this.next].filter((c) => c !== undefined);
  }

  /** The connection of an attempt, if it is not gone. */
  protected find(attempt: number): Conn | undefined {
    return this.conns().find((c) => c.attempt === attempt);
  }

  protected act(action: Action): void {
    this.actions.push(action);
  }

  protected tell(event: Event): void {
    this.act({ do: "tell", event });
  }

  protected write(c: Conn, bytes: Uint8Array): void {
    this.act({ do: "write", attempt: c.attempt, bytes });
  }

  // Has frames written on a session's connection.
  private wrote(now: number, c: Conn, bytes: Uint8Array): void {
    this.write(c, bytes);
    if (c !== this.current) return;
    this.heartbeat.wrote = now;
    this.heartbeat.after += bytes.length;
  }

  // Notes a complete frame from the server, of whatever type.
  protected alive(now: number, c: Conn): void {
    c.excused = c.doubted = false;
    if (c === this.current) this.heartbeat.heardNow(now);
  }

  protected pong(now: number, c: Conn, m: wire.Pong): void {
    if (c.leave) {
      this.readTo(now, c, m.token);
      return;
    }
    let tighter = this.setTerms(c, m.terms);
    if (m.limits && !sameFields(m.limits, this.outbox.limits)) {
      tighter = this.outbox.tighten(m.limits) || tighter;
      this.tell({ kind: "limited", attempt: c.attempt });
    }
    this.grant.set(now, m.expires);
    this.endpoints.addAlternates(m.alternates);
    const h = this.heartbeat;
    if (m.token === h.token && h.after === 0) this.outbox.allTaken(now);
    if (h.ponged(now, m.token)) {
      this.pongs++;
      this.tell({ kind: "pong", attempt: c.attempt, rtt: h.rtt });
    }
    if (tighter && !h.telling) {
      this.ping(now, now, c, none);
      h.telling = true;
    }
    if (m.limits) this.outbox.resend(now);
  }

  // Obeys new terms at once, and reports whether the server has to hear of it: a shorter timeout
  // holds from the PING that carries its number.
  private setTerms(c: Conn, t: wire.Terms): boolean {
    const old = this.terms;
    this.terms = t;
    if (t.interval === old.interval && t.timeout === old.timeout && t.patience === old.patience) return false;
    this.heartbeat.draw(this.cfg.interval, t, this.random);
    this.tell({ kind: "termed", attempt: c.attempt, terms: t });
    return t.timeout !== 0 && (t.timeout < old.timeout || old.timeout === 0);
  }

  /** Asks a session's server at once, unless an answer is waited for already. */
  askNow(now: number): void {
    if (this.state === "ready" && !this.heartbeat.waiting) this.ping(now, now, this.current!, none);
  }

  protected ping(now: number, intended: number, c: Conn, token: Uint8Array): void {
    const h = this.heartbeat;
    h.draw(this.cfg.interval, this.terms, this.random);
    h.await(now, this.pongTimeout);
    this.sayPing(now, intended, c, token);
    h.after = 0;
  }

  protected sayPing(now: number, intended: number, c: Conn, token: Uint8Array): void {
    const b = wire.encodePing(this.heartbeat.nextToken(now), this.terms.number, token);
    this.wrote(now, c, b);
    this.outbox.spend(b.length);
    this.tell({ kind: "ping", attempt: c.attempt, intended });
  }

  // How long the session's server may take to answer a PING.
  private get pongTimeout(): number {
    const d = Math.max(this.cfg.pongTimeout, Math.min(this.terms.patience, maxPongTimeout));
    return this.current?.doubted ? Math.min(Math.max(probeTime, 2 * this.heartbeat.rtt), d) : d;
  }

  /** Whether tick wants to be told the flow of a connection before it is called at now. */
  asks(now: number, attempt: number): boolean {
    const c = this.find(attempt);
    if (c?.state !== "ready") return false;
    if (c.leave) return now >= c.due && !c.saidBye && !c.leave.answered;
    return this.heartbeat.asks(now) || now >= this.outbox.due;
  }

  /** Tells what the owner knows of the bytes of a connection. It may be called at any time. */
  flow(now: number, attempt: number, f: Flow): void {
    const c = this.find(attempt);
    if (!c) return;
    if (c === this.current) this.outbox.flow(now, f.untaken);
    if (!this.asks(now, attempt)) return;
    if (c.leave) {
      const wait = c.leave.lingers(now, f, this.pongTimeout);
      if (wait > 0) c.due = now + wait;
    } else if (this.heartbeat.asks(now)) {
      this.heartbeat.look(now, f, this.pongTimeout);
    }
  }

  // Takes a PONG of a connection that was left: if it answers the last PING, the server has read
  // everything, and has a moment to acknowledge it.
  private readTo(now: number, c: Conn, token: bigint): void {
    const v = c.leave!;
    if (token !== v.token || v.answered) return;
    v.answered = true;
    this.pongs++;
    if (!c.saidBye) c.due = now + v.overlap;
  }

  /** Sends a new token to the server of the session of that attempt, that of the event "expiring". */
  renew(now: number, attempt: number, token: Uint8Array): void {
    if (token.length > maxToken) throw new RangeError(`token of ${token.length} bytes, ${maxToken} are allowed`);
    const c = this.current;
    if (c?.attempt !== attempt || c.state !== "ready" || token.length === 0) return;
    if (this.heartbeat.waiting) this.sayPing(now, now, c, token); // what is waited for stays as it is
    else this.ping(now, now, c, token);
  }

  /** What is sent for the application. */
  get box(): Pick<Outbox, "send" | "post" | "pace" | "most" | "giveUp" | "reply" | "replyPace" | "mostReply"> {
    return this.outbox;
  }

  /** The messages that are neither settled nor given up, in order. */
  unsettled(): { number: bigint; body: Uint8Array }[] {
    return this.outbox.sends.unsettled();
  }

  /**
   * Tells the server that messages are dealt with. attempt is that of their events: a session that
   * has ended since gets no ACK, and false is returned. The number 0 wants no answer, and gets none.
   */
  ack(now: number, attempt: number, m: wire.Ack): boolean {
    return this.answer(now, attempt, m.last, () => wire.encodeAck(m));
  }

  /** Tells it that one is refused for good. Throws a WireError for a reason that NACK cannot carry. */
  nack(now: number, attempt: number, m: wire.Nack): boolean {
    return this.answer(now, attempt, m.number, () => wire.encodeNack(m));
  }

  private answer(now: number, attempt: number, number: bigint, frame: () => Uint8Array): boolean {
    if (!this.answerable(attempt)) return false;
    if (number !== 0n) this.wrote(now, this.find(attempt)!, frame());
    return true;
  }

  /** Whether the messages of an attempt's connection can still be answered. */
  answerable(attempt: number): boolean {
    const c = this.find(attempt);
    return c?.state === "ready" && !c.saidBye;
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((k) => a[k] === b[k]);
}
