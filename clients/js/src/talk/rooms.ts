// Where a room was heard, and what is to be made of what comes of it.

import type { Envelope, Position } from "./envelope.js";

const nowhere: Position = { epoch: 0n, offset: 0n };

export class Room {
  past = 0n; // the epoch before: a node that the client leaves may still speak of it
  joining = true; // publications do not count until the node says joined

  /** at is up to where it was heard; undefined: from now on. */
  constructor(public at: Position = nowhere) {}

  /** What is to be made of a publication: nothing, to show it, or to join anew, since something is missing before it. */
  publication(p: Position): "drop" | "show" | "rejoin" {
    const same = p.epoch === this.at.epoch;
    if (this.joining && !same || p.epoch === this.past || same && p.offset <= this.at.offset) return "drop";
    if (!same || p.offset !== this.at.offset + 1n) return "rejoin";
    this.at = p;
    return "show";
  }

  /** Takes joined; returns from where on something was missed, if it was. */
  joined(e: Envelope): Position | undefined {
    const before = this.at, to = e.position!;
    this.joining = false;
    const same = before.epoch === to.epoch;
    if (!same) this.past = before.epoch;
    if (!same || to.offset > before.offset) this.at = to;
    return before.epoch !== 0n && (!same || to.offset > before.offset) ? before : undefined;
  }

  /** Whether the room is ahead of what was heard. */
  ahead(p: Position): boolean {
    return p.epoch !== this.at.epoch || p.offset > this.at.offset;
  }
}
