// Keeps what a session sends below the limits that its server told, however the network bunches it.
// What has not left may arrive all at once, and leaks only from when it has. A server may refill its
// own bucket once a second: so a second's worth of the burst is left alone.

import type { Limits } from "../messages.js";

/** In frames, and in bytes with what surrounds a payload. */
interface Cost { frames: number; bytes: number }

const share = 0.95; // the part of a rate that a session uses: clocks differ
const maxHello = 5 << 10; // about the longest HELLO, in bytes: it counts, too

/** When to tell the flow again, where a send waits for bytes to leave, in milliseconds. */
export const lookAgain = 10;

/** How much of a limit may be in use at once, what of the burst is left alone, and what leaks in a second. */
function bucket(perSecond: number, burst: number): { room: number; spare: number; rate: number } {
  const b = burst || perSecond;
  const spare = Math.min(perSecond, b / 2);
  return { room: b - spare, spare, rate: share * Math.min(perSecond, spare) };
}

export class Pacer {
  private used: Cost = { frames: 1, bytes: maxHello }; // of what has left, what the server may still hold against the session
  private sent: Cost = { frames: 0, bytes: 0 }; // of what has not, as far as is known: up to a mark,
  private later: Cost = { frames: 0, bytes: 0 }; // and after it

  constructor(private at: number) {}

  /** Says how much of all that was written has not left. */
  taken(now: number, untaken: number, limits: Limits): void {
    this.leak(now, limits);
    if (untaken > this.later.bytes) return;
    const moved = { ...this.sent };
    this.sent = this.later, this.later = { frames: 0, bytes: 0 };
    if (untaken === 0) {
      moved.frames += this.sent.frames, moved.bytes += this.sent.bytes;
      this.sent = { frames: 0, bytes: 0 };
    }
    if (moved.frames > 0) this.used.frames = Math.max(this.used.frames, 0) + moved.frames;
    if (moved.bytes > 0) this.used.bytes = Math.max(this.used.bytes, 0) + moved.bytes;
  }

  /** Counts what is written now. */
  spend(frames: number, bytes: number): void {
    this.later.frames += frames, this.later.bytes += bytes;
  }

  /** How long a frame of that cost has to wait, in milliseconds; 0 if it need not. */
  wait(now: number, frames: number, bytes: number, limits: Limits): number {
    this.leak(now, limits);
    const ms = Math.max(
      wait(frames, this.used.frames, this.sent.frames + this.later.frames, limits.frames, limits.frameBurst),
      wait(bytes, this.used.bytes, this.sent.bytes + this.later.bytes, limits.bytes, limits.byteBurst));
    return ms === 0 ? 0 : Math.max(ms, 1);
  }

  // Forgets what the server has forgotten by now. It goes on below nothing, as far as the spare,
  // when the server has surely forgotten all.
  private leak(now: number, limits: Limits): void {
    const seconds = (now - this.at) / 1000;
    this.at = now;
    const f = bucket(limits.frames, limits.frameBurst), b = bucket(limits.bytes, limits.byteBurst);
    this.used.frames = Math.max(-f.spare, this.used.frames - seconds * f.rate);
    this.used.bytes = Math.max(-b.spare, this.used.bytes - seconds * b.rate);
  }
}

// How long n more of one kind have to wait, in milliseconds. What is larger than the room goes alone.
function wait(n: number, used: number, untaken: number, perSecond: number, burst: number): number {
  const { room, spare, rate } = bucket(perSecond, burst);
  let over = Math.max(used, 0) + untaken + n - room;
  if (n > room) over = used + untaken + spare;
  if (n === 0 || perSecond === 0 || over <= 0) return 0;
  if (untaken > 0 && over > Math.max(used, 0)) return lookAgain;
  return over / rate * 1000;
}
