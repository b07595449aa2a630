// Where a link may connect to, and what it thinks of each place.

import { validAddress, type LinkConfig, type Random } from "./config.js";

const maxAlternates = 8; // the newest push out the oldest
const maxPenalties = 32; // one that is forgotten costs an attempt
const penaltyTime = 120_000; // for each fault, and the window
const maxPenalty = 600_000;

/**
 * free, or avoided: failed (it was lost, did not answer, or sent the client elsewhere) or refused
 * (it answered with a code from 3500).
 */
export type Standing = "free" | "failed" | "refused";

interface Penalty { until: number; why: "failed" | "refused" }

export class Endpoints {
  private alternates: string[] = [];
  // Of what is over it is remembered what it was for, until the room is needed.
  private penalties = new Map<string, Penalty>();
  home = ""; // of the latest session

  constructor(private readonly cfg: LinkConfig, private readonly random: Random) {}

  /** Puts the endpoints of a node's list before those that are known. What is no address is skipped. */
  addAlternates(list: string): void {
    if (this.cfg.ignoreAlternates || list === "") return;
    const merged: string[] = [];
    for (const addr of [...list.split(","), ...this.alternates]) {
      if (merged.length < maxAlternates && validAddress(addr)
        && !this.cfg.endpoints.includes(addr) && !merged.includes(addr)) {
        merged.push(addr);
      }
    }
    this.alternates = merged;
  }

  all(): string[] {
    return [...this.cfg.endpoints, ...this.alternates];
  }

  /**
   * Chooses uniformly among the endpoints without a penalty, or takes the one whose penalty ends
   * first. homeward: nobody answered elsewhere; the endpoint of the latest session, if it is
   * avoided as well, is worth a try between those.
   */
  pick(now: number, homeward: boolean): string {
    const all = this.all();
    if (homeward && all.includes(this.home) && this.standing(now, this.home) === "failed") return this.home;
    const free = all.filter((addr) => this.standing(now, addr) === "free");
    if (free.length > 0) return free[Math.floor(this.random() * free.length)]!;
    let least = all[0]!;
    for (const addr of all) {
      if (this.penalties.get(addr)!.until < this.penalties.get(least)!.until) least = addr;
    }
    return least;
  }

  standing(now: number, addr: string): Standing {
    const p = this.penalties.get(addr);
    return p && p.until > now ? p.why : "free";
  }

  anyFree(now: number): boolean {
    return this.all().some((addr) => this.standing(now, addr) === "free");
  }

  /** Whether there is no endpoint but own. */
  alone(own: string): boolean {
    return this.all().every((addr) => addr === own);
  }

  /**
   * Whether the latest answer of every endpoint that answers at all was a code from 3500. One
   * whose penalty was over before the present outage began does not count: it may be mended.
   */
  allRefused(outage: number): boolean {
    return this.all().every((addr) => {
      const p = this.penalties.get(addr);
      return p?.why === "refused" && p.until > outage;
    });
  }

  penalise(now: number, addr: string, why: "failed" | "refused", window: number): void {
    const p = this.penalties.get(addr);
    const until = Math.min(Math.max(now, p?.until ?? 0) + penaltyTime + window, now + maxPenalty);
    this.penalties.delete(addr);
    if (this.penalties.size === maxPenalties) this.forgetFirst();
    this.penalties.set(addr, { until: Math.floor(until / 1000) * 1000, why });
  }

  /** Forgets what was held against the endpoint of a session. */
  acquit(addr: string): void {
    this.penalties.delete(addr);
  }

  private forgetFirst(): void {
    let first = "", until = Infinity;
    for (const [addr, p] of this.penalties) {
      if (p.until < until) first = addr, until = p.until;
    }
    this.penalties.delete(first);
  }
}
