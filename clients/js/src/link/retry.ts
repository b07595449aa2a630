// The wait for the next attempt. It belongs to no connection. docs/PROTOCOL.md, rules 7 and 10.

import { advice, sessionOnly } from "../codes.js";
import { Backoff, drawMove, drawOutage, drawRefused, drawSpread } from "./backoff.js";
import { below, maxWait, type LinkConfig, type Random } from "./config.js";
import type { Endpoints } from "./endpoints.js";
import type { Loss } from "./out.js";
import type { GoAway } from "../messages.js";

const localSpread = 1000; // of returns that no other client makes at the same time
const none = new Uint8Array(0);

export class Retry {
  at = 0;
  ticket: Uint8Array = none; // place in a server's queue, for the next attempt's HELLO only

  // Moves that are refused say nothing about what comes after a loss.
  readonly lost = new Backoff(); // of attempts without a session
  readonly moves = new Backoff(); // of a handover's
  outage = 0; // when the last stable session ended, or the link was started, in whole seconds

  unheard = false; // the latest attempt led elsewhere, and nobody answered
  here = false; // return to the endpoint of the latest attempt
  ordered = false; // the wait is the server's: nothing local cuts it
  owed = false; // the session died while its next attempt was under way: if that fails, the loss's first draw is due

  constructor(
    private readonly cfg: LinkConfig,
    private readonly endpoints: Endpoints,
    private readonly random: Random,
  ) {}

  /** Notes that an outage begins, or none has. */
  begin(now: number): void {
    this.outage = Math.floor(now / 1000) * 1000;
  }

  /** Begins anew after a session that was stable. */
  settle(now: number): void {
    this.lost.reset();
    this.moves.reset();
    this.begin(now);
  }

  /** Says where the next attempt goes, and with what in its hand. before: no HELLO was written. */
  aim(why: Loss, b: Backoff, before: boolean): void {
    // A ticket that no HELLO has carried is still good, where it is from.
    const unused = this.ticket.length > 0 && why.fault === "host" && before;
    if (!unused) this.ticket = none;
    const m = why.goAway, says = m ? advice(m.code) : "elsewhere";
    if (m) this.ticket = m.ticket;
    this.ordered = m !== undefined && (m.delay > 0 || m.window > 0) && says !== "avoid"; // which is about that address
    this.here = says === "here" && b.trusts || unused;
  }

  /**
   * Schedules the attempt after a loss. wasReady: a session has ended. window is the last that was
   * told, own the endpoint of the session.
   */
  schedule(now: number, why: Loss, b: Backoff, wasReady: boolean, window: number, own: string): void {
    this.at = now + this.wait(now, why, b, wasReady, window, own);
    b.failed(why.goAway !== undefined);
  }

  private wait(now: number, why: Loss, b: Backoff, wasReady: boolean, window: number, own: string): number {
    const m = why.goAway, says = m && advice(m.code);
    let first = 0;
    if (m && says === "avoid" && b === this.lost && this.endpoints.allRefused(this.outage)) {
      const ordered = m.delay + below(this.random, m.window);
      return Math.max(ordered, drawRefused(b, this.random));
    }
    if (m && this.ordered) {
      first = m.delay + below(this.random, m.window);
      if (b.trusts) return first;
    } else if (m && says !== "here" && this.endpoints.anyFree(now)) {
      if (b.trusts) return 0; // a draining server paces this itself
    } else if (why.fault === "host" || m && sessionOnly(m.code)) {
      first = below(this.random, localSpread);
      if (b.failures === 0) return first;
    } else if (wasReady) {
      first = drawSpread(Math.min(window, maxWait), why.noticedOver ?? 0, this.random);
      if (b.failures === 0) return first;
    }
    // Nothing stable came of the attempts before: the backoff goes on, and a draw over a large
    // window is not shortened by it.
    const draw = b === this.moves
      ? drawMove(b, this.cfg, this.endpoints.alone(own), this.random)
      : drawOutage(b, this.cfg, window, now - this.outage, this.random);
    return Math.max(first, draw);
  }

  /** Schedules the next connection of a handover. */
  move(now: number, m: GoAway, own: string): void {
    const alone = this.endpoints.alone(own);
    let wait = m.delay + below(this.random, m.window); // usually none: the server paces this itself
    if (!this.moves.trusts || alone) {
      wait = Math.max(wait, drawMove(this.moves, this.cfg, alone, this.random));
    }
    this.ticket = m.ticket, this.ordered = m.delay > 0 || m.window > 0, this.here = false;
    this.moves.failed(true);
    this.at = now + wait;
  }

  /** Cuts a wait that nobody ordered to a second at most, and reports whether it did. */
  cut(now: number): boolean {
    const at = now + below(this.random, localSpread);
    if (this.ordered || at >= this.at) return false;
    this.at = at;
    return true;
  }
}
