// A connection of a link, from the wish to dial to its end.

import { Flowing, leastTime, type Flow } from "./flow.js";

export class Conn {
  state: "connecting" | "handshaking" | "ready" = "connecting";
  excused = false; // has had its second chance since the server was last heard
  doubted = false; // the network has changed since the server was last heard
  saidBye = false;
  leave: Leave | undefined; // its session has left it for another

  /** due is when to give up; while leaving, when to go on; else not while ready. */
  constructor(readonly attempt: number, readonly addr: string, public due: number) {}
}

// How long the old connection of a handover is kept after its server has read what was written to
// it: messages and ACKs that were on their way are still taken.
const overlap = 1000;

/**
 * The end of a connection that its session has left. Much may be waiting that was sent before: a
 * PING is written behind it, and BYE waits for the PONG, as long as bytes leave at the least rate.
 */
export class Leave {
  answered = false; // the server has read all that was sent
  readonly overlap: number;
  private out: Flowing | undefined; // what leaves
  private taken = 0; // when all had left; 0: it has not

  /** timeout is that of the old terms: the server shall not have to evict. */
  constructor(readonly token: bigint, timeout: number) {
    this.overlap = timeout > 0 ? Math.min(overlap, timeout / 5) : overlap;
  }

  /** Returns how long BYE is put off, 0 if it is not. */
  lingers(now: number, f: Flow, pongTimeout: number): number {
    const taken = f.taken || -f.untaken;
    if (this.taken === 0) {
      if (f.untaken === 0) this.taken = now;
      else if (!this.out) this.out = new Flowing(now, taken);
      else if (now - this.out.since >= leastTime && !this.out.moved(now, taken)) return 0;
    }
    return this.taken === 0 || now < this.taken + pongTimeout ? this.overlap : 0;
  }
}
