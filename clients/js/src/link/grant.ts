// A server may let a client in for a time only. docs/PROTOCOL.md, rule 13.

const leastRenewal = 1000; // between two tokens, whatever the server tells

export class Grant {
  ends = 0; // of the session; 0: it has no end, as far as is known
  private renew = Infinity; // when the owner is to be asked for another token

  constructor(private readonly fresh: boolean, private readonly random: () => number) {}

  /** When to ask for a token. */
  get due(): number {
    return this.ends === 0 ? Infinity : this.renew;
  }

  /** Begins anew with a session. */
  clear(): void {
    this.ends = 0, this.renew = Infinity;
  }

  /** Notes that the session may last so long from now; 0 says nothing new. */
  set(now: number, left: number): void {
    if (left <= 0) return;
    if (left === Infinity) {
      this.clear();
      return;
    }
    this.ends = now + left;
    this.draw(now);
  }

  /** Draws when to ask: U(0.7, 0.9) of what is left, so that those who came together do not renew together. */
  draw(now: number): void {
    const left = this.ends - now;
    this.renew = Infinity;
    if (this.fresh && left > leastRenewal) {
      this.renew = now + Math.max(left * 0.7 + this.random() * left / 5, leastRenewal);
    }
  }
}
