// A slow link is no dead link, and a live kernel is no live server. A PING may stand behind much
// that was written before it: while that leaves, the pong timeout starts anew. Then only what
// comes from the server counts. docs/PROTOCOL.md, rule 3.

const leastBytes = 4096; // the least rate at which bytes have to move:
export const leastTime = 10_000; // so many in this time

/** What an owner knows of the bytes of a connection. */
export interface Flow {
  untaken: number; // what was written and has not left: it waits here
  taken: number; // what has left, counted from anywhere; 0: no more is known than untaken
  partial: number; // what has come of a frame whose end is missing
}

/** Watches the bytes of one direction. */
export class Flowing {
  /** since and from begin the present stretch of leastTime; mark is what was there last. */
  constructor(public since: number, public from: number, private mark = from) {}

  /** Whether anything has moved since the last call, and all in all no slower than it must. */
  moved(now: number, bytes: number): boolean {
    let ok = bytes > this.mark;
    this.mark = bytes;
    const stretch = now - this.since;
    if (stretch >= leastTime * 4 / 5) {
      ok = ok && bytes - this.from >= leastBytes * stretch / leastTime;
      this.since = now, this.from = bytes;
    }
    return ok;
  }
}

/** What is known of a PING that is not answered soon. */
export interface Slowness {
  looked: number; // the latest look at which it had not left
  out: Flowing | undefined; // what leaves
  in: Flowing; // the frame that is coming: it is one, or the wait would be over
}
