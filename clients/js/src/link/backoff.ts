// The waits between attempts. docs/PROTOCOL.md, rules 7, 10 and 12.

import { below, type LinkConfig, type Random } from "./config.js";

const minSpread = 2_500; // the least mean of the waits of an outage, also without a window
const young = 120_000; // an outage that is older is no restart: from here on the waits grow,
const old = 600_000; // until here
const loneFactor = 4; // times backoffMin is the first wait of a handover that knows no other endpoint
const trusted = 3; // how often in a row servers may order the client about

/** What failed since the last stable session. */
export class Backoff {
  failures = 0;
  private orders = 0; // of those, the ones for which a server said where to go and when
  refusals = 0; // of those, the ones after which every endpoint had refused

  /** Begins anew. */
  reset(): void {
    this.failures = this.orders = this.refusals = 0;
  }

  failed(ordered: boolean): void {
    this.failures++;
    if (ordered) this.orders++;
  }

  /**
   * Whether servers may still order the client about without the backoff having a say: two
   * nodes that send it to each other must not make it spin.
   */
  get trusts(): boolean {
    return this.orders < trusted;
  }

  /** Doubles low with every failure after the first, up to high. */
  step(low: number, high: number): number {
    return Math.min(low * 2 ** Math.min(Math.max(this.failures - 1, 0), 60), high);
  }
}

/** The wait of a handover: full jitter, or longer if it knows no other endpoint. */
export function drawMove(b: Backoff, cfg: LinkConfig, alone: boolean, random: Random): number {
  if (!alone) return random() * b.step(cfg.backoffMin, cfg.backoffMax);
  const v = b.step(Math.min(loneFactor * cfg.backoffMin, cfg.backoffMax), cfg.backoffMax);
  return Math.min(v / 2 + random() * v, cfg.backoffMax);
}

/**
 * Full jitter, doubling, until the step reaches the spread w; from then on each wait is
 * w/2 + U(0, w). w is the window that the server told while the outage is young.
 */
export function drawOutage(b: Backoff, cfg: LinkConfig, window: number, age: number, random: Random): number {
  const top = cfg.backoffMax / 3 * 2;
  let w = Math.min(Math.max(window, minSpread, cfg.backoffMin), top);
  const grown = Math.min(Math.max(age - young, 0), old - young);
  w += (top - w) * grown / (old - young);
  const v = b.step(cfg.backoffMin, w);
  return v < w ? random() * v : w / 2 + random() * w;
}

/** The wait of a client whom nobody wants: U(0, 1 min), doubling up to 1 h. */
export function drawRefused(b: Backoff, random: Random): number {
  const spread = Math.min(60_000 * 2 ** Math.min(b.refusals, 10), 3_600_000);
  b.refusals++;
  return random() * spread;
}

/**
 * The first return after the loss of a node, evenly over window. A silent node is noticed by
 * each client at its own next PING, evenly over noticedOver; so window is cut into steps no
 * shorter than that, and the client joins one of them: notice and step are even over window again.
 */
export function drawSpread(window: number, noticedOver: number, random: Random): number {
  if (noticedOver <= 0) return below(random, window);
  const steps = Math.max(1, Math.floor(window / noticedOver));
  const step = window / steps;
  return Math.floor(random() * steps) * step + below(random, step - noticedOver);
}
