// What was told of devices.

import type { Presence } from "./config.js";
import type { Envelope } from "./envelope.js";

const most = 16384; // devices of which is remembered what was told

interface Sight {
  user: string;
  device: string;
  room: string;
  stamp: bigint;
  online: boolean;
  session: string; // in which it was told: in another, stamps count anew
}

export class Sights {
  /** The present session, or the latest. */
  session = "";
  private readonly told = new Map<string, Sight>();

  constructor(private readonly tell: (p: Presence) => void) {}

  /** Drops what is older than what was told of the device. */
  presence(e: Envelope): void {
    const room = e.room ?? "", key = `${e.device}\0${room}`, before = this.told.get(key);
    if (before?.session === this.session && e.stamp! < before.stamp) return;
    if (this.told.size >= most) this.told.clear();
    const online = e.state === 1;
    this.told.set(key, { user: e.user!, device: e.device!, room, stamp: e.stamp!, online, session: this.session });
    this.tell({
      user: e.user!, device: e.device!, online, devices: Number(e.count ?? 0n), room,
      at: e.taken === undefined ? undefined : new Date(e.taken),
    });
  }

  /** The node has told of a user all that is online: what was so in an earlier session, and was not told, has gone. */
  allTold(user: string): void {
    const gone: Sight[] = [];
    for (const s of this.told.values()) {
      if (s.user !== user || s.room !== "" || !s.online || s.session === this.session) continue;
      s.online = false;
      s.session = this.session;
      gone.push(s);
    }
    gone.sort((a, b) => a.device < b.device ? -1 : 1);
    for (const s of gone) this.tell({ user, device: s.device, online: false, devices: 0, room: "", at: undefined });
  }

  /** Forgets a user that is not watched any more. */
  forget(user: string): void {
    for (const [key, s] of this.told) {
      if (s.user === user && s.room === "") this.told.delete(key);
    }
  }
}
