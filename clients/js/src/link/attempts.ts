// The connections of a link: how they are made, lost, and handed over.

import { advice, codes, sessionOnly } from "../codes.js";
import { WireError } from "../frame.js";
import * as wire from "../messages.js";
import { maxWait, type LinkConfig, type Random } from "./config.js";
import { Conn, Leave } from "./conn.js";
import { CodeError, type Fault, type Loss } from "./out.js";
import { Patience } from "./patience.js";
import { Retry } from "./retry.js";
import { none, Session } from "./session.js";

export abstract class Attempts extends Session {
  protected moving = false; // the session's server drains: next is, or will be, the next
  protected addr = ""; // of the latest of current
  private nextAddr = ""; // of the latest of next
  private returnPass: Uint8Array = none; // secret that WELCOME gave, presented after a loss
  protected node = "";
  protected session = "";
  protected readyAt = 0;
  protected lastError: Error | undefined;
  protected attempts = 0;
  protected sessions = 0;
  protected losses = 0;
  protected readonly retry: Retry;
  protected readonly patience: Patience;

  constructor(cfg: LinkConfig, random: Random) {
    super(cfg, random);
    this.retry = new Retry(cfg, this.endpoints, random);
    this.patience = new Patience(cfg);
  }

  protected dial(now: number): void {
    const handover = this.current !== undefined, latest = handover ? this.nextAddr : this.addr;
    const addr = this.retry.here ? latest : this.endpoints.pick(now, this.retry.unheard && !handover);
    this.retry.here = false;
    const c = new Conn(++this.attempts, addr, now + this.patience.connect);
    if (handover) this.next = c, this.nextAddr = addr;
    else this.current = c, this.addr = addr;
    this.act({ do: "dial", attempt: c.attempt, addr });
  }

  /** Says that what precedes the connection is done: a token is there. The connect timeout starts anew. */
  resolved(now: number, attempt: number): void {
    const c = this.find(attempt);
    if (c?.state === "connecting") c.due = now + this.patience.connect;
  }

  /** Says that the connection is up; HELLO goes out. A token that is out of bounds costs the attempt. */
  connected(now: number, attempt: number, token: Uint8Array): void {
    const c = this.find(attempt);
    if (c?.state !== "connecting") return;
    let hello: Uint8Array;
    try {
      hello = wire.encodeHello({
        incarnation: this.cfg.incarnation, attempt, clientId: this.cfg.id, token,
        returnPass: this.returnPass, ticket: this.retry.ticket,
      });
    } catch (error) {
      this.lose(now, c, { reason: "connect_failed", error: error as Error, fault: "host" });
      return;
    }
    this.write(c, hello);
    if (c === this.current) this.heartbeat.wrote = now;
    c.state = "handshaking";
    this.patience.connects = 0;
    c.due = now + this.patience.welcome;
  }

  /** Says that the dial failed or the connection ended under the link. What it had read was given to received before. */
  disconnected(now: number, attempt: number, error: Error, fault: Fault): void {
    const c = this.find(attempt);
    if (!c) return;
    const reason = c.state === "connecting" ? "connect_failed" : "closed";
    if (c.state === "ready" && c.doubted) fault = "host"; // an attempt that is refused has reached somebody
    this.lose(now, c, { reason, error, fault, ended: true });
  }

  // Begins the session, or moves it.
  protected welcome(now: number, c: Conn, m: wire.Welcome): void {
    if (m.version !== wire.protocolVersion || m.features !== 0) {
      throw new WireError(`WELCOME with version ${m.version} and features ${m.features}, neither was offered`);
    }
    const moved = c !== this.current;
    if (moved) this.move(now, c);
    this.session = m.session, this.node = m.node, this.returnPass = m.returnPass;
    this.endpoints.addAlternates(m.alternates);
    this.endpoints.home = c.addr;
    this.endpoints.acquit(c.addr);
    this.readyAt = now;
    this.patience.welcomes = 0;
    this.sessions++;
    c.state = "ready";
    this.terms = m.terms;
    this.outbox.begin(now, m.limits);
    this.grant.clear();
    this.grant.set(now, m.expires);
    const h = this.heartbeat;
    h.draw(this.cfg.interval, m.terms, this.random);
    h.answered = true, h.telling = false; // whatever an earlier session still waited for
    this.tell({ kind: moved ? "moved" : "ready", attempt: c.attempt, session: m.session, node: m.node, terms: m.terms });
    this.outbox.resume(now);
  }

  // Obeys the server's farewell.
  protected goAway(now: number, c: Conn, m: wire.GoAway): void {
    if (c.leave) {
      this.dropLeaving(); // whatever it says, the session is not there any more
      return;
    }
    this.endpoints.addAlternates(m.alternates);
    m = { ...m, delay: Math.min(m.delay, maxWait), window: Math.min(m.window, maxWait) };
    if (m.code === codes.draining && c.state === "ready") {
      this.handOver(now, c, m);
      return;
    }
    const error = new CodeError(m.code, m.reason);
    const why: Loss = { reason: "closed", error, fault: "peer", goAway: m };
    if (!this.replacedByUs(c, m.code) && this.stops(c, m.code)) {
      this.ended(c, why);
      this.halt(error);
      return;
    }
    this.lose(now, c, why);
  }

