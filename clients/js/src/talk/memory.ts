// What was dealt with, so that a copy is not shown again.

import type { MessageId } from "./envelope.js";

const least = 1024, most = 16384, time = 5 * 60_000;

/** The latest 1,024 ids and those of the last five minutes, 16,384 at most, each with what was made of it. */
export class Memory<T> {
  private readonly known = new Map<string, { what: T; at: number }>();

  constructor(private readonly now: () => number) {}

  find(id: MessageId): { what: T } | undefined {
    return this.known.get(keyOf(id));
  }

  add(id: MessageId, what: T): void {
    const now = this.now();
    this.known.set(keyOf(id), { what, at: now });
    for (const [key, entry] of this.known) {
      if (this.known.size <= least || this.known.size <= most && now - entry.at < time) break;
      this.known.delete(key);
    }
  }
}

export function keyOf(id: MessageId): string {
  return `${id.incarnation} ${id.number} ${id.sender}`;
}
