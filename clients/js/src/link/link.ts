// The client half of the protocol as a pure state machine: no I/O, no clock, no timer, no chance
// but what its owner gives it. internal/link is the same in Go; both pass the cases in its testdata.
//
// Time comes in as milliseconds since an origin of the owner's choosing, later than 0; what is to be
// done comes out of take(), to be carried out in order before the next call. Every call about a
// connection names the attempt that opened it; calls that name an older one are dropped.

import { decode, flags, headerLen, knownType, types, WireError, type Frame } from "../frame.js";
import * as wire from "../messages.js";
import { Attempts } from "./attempts.js";
import type { Conn } from "./conn.js";
import type { LinkInfo } from "./info.js";
import type { Loss, LossReason } from "./out.js";
import { none } from "./session.js";

const tardy = 500; // how late a tick may be before the link takes the owner, not the server, to have slept
const byeTime = 1000; // how long the connection that was left is read after BYE
const maxFrames = 64; // of one received, and so the actions that it asks for

export class Link extends Attempts {
  /** Makes the first attempt, at once. It does nothing unless the link is idle. */
  start(now: number): void {
    if (this.state !== "idle") return;
    this.retry.begin(now);
    this.dial(now);
  }

  /** Says BYE, closes the connection and ends the link for good. It may be repeated. */
  stop(): void {
    if (this.rest === "stopped") return;
    for (const c of this.conns()) this.bye(c);
    this.halt(undefined);
  }

  /** When tick wants to be called, Infinity if nothing is waited for. */
  get deadline(): number {
    return Math.min(this.mainDeadline, this.nextDeadline, this.outbox.due, this.renewDue);
  }

  private get mainDeadline(): number {
    switch (this.state) {
      case "connecting":
      case "handshaking":
        return this.current!.due;
      case "ready":
        return this.heartbeat.deadline;
      case "backing off":
        return this.retry.at;
      default:
        return Infinity;
    }
  }

  private get nextDeadline(): number {
    return this.next?.due ?? (this.moving ? this.retry.at : Infinity);
  }

  private get renewDue(): number {
    return this.state === "ready" ? this.grant.due : Infinity;
  }

  /**
   * Does what is due. It must be called at or soon after deadline, after what the network already
   * has was given to received, and flow whatever it asks; to call it early is harmless.
   */
  tick(now: number): void {
    if (now >= this.nextDeadline) this.tickNext(now, now - this.nextDeadline);
    this.outbox.tick(now);
    if (now >= this.renewDue) {
      this.grant.draw(now);
      this.tell({ kind: "expiring", attempt: this.attempt, at: this.grant.ends });
    }
    const deadline = this.mainDeadline, late = now - deadline, c = this.current;
    if (late < 0) return;
    if (!c) {
      if (this.rest === "backing off") this.dial(now);
    } else if (c.state === "ready") {
      this.tickSession(now, deadline, c);
    } else {
      this.tickAttempt(now, late, c);
    }
  }

  private tickSession(now: number, deadline: number, c: Conn): void {
    const h = this.heartbeat;
    if (h.waiting && now < h.pongDue) {
      h.looked(now); // for all that the owner knows
      const due = h.sayAt;
      if (now >= due) this.sayPing(now, due, c, none);
      return;
    }
    // A PING that is itself late needs no excuse: its answer has all its time.
    if (h.waiting && !this.excuse(c, now - deadline)) {
      this.lose(now, c, { ...timeout(c, "pong_timeout", "no PONG"), noticedOver: h.beat });
      return;
    }
    this.ping(now, deadline, c, none);
  }

  private tickAttempt(now: number, late: number, c: Conn): void {
    const greets = c.state === "handshaking";
    if (!this.excuse(c, late)) {
      this.lose(now, c, greets ? timeout(c, "welcome_timeout", "no WELCOME") : timeout(c, "connect_timeout", "no connection"));
      return;
    }
    c.due = now + (greets ? this.patience.welcome : this.patience.connect);
  }

  private tickNext(now: number, late: number): void {
    const c = this.next;
    if (!c) {
      this.dial(now);
    } else if (!c.leave) {
      this.tickAttempt(now, late, c);
    } else if (!c.saidBye && this.excuse(c, late)) {
      c.due = now + c.leave.overlap; // what came while the owner slept is read first
    } else if (!c.saidBye) {
      this.bye(c);
      c.due = now + byeTime;
    } else {
      this.dropLeaving();
      if (now >= this.nextDeadline) this.dial(now); // of another handover, which waited for this
    }
  }

