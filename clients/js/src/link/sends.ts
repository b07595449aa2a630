// The SENDs that are not settled. docs/PROTOCOL.md, rule 6.

import type { Limits } from "../messages.js";

// How far the numbers of unsettled SENDs may be apart: none is used before the one that is so much
// lower, and all before that, are settled.
const maxUnsettled = 256;

export interface Sent {
  number: bigint;
  body: Uint8Array;
  attempt: number; // over whose connection it was sent last; 0: none
  asks: boolean; // it wants a reply
  ghost: boolean; // it is settled, but the server of that connection has not said so, and may count it
}

/**
 * kept[:out] were sent over the session's connection, and wait for its answer; kept[out:] are to be
 * sent again over it, before anything new. Where nothing is sent again, kept[:out] is all, whatever
 * connection it went over.
 */
export class Sends {
  last = 0n; // number of the latest SEND, over all connections
  kept: Sent[] = []; // in the order of their numbers
  out = 0;
  bytes = 0; // bodies of kept[:out]
  due = Infinity; // when to go on with sending again; Infinity if nothing but an answer helps
  untaken = 0; // what flow told last of the session's connection, and SENDs since
  told = false; // flow was called since the last tick
  probe = 0n; // the answer to this number says that all that was written has been read; 0: none does

  /** Whether something waits to be sent again. */
  get behind(): boolean {
    return this.out < this.kept.length;
  }

  /** Whether a server with these limits takes one more unsettled body of n bytes. */
  room(n: number, limits: Limits): boolean {
    const most = Math.min(limits.unsettled || maxUnsettled, maxUnsettled);
    return this.out < most
      && (this.out === 0 || limits.unsettledBytes === 0 || this.bytes + n <= limits.unsettledBytes);
  }

  /** Whether the next number may be used. */
  get windowOpen(): boolean {
    const first = this.kept.find((m) => !m.ghost);
    return first === undefined || this.last + 1n - first.number < maxUnsettled;
  }

  /** Forgets ghosts below the window of the next number: for their server, too, they are settled. */
  slide(): void {
    while (this.kept[0]?.ghost && this.last + 1n - this.kept[0].number >= maxUnsettled) this.remove(0, 1);
  }

  /** Keeps a new message, whose body must not change any more, and returns its number. */
  keep(body: Uint8Array, asks: boolean): bigint {
    this.kept.push({ number: ++this.last, body, attempt: 0, asks, ghost: false });
    return this.last;
  }

  /** The place of the first message from number on. */
  find(number: bigint): number {
    let low = 0, high = this.kept.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.kept[mid]!.number < number) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** The place of a message that is outstanding, -1 if it is not. */
  place(number: bigint): number {
    const i = this.find(number);
    return this.kept[i]?.number === number ? i : -1;
  }

  remove(from: number, to: number): void {
    for (let i = from; i < Math.min(to, this.out); i++) this.bytes -= this.kept[i]!.body.length;
    this.out -= Math.max(Math.min(to, this.out) - from, 0);
    this.kept.splice(from, to - from);
  }

  removeIf(which: (m: Sent) => boolean): void {
    for (let i = 0; i < this.kept.length;) {
      if (which(this.kept[i]!)) this.remove(i, i + 1);
      else i++;
    }
  }

  /** Forgets kept[from:to], but for what another connection's server has still to answer. */
  answered(from: number, to: number, attempt: number): void {
    for (let i = to - 1; i >= from; i--) {
      const m = this.kept[i]!;
      if (i < this.out && m.attempt !== attempt) m.ghost = true;
      else this.remove(i, i + 1);
    }
  }

  /** The messages that are neither settled nor given up, in order. */
  unsettled(): Sent[] {
    return this.kept.filter((m) => !m.ghost);
  }
}
