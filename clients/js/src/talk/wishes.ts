// What is to hold in every session: to be in rooms, and to watch users and rooms.

import { RefusedError } from "../errors.js";
import type { Why } from "./config.js";
import { encodeEnvelope, kinds, type Position } from "./envelope.js";
import { envelopeCodes } from "./codes.js";
import { Room } from "./rooms.js";

/** A wish: to be in a room, or to watch a user or a room. */
export interface Wish {
  watch: boolean;
  user?: string;
  room?: string;
}

interface Wanted extends Wish {
  over: boolean; // it is to end: that is asked for, then it is forgotten
  asked: string; // the session in which it was asked for
  retry: number; // not before
  waits: number; // before the latest retry
  state: Room | undefined; // of a room that is to be joined
}

const retryMin = 1000, retryMax = 60_000;

export class Wishes {
  private readonly wanted = new Map<string, Wanted>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private session = ""; // the present one; empty: none

  /**
   * send is the client's; ended is told of what the node does not grant; watched that it has told of a user all that there
   * is to tell in this session.
   */
  constructor(
    private readonly send: (body: Uint8Array) => Promise<number>,
    private readonly ended: (w: Wish, why: Why) => void,
    private readonly watched: (user: string) => void,
  ) {}

  /** Adds a wish, or renews one that was to end. */
  want(w: Wish, at?: Position): void {
    const old = this.wanted.get(keyOf(w));
    if (!old || old.over) this.wanted.set(keyOf(w), wantedOf(w, w.watch ? undefined : new Room(at)));
    this.ask();
  }

  /** Ends a wish. */
  unwant(w: Wish): void {
    const old = this.wanted.get(keyOf(w));
    if (!old || old.over) return;
    this.wanted.set(keyOf(w), { ...wantedOf(w, undefined), over: true });
    this.ask();
  }

  /** The state of a room that is wanted. */
  room(name: string): Room | undefined {
    return this.wanted.get(keyOf({ watch: false, room: name }))?.state;
  }

  /** Asks a room for what is missing, from where it was heard. */
  rejoin(name: string): void {
    const s = this.wanted.get(keyOf({ watch: false, room: name }));
    if (!s?.state || s.state.joining) return;
    s.state.joining = true;
    s.asked = "";
    this.ask();
  }

  /** Takes note that a room was joined. */
  granted(name: string): void {
    const s = this.wanted.get(keyOf({ watch: false, room: name }));
    if (s) s.waits = s.retry = 0;
  }

  /** In a new session all is asked for anew. Empty: there is none. */
  inSession(session: string): void {
    if (this.session === session) return;
    this.session = session;
    this.ask();
  }

  /** Forgets a wish that the node does not grant, and tells. */
  end(w: Wish, why: Why): void {
    const s = this.wanted.get(keyOf(w));
    if (!s || s.over) return;
    this.wanted.delete(keyOf(w));
    this.ended(w, why);
  }

  stop(): void {
    this.session = "";
    clearTimeout(this.timer);
  }

  // Asks for what was not asked for in this session.
  private ask(): void {
    clearTimeout(this.timer);
    if (this.session === "") return;
    const now = performance.now();
    let wait = Infinity;
    for (const [key, s] of this.wanted) {
      if (s.asked === this.session) continue;
      if (s.retry > now) {
        wait = Math.min(wait, s.retry - now);
        continue;
      }
      s.asked = this.session;
      if (s.over) this.wanted.delete(key);
      void this.askFor(s, this.session);
    }
    if (wait < Infinity) this.timer = setTimeout(() => this.ask(), wait);
  }

  private async askFor(s: Wanted, session: string): Promise<void> {
    let body: Uint8Array;
    try {
      body = bodyOf(s);
    } catch (error) { // what no envelope can hold
      this.end(s, { code: envelopeCodes.malformed, reason: String(error) });
      return;
    }
    try {
      await this.send(body);
      if (s.watch && !s.over && s.user && session === this.session) this.watched(s.user);
    } catch (error) {
      if (!(error instanceof RefusedError) || s.over) return; // the next session asks anew
      if (error.again) this.later(s);
      else this.end(s, error);
    }
  }

  private later(s: Wanted): void {
    if (this.wanted.get(keyOf(s)) !== s) return;
    s.waits = Math.min(Math.max(2 * s.waits, retryMin), retryMax);
    s.retry = performance.now() + s.waits / 2 + Math.random() * s.waits;
    s.asked = "";
    this.ask();
  }
}

function wantedOf(w: Wish, state: Room | undefined): Wanted {
  return { ...w, over: false, asked: "", retry: 0, waits: 0, state };
}

function keyOf(w: Wish): string {
  return `${w.watch} ${w.room === undefined ? "user" : "room"} ${w.room ?? w.user}`;
}

function bodyOf(s: Wanted): Uint8Array {
  const about = { ...s.user !== undefined && { user: s.user }, ...s.room !== undefined && { room: s.room } };
  if (s.watch) return encodeEnvelope({ kind: s.over ? kinds.unwatch : kinds.watch, ...about });
  if (s.over) return encodeEnvelope({ kind: kinds.leave, ...about });
  return encodeEnvelope({ kind: kinds.join, ...about, ...s.state!.at.epoch !== 0n && { position: s.state!.at } });
}
