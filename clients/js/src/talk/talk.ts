// One user's device: the client's half of docs/MESSAGING.md.

import { asBytes, type Body } from "../body.js";
import { Client, type SendOptions } from "../client.js";
import { Refusal } from "../errors.js";
import { WireError } from "../frame.js";
import type { Message, Word } from "../message.js";
import { envelopeCodes } from "./codes.js";
import type { TalkConfig, UserMessage } from "./config.js";
import { encodeEnvelope, kinds, namesOf, parseEnvelope, questions, UnknownKindError, type Envelope, type MessageId, type Position } from "./envelope.js";
import { keyOf, Memory } from "./memory.js";
import { Sights } from "./sights.js";
import { Wishes, type Wish } from "./wishes.js";

/** What became of a message: a room has taken it; a device has it; it is on the node's disk; or in its memory, without a promise. */
export interface Outcome {
  state: "taken" | "delivered" | "durable" | "held";
  /** Receipts name it so. */
  id: MessageId;
}

/** Options of a message to a user. */
export interface SendToUser extends SendOptions {
  /** Deliver it then. */
  at?: Date;
  /** How long it is worth delivering, ms. Default: as long as the node keeps it. */
  life?: number;
}

/** A part of the answer to a question. */
export interface Page {
  names: string[];
  after: string; // ask again with it; empty: this was the last
  count: number; // how many there are in all
}

const states = ["taken", "delivered", "durable", "held"] as const;

/** A user's device. */
export class Talk {
  /** What it connects by, for info and networkChanged. */
  readonly client: Client;
  private readonly wishes: Wishes;
  private readonly sights: Sights;
  private readonly known = new Memory<Refusal | undefined>(() => performance.now());
  private readonly heard = new Memory<true>(() => performance.now());
  private readonly works = new Map<string, Promise<void>>(); // of messages that the application has not dealt with
  private readonly since = Date.now();

  /** Checks the configuration, as Client does. It does nothing before start. */
  constructor(private readonly cfg: TalkConfig) {
    const { changed } = cfg.client;
    this.client = new Client({
      ...cfg.client,
      deliver: (m) => this.deliver(m),
      changed: (info) => {
        const session = info.state === "ready" ? `${info.node} ${info.session}` : "";
        this.sights.session = session || this.sights.session;
        this.wishes.inSession(session);
        changed?.(info);
      },
    });
    this.sights = new Sights((p) => cfg.presence?.(p));
    this.wishes = new Wishes((body) => this.client.send(body), (w, why) => {
      const told = { code: why.code, reason: why.reason };
      if (!w.watch) cfg.left?.(w.room!, told);
      else cfg.unwatched?.({ ...w.user !== undefined && { user: w.user }, ...w.room !== undefined && { room: w.room } }, told);
    }, (user) => this.sights.allTold(user));
  }

  /** As Client.start. */
  start(): void {
    this.client.start();
  }

  /** As Client.stop. */
  stop(): void {
    this.wishes.stop();
    this.client.stop();
  }

  /** As Client.done. */
  get done(): Promise<void> {
    return this.client.done;
  }

  /** As Client.ready. */
  ready(): Promise<void> {
    return this.client.ready();
  }

  /**
   * Sends a message to a user, and waits for what becomes of it. Rejected as Client.send is; a RefusedError has the code,
   * see envelopeCodes.
   */
  async send(user: string, content: Body, options: SendToUser = {}): Promise<Outcome> {
    return this.say({
      kind: kinds.toUser, user, time: Date.now(), content: asBytes(content),
      ...options.at && { at: options.at.getTime() }, ...options.life !== undefined && { life: options.life },
    }, options);
  }

  /** Sends a message to a room. Who is in it hears it, this device too. */
  async publish(room: string, content: Body, options: SendOptions = {}): Promise<Outcome> {
    return this.say({ kind: kinds.toRoom, room, time: Date.now(), content: asBytes(content) }, options);
  }

  /** Joins a room, now and in every session to come, until leave; at goes on where an earlier Talk had heard up to. */
  join(room: string, at?: Position): void {
    this.wishes.want({ watch: false, room }, at);
  }

  /** Leaves a room. Nothing of it is told any more. */
  leave(room: string): void {
    this.wishes.unwant({ watch: false, room });
  }

  /** Up to where a room was heard; undefined: it is not joined, or was not yet. */
  position(room: string): Position | undefined {
    const at = this.wishes.room(room)?.at;
    return at?.epoch ? at : undefined;
  }

  /** Has it told, in every session to come, which devices of a user are online, and who comes and goes. */
  watch(user: string): void {
    this.wishes.want({ watch: true, user });
  }

  /** Ends watch. */
  unwatch(user: string): void {
    this.wishes.unwant({ watch: true, user });
    this.sights.forget(user);
  }

  /** Has it told who comes to a room and goes from it. Who is there already, members tells. */
  watchRoom(room: string): void {
    this.wishes.want({ watch: true, room });
  }

