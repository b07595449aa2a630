// What a link sends for its application: below the limits of the session, kept until it is settled,
// and again over every new connection. docs/PROTOCOL.md, rules 4 and 6.

import { overhead } from "../frame.js";
import { encodeReply, encodeSend, noLimits, type Ack, type Limits, type Nack } from "../messages.js";
import { join } from "../tlv.js";
import type { LinkConfig } from "./config.js";
import { RefusedError, type Event } from "./out.js";
import { lookAgain, Pacer } from "./pacer.js";
import { Sends } from "./sends.js";

const numberLen = 8; // what precedes the body in SEND and DELIVER
const sendOverhead = numberLen + overhead;
const replyOverhead = sendOverhead + numberLen;
const maxAnswer = overhead + 12 + 3 + 256; // the longest NACK: a reply counts with what is beyond it
const resendPiece = 64 << 10; // bytes that are sent again at once

/** Why nothing was sent. */
export type Unsent = "not ready" | "paced" | "full" | "too large";

/** What the outbox needs of its link. */
export interface Host {
  readonly attempt: number; // of the session's connection
  readonly ready: boolean;
  wrote(now: number, attempt: number, bytes: Uint8Array): void;
  tell(event: Event): void;
}

export class Outbox {
  limits: Limits = noLimits;
  readonly sends = new Sends();
  private pacer: Pacer | undefined;
  private readyAt = 0;

  constructor(private readonly cfg: LinkConfig, private readonly host: Host) {}

  /** When to go on with sending again. */
  get due(): number {
    return this.host.ready ? this.sends.due : Infinity;
  }

  /** Begins a session, and to send again over it what is not settled. */
  begin(now: number, limits: Limits | undefined): void {
    this.limits = limits ?? noLimits;
    this.pacer = undefined, this.readyAt = now;
  }

  resume(now: number): void {
    const s = this.sends;
    s.untaken = 0, s.probe = 0n, s.due = Infinity;
    if (this.cfg.atMostOnce) return;
    s.removeIf((m) => m.ghost); // its connection has gone, or will
    s.out = 0, s.bytes = 0;
    this.resend(now);
  }

  /** Obeys limits that a PONG brought, and reports whether the server has to hear of it. */
  tighten(m: Limits): boolean {
    const old = this.limits;
    this.limits = m;
    const judged = ["maxSend", "frames", "frameBurst", "bytes", "byteBurst", "unsettled", "unsettledBytes"] as const;
    return judged.some((name) => m[name] !== 0 && (m[name] < old[name] || old[name] === 0));
  }

  /** How many bytes a body may have, with so many before it that are none of the number's. */
  most(before = 0): number {
    let most = this.cfg.maxPayload - numberLen;
    if (this.limits.maxSend > 0) most = Math.min(most, this.limits.maxSend - numberLen);
    if (this.limits.bytes > 0 && this.limits.byteBurst > 0) most = Math.min(most, this.limits.byteBurst - sendOverhead);
    return Math.max(most - before, 0);
  }

  /** How long a body of n bytes has to wait by the limits, and for what is sent again before it. */
  pace(now: number, n: number): number {
    if (this.sends.behind && this.sends.due !== Infinity) return Math.max(this.sends.due - now, 1);
    return this.pacing(now, 1, n + sendOverhead);
  }

  private pacing(now: number, frames: number, bytes: number): number {
    const l = this.limits;
    if (!this.pacer) {
      if (l.frames === 0 && l.bytes === 0) return 0;
      this.pacer = new Pacer(this.readyAt);
    }
    return this.pacer.wait(now, frames, bytes, l);
  }

  /** Counts a frame of n bytes in all. */
  spend(n: number): void {
    this.pacer?.spend(1, n);
  }

  /** Says that the server has read all that was written. */
  allTaken(now: number): void {
    this.pacer?.taken(now, 0, this.limits);
  }

  /** Says how much of what was written has not left. */
  flow(now: number, untaken: number): void {
    this.pacer?.taken(now, untaken, this.limits);
    this.sends.untaken = untaken, this.sends.told = true;
  }

  private maySend(now: number, n: number): Unsent | undefined {
    if (n > this.most()) return "too large";
    if (!this.host.ready) return "not ready";
    if (this.sends.behind && this.sends.due === Infinity) return "full";
    if (this.pace(now, n) > 0) return "paced";
    return undefined;
  }

  /**
   * Sends a message and returns its number. It is kept, and must not change, until it is settled,
   * which an event tells, once.
   */
  send(now: number, body: Uint8Array, asks: boolean): bigint | Unsent {
    const why = this.maySend(now, body.length);
    if (why) return why;
    const s = this.sends;
    s.slide();
    if (!s.windowOpen || !s.room(body.length, this.limits)) return "full";
    s.keep(body, asks);
    this.host.wrote(now, this.host.attempt, this.encodeKept());
    s.probe = s.last;
    return s.last;
  }

  /** Sends a message that wants no answer. It is lost with its connection. */
  post(now: number, body: Uint8Array): Unsent | undefined {
    const why = this.maySend(now, body.length);
    if (why) return why;
    this.sends.probe = 0n;
    const b = encodeSend(0n, body, false);
    this.written(b.length);
    this.host.wrote(now, this.host.attempt, b);
    return undefined;
  }

