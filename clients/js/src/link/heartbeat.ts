// The liveness of the session, apart from its connection: no write, failed or not, and no state of
// the socket can stop it.

import { maxWait, minInterval } from "./config.js";
import { Flowing, type Flow, type Slowness } from "./flow.js";
import type { Terms } from "../messages.js";

const defaultInterval = 30_000; // if neither side names one
const looks = 8; // how often in a pong timeout the link asks whether the PING has left

export class Heartbeat {
  wrote = 0; // the latest frame of any kind to the server
  heard = 0; // the latest complete frame from the server
  beat = 0; // drawn for each PING: U(0.8, 1.0) x interval
  speak = Infinity; // the longest silence of ours while an answer is waited for

  pongDue = 0; // dead if nothing complete comes until then; 0: not waiting
  private pingAt = 0; // when the earliest PING was written that has no answer, or the latest that has one
  private earliest = 0n; // its token
  after = 0; // bytes written after the latest
  token = 0n; // of the latest PING; they are numbered from 1 over all sessions
  answered = true; // the PONG of the earliest, or of one behind it, has come
  telling = false; // the latest PING was sent to tell that tighter terms are applied
  taken = false; // the latest PING has left, as far as can be known
  rtt = 0; // from the earliest PING that waited to the latest answer
  private lookAt = 0; // when to ask whether the PING has left
  private slow: Slowness | undefined; // its answer is late and something moves

  get waiting(): boolean {
    return this.pongDue !== 0;
  }

  /**
   * When to PING, when to look after the PING, or when the answer must be there. The PING waits
   * for the earlier of the two directions: a client that writes all the time into a half-open
   * connection hears nothing and PINGs as well.
   */
  get deadline(): number {
    if (!this.waiting) return Math.min(this.wrote, this.heard) + this.beat;
    return Math.min(this.pongDue, this.taken ? Infinity : this.lookAt, this.sayAt);
  }

  /**
   * When another PING is due while an answer is waited for: the way back may be late while all
   * that we write arrives, and the server must not take the client for dead.
   */
  get sayAt(): number {
    return this.wrote + (this.slow ? this.beat : this.speak);
  }

  /** Draws the silences before the next PING by the terms, and own, which is the config's interval. */
  draw(own: number, terms: Terms, random: () => number): void {
    const d = intervalOf(own, terms);
    this.beat = d - random() * d / 5;
    this.speak = terms.timeout > 0 ? Math.max(terms.timeout / 2, this.beat) : Infinity;
  }

  /** Begins the wait for something complete. */
  await(now: number, timeout: number): void {
    this.pongDue = now + timeout;
    this.lookAt = now + Math.min(timeout / looks, this.beat);
    this.taken = false, this.slow = undefined;
  }

  /** Ends it. */
  heardNow(now: number): void {
    this.heard = now, this.pongDue = 0;
    this.slow = undefined;
  }

  /** Takes the token of a PING that is written now. */
  nextToken(now: number): bigint {
    this.token++;
    if (this.answered) this.pingAt = now, this.earliest = this.token;
    this.answered = this.telling = false;
    return this.token;
  }

  /**
   * Notes a PONG and reports whether it is a round trip. Else it is an announcement, or the answer of
   * one that was answered with an earlier.
   */
  ponged(now: number, token: bigint): boolean {
    if (this.answered || token < this.earliest || token > this.token) return false;
    this.answered = true;
    this.rtt = now - this.pingAt;
    return true;
  }

  /** Whether a PONG is late, so that the owner is to tell the flow. */
  asks(now: number): boolean {
    return this.waiting && now >= this.deadline;
  }

  /** Notes that nothing is known against the PING's having left. */
  looked(now: number): void {
    this.taken = this.taken || now >= this.lookAt;
  }

  /** Judges a PING that is not answered yet. */
  look(now: number, f: Flow, timeout: number): void {
    const taken = f.taken || this.after - f.untaken;
    let over = now >= this.pongDue;
    if (!this.taken && f.untaken <= this.after) {
      this.taken = true;
      if (this.slow) {
        this.pongDue = Math.max(this.pongDue, this.slow.looked + timeout);
        over = now >= this.pongDue;
      }
    }
    if (!this.slow) {
      if (this.taken && f.partial === 0) return; // nothing moves
      this.slow = { looked: 0, out: undefined, in: new Flowing(now, f.partial) };
    }
    const s = this.slow;
    if (!this.taken) {
      s.out ??= new Flowing(now, taken);
      s.looked = now, this.lookAt = now + Math.min(timeout / looks, this.beat);
    }
    if (!over) return;
    let moves = s.in.moved(now, f.partial);
    if (!this.taken) moves = s.out!.moved(now, taken) || moves;
    if (moves) this.pongDue = now + timeout;
  }

  /** Notes that the first n bytes of a frame have come: the answer stands behind that frame. */
  begins(now: number, n: number): void {
    if (!this.waiting) return;
    if (!this.slow) this.slow = { looked: 0, out: undefined, in: new Flowing(now, n, 0) };
    else if (this.slow.in.from === 0) this.slow.in = new Flowing(now, n, 0);
  }
}

/** The longest silence. It leaves a fifth of the server's timeout for the way. */
export function intervalOf(own: number, terms: Terms): number {
  let d = own || terms.interval;
  if (terms.patience > 0) d = Math.max(d, terms.interval); // the server cannot keep up
  d ||= defaultInterval;
  if (terms.timeout > 0) d = Math.min(d, terms.timeout / 5 * 4);
  return Math.min(Math.max(d, minInterval), maxWait);
}