  /** Ends watchRoom. */
  unwatchRoom(room: string): void {
    this.wishes.unwant({ watch: true, room });
  }

  /** Asks who is online, of those whose names begin so, from behind a name on; limit 0: as the node likes. */
  online(prefix = "", after = "", limit = 0, options: SendOptions = {}): Promise<Page> {
    return this.ask({ kind: kinds.ask, question: questions.online, prefix, after, limit }, options);
  }

  /** Asks who is in a room. */
  members(room: string, after = "", limit = 0, options: SendOptions = {}): Promise<Page> {
    return this.ask({ kind: kinds.ask, question: questions.members, room, after, limit }, options);
  }

  /** Asks for the client ids under which a user is online. */
  devices(user: string, after = "", limit = 0, options: SendOptions = {}): Promise<Page> {
    return this.ask({ kind: kinds.ask, question: questions.devices, user, after, limit }, options);
  }

  private async say(e: Envelope, options: SendOptions): Promise<Outcome> {
    let number = 0n;
    const word = await this.client.send(encodeEnvelope(e), {
      ...options,
      numbered: (n) => {
        number = n;
        options.numbered?.(n);
      },
    });
    return { state: states[word] ?? "taken", id: { sender: this.client.id, incarnation: this.client.incarnation, number } };
  }

  private async ask(e: Envelope, options: SendOptions): Promise<Page> {
    const page = parseEnvelope(await this.client.request(encodeEnvelope(e), options));
    if (page.kind !== kinds.page) throw new WireError("the node has not answered with a page");
    return { names: namesOf(page.content!), after: page.after ?? "", count: Number(page.count ?? 0n) };
  }

  // Takes what the node says. What this version does not know is acknowledged and ignored.
  private deliver(m: Message): Word | Promise<Word> {
    let e: Envelope;
    try {
      e = parseEnvelope(m.body);
    } catch (error) {
      if (error instanceof UnknownKindError) return;
      throw new Refusal(envelopeCodes.malformed);
    }
    switch (e.kind) {
      case kinds.message:
        return this.message(e);
      case kinds.publication:
        return this.publication(e);
      case kinds.joined:
        return this.joined(e);
      case kinds.gap:
        if (this.wishes.room(e.room!)?.ahead(e.position!)) this.wishes.rejoin(e.room!);
        return;
      case kinds.left:
        return this.wishes.end({ watch: false, room: e.room! } satisfies Wish, { code: e.code ?? 0, reason: e.reason ?? "" });
      case kinds.receipt:
        return this.cfg.receipt?.({
          id: e.id!, to: e.user ?? "", state: (["unknown", "delivered", "refused", "expired"] as const)[e.state!] ?? "unknown",
          code: e.code ?? 0, reason: e.reason ?? "", at: dateOf(e.taken),
        });
      case kinds.presence:
        return this.sights.presence(e);
      default:
        throw new Refusal(envelopeCodes.malformed, "a node does not send that");
    }
  }

  // A copy of what was dealt with is answered as that was, and one of what the application deals with when it has.
  private message(e: Envelope): Promise<void> {
    const key = keyOf(e.id!), known = this.known.find(e.id!);
    if (known) return known.what ? Promise.reject(known.what) : Promise.resolve();
    const under = this.works.get(key);
    if (under) return under;
    const work = this.deal(e).finally(() => this.works.delete(key));
    this.works.set(key, work);
    return work;
  }

  private async deal(e: Envelope): Promise<void> {
    try {
      if (!this.cfg.message) throw new Refusal();
      await this.cfg.message({ ...contentOf(e), possiblyKnown: e.possiblyKnown === true || e.taken! < this.since });
    } catch (error) {
      if (error instanceof Refusal) this.known.add(e.id!, error);
      throw error;
    }
    this.known.add(e.id!, undefined);
  }

  private publication(e: Envelope): void {
    const room = this.wishes.room(e.room!), what = room?.publication(e.position!);
    if (what === "rejoin") this.wishes.rejoin(e.room!);
    if (what !== "show") return;
    const again = this.heard.find(e.id!); // it was sent to the room again, which did not know it any more
    this.heard.add(e.id!, true);
    if (!again) this.cfg.publication?.({ ...contentOf(e), room: e.room!, position: e.position! });
  }

  private joined(e: Envelope): void {
    const room = this.wishes.room(e.room!);
    if (!room) return;
    const from = room.joined(e);
    this.wishes.granted(e.room!);
    if (from) this.cfg.missed?.(e.room!, from, room.at);
    const state = (["unknown", "fresh", "recovered", "missed"] as const)[e.state!] ?? "unknown";
    this.cfg.joined?.({ room: e.room!, state, members: Number(e.count ?? 0n) });
  }
}

function contentOf(e: Envelope): Omit<UserMessage, "possiblyKnown"> {
  const content = e.content!.slice();
  return {
    id: e.id!, from: e.user ?? e.id!.sender.split("/", 1)[0]!, sent: dateOf(e.time), taken: new Date(e.taken!), content,
    get text() { return new TextDecoder().decode(content); },
  };
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