  // The first of kept[out:] goes over the session's connection.
  private encodeKept(): Uint8Array {
    const s = this.sends, m = s.kept[s.out]!;
    m.attempt = this.host.attempt;
    s.out++;
    s.bytes += m.body.length;
    s.probe = 0n;
    const b = encodeSend(m.number, m.body, m.asks);
    this.written(b.length);
    return b;
  }

  private written(n: number): void {
    this.spend(n);
    this.sends.untaken += n;
  }

  /** Goes on with sending again, below the limits and no faster than the owner gets rid of it. */
  resend(now: number): void {
    const s = this.sends;
    if (!this.host.ready) return;
    const before = s.due, parts: Uint8Array[] = [];
    s.due = Infinity;
    while (s.behind) {
      const n = s.kept[s.out]!.body.length;
      if (n > this.most()) { // this server takes less than the one before
        this.giveUpAt(s.out, new Error(`message exceeds the limit: ${n} bytes, ${this.most()} are allowed`));
        continue;
      }
      if (!s.room(n, this.limits)) break; // answers make it
      if (s.untaken > 0 && s.untaken + n > resendPiece) {
        s.due = Math.min(before, now + lookAgain); // answers do not put that off
        break;
      }
      const wait = this.pacing(now, 1, n + sendOverhead);
      if (wait > 0) {
        s.due = now + wait;
        break;
      }
      parts.push(this.encodeKept());
    }
    if (parts.length > 0) this.host.wrote(now, this.host.attempt, join(parts));
  }

  /** Goes on with it when that is due. An owner that tells no flow has handed on what was written. */
  tick(now: number): void {
    if (now < this.due) return;
    const s = this.sends;
    if (!s.told) s.untaken = 0;
    s.told = false, s.due = Infinity;
    this.resend(now);
  }

  acked(now: number, attempt: number, m: Ack): void {
    const s = this.sends, from = s.find(m.first), to = s.find(m.last + 1n);
    if (from === to) return;
    if (s.probe !== 0n && s.probe >= m.first && s.probe <= m.last && attempt === this.host.attempt) this.allTaken(now);
    for (let i = from; i < to;) {
      const first = s.kept[i]!.number;
      let run = 0;
      while (i + run < to && !s.kept[i + run]!.ghost && s.kept[i + run]!.number === first + BigInt(run)) run++;
      if (run > 0) this.host.tell({ kind: "acked", attempt, first, last: first + BigInt(run) - 1n, what: m.what });
      i += Math.max(run, 1);
    }
    s.answered(from, to, attempt);
    this.resend(now);
  }

  nacked(now: number, attempt: number, m: Nack): void {
    this.answered(now, attempt, m.number, (body) => ({
      kind: "nacked", attempt, number: m.number, body, error: new RefusedError(m.code, m.reason),
    }));
  }

  /** A reply settles a message; to one that has not asked it is an ACK. */
  replied(now: number, attempt: number, number: bigint, reply: Uint8Array): void {
    this.answered(now, attempt, number, (_, asks) => asks
      ? { kind: "replied", attempt, number, body: reply }
      : { kind: "acked", attempt, first: number, last: number, what: 0 });
  }

  private answered(now: number, attempt: number, number: bigint, event: (body: Uint8Array, asks: boolean) => Event): void {
    const s = this.sends, i = s.place(number), m = s.kept[i];
    if (!m) return;
    if (number === s.probe && attempt === this.host.attempt) this.allTaken(now);
    if (!m.ghost) this.host.tell(event(m.body, m.asks));
    s.answered(i, i + 1, attempt);
    this.resend(now);
  }

  /** Settles a message without the server: it is not sent again, nothing is told of it any more. */
  giveUp(now: number, number: bigint): boolean {
    const s = this.sends, i = s.place(number), m = s.kept[i];
    if (!m || m.ghost) return false;
    if (i >= s.out) s.remove(i, i + 1);
    else m.ghost = true;
    this.resend(now);
    return true;
  }

  private giveUpAt(i: number, error: Error): void {
    const m = this.sends.kept[i]!;
    if (!m.ghost) this.host.tell({ kind: "given_up", attempt: m.attempt, number: m.number, body: m.body, error });
    this.sends.remove(i, i + 1);
  }

  /** What the end of a session's connection means for what was sent over it. */
  ended(attempt: number): void {
    if (!this.cfg.atMostOnce) return;
    for (let i = 0; i < this.sends.kept.length;) {
      if (this.sends.kept[i]!.attempt === attempt) this.giveUpAt(i, new Error("the connection was lost"));
      else i++;
    }
  }

  /** How long a reply of n bytes has to wait by the limits of the session. Short ones need not. */
  replyPace(now: number, attempt: number, n: number): number {
    const size = Math.max(n + replyOverhead - maxAnswer, 0);
    return size === 0 || attempt !== this.host.attempt ? 0 : this.pacing(now, 0, size);
  }

  /** Replies to a message of the server's. replyPace has passed, and mostReply says that it is not too large. */
  reply(now: number, attempt: number, to: bigint, body: Uint8Array): void {
    const b = encodeReply(to, body), size = Math.max(b.length - maxAnswer, 0);
    if (attempt === this.host.attempt) {
      this.pacer?.spend(0, size);
      if (size > 0) this.sends.untaken += b.length, this.sends.probe = 0n; // an ACK of what was sent before does not tell that this was read
    }
    this.host.wrote(now, attempt, b);
  }

  /** How many bytes a reply may have. */
  get mostReply(): number {
    return this.most(numberLen);
  }
}