  // Whether a code ends the client for good. While there is a session, no other node's word does.
  private stops(c: Conn, code: number): boolean {
    if (c !== this.current || this.cfg.neverGiveUp) return false;
    if (code === codes.token_expired) return !this.cfg.freshTokens;
    if (code >= 3900 && code <= 3999) return c.state === "ready"; // its application's
    return code === codes.replaced;
  }

  // Whether a "replaced" on the session is the doing of our own next connection, whose HELLO is out.
  private replacedByUs(c: Conn, code: number): boolean {
    return code === codes.replaced && c === this.current && this.moving && this.next?.state === "handshaking";
  }

  // Ends a connection and schedules the next attempt.
  protected lose(now: number, c: Conn, why: Loss): void {
    if (!why.ended) this.close(c);
    if (c.leave) {
      this.outbox.ended(c.attempt);
      this.next = undefined;
      return;
    }
    this.ended(c, why);
    const blamed = blamedFor(why);
    if (blamed) this.endpoints.penalise(now, c.addr, blamed, this.terms.window);
    const r = this.retry, isCurrent = c === this.current, b = isCurrent ? r.lost : r.moves;
    let wasReady = c.state === "ready";
    if (wasReady) {
      this.outbox.ended(c.attempt);
      this.settle(now);
      // The node's last word on how fast its clients can come back.
      const window = why.goAway && !sessionOnly(why.goAway.code) ? why.goAway.window : 0;
      if (window > 0) this.terms = { ...this.terms, window };
    } else {
      this.patience.wasted(why);
    }
    r.unheard = why.reason === "connect_timeout" && why.fault === "peer" && c.addr !== this.endpoints.home;
    if (isCurrent) {
      this.current = undefined, this.rest = "backing off";
      if (this.promote()) {
        r.owed = true;
        return; // the attempt that was to replace it goes on
      }
      wasReady ||= r.owed;
      r.owed = false;
    } else {
      this.next = undefined;
    }
    r.aim(why, b, c.state === "connecting");
    r.schedule(now, why, b, wasReady, this.terms.window, this.addr);
    this.tell({ kind: "retry_at", at: r.at });
  }

  // Counts and tells the end of a connection.
  private ended(c: Conn, why: Loss): void {
    const wasReady = c.state === "ready", attempt = c.attempt, m = why.goAway;
    if (wasReady) this.losses++;
    this.lastError = why.error;
    if (m) this.tell({ kind: "gone_away", attempt, wasReady, code: m.code, delay: m.delay, window: m.window, error: why.error as CodeError });
    else this.tell({ kind: "lost", attempt, wasReady, reason: why.reason, error: why.error });
  }

  // Begins anew after a session that was stable.
  private settle(now: number): void {
    if (now - this.readyAt >= this.cfg.stableAfter) this.retry.settle(now);
  }

  // Obeys GOAWAY draining on a session: it goes on, and the next attempt has its time.
  private handOver(now: number, c: Conn, m: wire.GoAway): void {
    if (this.moving) return; // told twice
    // The next dial waits for the end of a connection that was left: what it brought may not be answered yet.
    this.endpoints.penalise(now, c.addr, "failed", this.terms.window);
    this.settle(now);
    this.retry.move(now, m, this.addr);
    this.moving = true;
    this.tell({ kind: "draining", attempt: c.attempt, code: m.code, delay: m.delay, window: m.window });
    this.tell({ kind: "retry_at", at: this.retry.at });
  }

  // Makes the next connection, whose WELCOME has come, the session's.
  private move(now: number, next: Conn): void {
    const old = this.current!, h = this.heartbeat;
    const leave = new Leave(++h.token, this.terms.timeout);
    old.leave = leave;
    old.due = now + leave.overlap;
    this.settle(now);
    this.write(old, wire.encodePing(leave.token, this.terms.number, none));
    this.current = next, this.next = old;
    this.addr = next.addr, this.nextAddr = old.addr;
    this.moving = false;
    h.wrote = next.due - this.patience.welcome; // its HELLO
    h.heardNow(now); // its WELCOME
  }

  // Turns the next attempt into the only one, after the session died under a move.
  private promote(): boolean {
    const next = this.next;
    const promoted = this.moving && next !== undefined && !next.leave;
    this.moving = false;
    if (!promoted) return false;
    this.current = next, this.next = undefined;
    this.addr = next.addr;
    if (next.state === "handshaking") this.heartbeat.wrote = next.due - this.patience.welcome;
    return true;
  }

  // Says BYE on a session's connection, once.
  protected bye(c: Conn): void {
    if (c.state !== "ready" || c.saidBye) return;
    c.saidBye = true;
    this.write(c, wire.encodeBye());
  }

  // Closes the old connection of a move, if it is still there.
  protected dropLeaving(): void {
    const c = this.next;
    if (!c?.leave) return;
    this.bye(c);
    this.close(c);
    this.outbox.ended(c.attempt);
    this.next = undefined;
  }

  private close(c: Conn): void {
    this.act({ do: "close", attempt: c.attempt });
  }

  protected halt(error: Error | undefined): void {
    for (const c of this.conns()) this.close(c);
    this.current = this.next = undefined;
    this.rest = "stopped", this.moving = false;
    this.tell({ kind: "stopped", error });
  }

}

// What the end of a connection says of where it led.
function blamedFor(why: Loss): "failed" | "refused" | undefined {
  const says = why.goAway && advice(why.goAway.code);
  if (says === "here") return undefined;
  if (says === "avoid") return "refused";
  return says === undefined && why.fault === "host" ? undefined : "failed";
}