  // Whether a timeout noticed this late shall not count. Once in a row, so that an owner that is
  // always late still gets rid of dead servers.
  private excuse(c: Conn, late: number): boolean {
    if (late <= tardy || c.excused) return false;
    return c.excused = true;
  }

  /**
   * Takes bytes that the server sent. consumed of them are done with. The rest must be offered
   * again, followed by what comes next, and not before need bytes are there; if they are there
   * already, at once, after the actions were carried out.
   */
  received(now: number, attempt: number, b: Uint8Array): { consumed: number; need: number } {
    let consumed = 0;
    for (let i = 0; i < maxFrames; i++) {
      const c = this.find(attempt);
      if (!c || c.state === "connecting") return { consumed: b.length, need: headerLen }; // nobody wants the rest
      try {
        const { frame, size } = decode(b, consumed, this.cfg.maxPayload);
        if (!frame) {
          if (consumed < b.length && c === this.current) this.heartbeat.begins(now, b.length - consumed);
          return { consumed, need: size };
        }
        consumed += size;
        this.alive(now, c);
        this.frame(now, c, frame);
        if (frame.type === types.welcome || frame.type === types.goAway && this.find(attempt)) break;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.lose(now, c, { reason: "malformed", error, fault: "peer" });
      }
    }
    return { consumed, need: headerLen };
  }

  private frame(now: number, c: Conn, f: Frame): void {
    const p = f.payload, ready = c.state === "ready";
    if (f.type === types.goAway) this.goAway(now, c, wire.parseGoAway(p));
    else if (f.type === types.welcome && !ready) this.welcome(now, c, wire.parseWelcome(p));
    else if (f.type === types.pong && ready) this.pong(now, c, wire.parsePong(p));
    else if (f.type === types.deliver && ready) this.deliver(now, c, f);
    else if (f.type === types.ack && ready) this.outbox.acked(now, c.attempt, wire.parseAck(p));
    else if (f.type === types.nack && ready) this.outbox.nacked(now, c.attempt, wire.parseNack(p));
    else if (knownType(f.type) || (f.flags & flags.ignorable) === 0) {
      throw new WireError(`unexpected frame of type ${f.type} while ${c.state}`);
    }
  }

  private deliver(now: number, c: Conn, f: Frame): void {
    const { number, body } = wire.parseDeliver(f.payload, f.flags);
    if ((f.flags & flags.reply) !== 0) {
      this.outbox.replied(now, c.attempt, number, body);
      return;
    }
    const wantsReply = (f.flags & flags.wantsReply) !== 0;
    this.tell({ kind: "delivered", attempt: c.attempt, number, wantsReply, body });
  }

  /**
   * Says that the path to the server may be another one now, or the machine woke. A session has a
   * second to answer a PING; whatever ends it before something complete came is local. A wait that
   * the link chose itself is cut to a second at most.
   */
  networkChanged(now: number): void {
    const probed = this.current?.doubted ?? false;
    for (const c of this.conns()) c.doubted = true;
    if (this.state === "ready") {
      if (!probed) this.ping(now, now, this.current!, none);
    } else if (this.state === "backing off" && this.retry.cut(now)) {
      this.tell({ kind: "retry_at", at: this.retry.at });
    }
  }

  info(): LinkInfo {
    const state = this.state, moves = this.moving && (!this.next || this.next.leave !== undefined);
    return {
      state, moving: this.moving, endpoint: this.addr, node: this.node, session: this.session, terms: this.terms,
      maxDeliver: this.outbox.limits.maxDeliver,
      readySince: this.readyAt, expires: this.grant.ends, rtt: this.heartbeat.rtt,
      nextAttempt: state === "backing off" || moves ? this.retry.at : Infinity,
      lastError: this.lastError, dials: this.attempts, sessions: this.sessions, losses: this.losses,
      pings: Number(this.heartbeat.token), pongs: this.pongs, unsettled: this.unsettled().length,
      refused: state !== "ready" && this.endpoints.allRefused(this.retry.outage),
      connectTimeout: this.patience.connect, welcomeTimeout: this.patience.welcome,
    };
  }
}


function timeout(c: Conn, reason: LossReason, says: string): Loss {
  return { reason, error: new Error(`timed out: ${says}`), fault: c.doubted ? "host" : "peer" };
}
