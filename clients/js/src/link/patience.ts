// Who waited in vain waits longer the next time, until the server's queue is shorter than the
// patience: else whoever is served has given up, and nobody gets in, for ever.

import { maxWait, type LinkConfig } from "./config.js";
import type { Loss } from "./out.js";

const most = 3; // how often in a row a timeout doubles the next one: 5 s become 10, 20, 40 s

export class Patience {
  connects = 0; // timeouts in a row
  welcomes = 0;

  constructor(private readonly cfg: LinkConfig) {}

  /** The connect timeout of the attempt under way, or else of the next. */
  get connect(): number {
    return Math.min(this.cfg.connectTimeout * 2 ** this.connects, maxWait);
  }

  /** Likewise from HELLO to WELCOME. */
  get welcome(): number {
    return Math.min(this.cfg.welcomeTimeout * 2 ** this.welcomes, maxWait);
  }

  /** Notes how an attempt ended. What timed out while this side's network changed says nothing about the server. */
  wasted(why: Loss): void {
    if (why.fault !== "peer") return;
    if (why.reason === "connect_timeout") this.connects = Math.min(this.connects + 1, most);
    if (why.reason === "welcome_timeout") this.welcomes = Math.min(this.welcomes + 1, most);
  }
}
