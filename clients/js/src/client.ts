// The client: a link, and what it needs of the world.

import { asBytes, type Body } from "./body.js";
import { ClosedError, TooLargeError } from "./errors.js";
import { encodeGoAway } from "./messages.js";
import { Message } from "./message.js";
import { fill, type Config } from "./config.js";
import { Link } from "./link/link.js";
import type { Action, Event } from "./link/out.js";
import { infoOf, type Info } from "./info.js";
import { Sending } from "./sending.js";
import { Socket } from "./socket.js";
import { offline, SleepWatch, watchSurroundings } from "./surroundings.js";
import { Timer } from "./timer.js";

/** Options of what is sent. */
export interface SendOptions {
  /** Ends the wait, for the message to be sent and for its answer. */
  signal?: AbortSignal;
  /** Of send and request: is told the message's number as it is sent, which with id and incarnation names it. It must not throw. */
  numbered?: (number: bigint) => void;
}

interface Conn {
  address: string;
  socket: Socket | undefined; // undefined while the token is waited for
  over: AbortController; // aborted at its end
}

const lookAgain = 50; // ms: while more waits to leave than maxQueued

/** Keeps one session with a Stormwheel edge. */
export class Client {
  /** Who the client is. */
  readonly id: string;
  /** Which life of the client this is: a number that no other has. */
  readonly incarnation: bigint;
  private readonly cfg;
  private readonly way;
  private readonly link: Link;
  private readonly conns = new Map<number, Conn>();
  private readonly sending: Sending;
  private readonly timer = new Timer(() => this.tick());
  private readonly sleep = new SleepWatch();
  private unwatch = (): void => {};
  private told = "idle";
  private warned = false; // that a node sends more than we take
  private busy = false; // in act
  private crowded = false; // a message waits for others to leave
  private readonly end: Promise<void>;
  private ended!: (error: Error | undefined) => void;
  private waiting: (() => void)[] = []; // for ready

  /** Checks the configuration; throws an Error that names the field. It does nothing before start. */
  constructor(config: Config) {
    const { cfg, way, linkConfig } = fill(config);
    this.cfg = cfg;
    this.way = way;
    this.id = linkConfig.id;
    this.incarnation = linkConfig.incarnation;
    this.link = new Link(linkConfig, Math.random);
    this.sending = new Sending(this.link, () => this.now, () => this.act());
    this.end = new Promise((resolve, reject) => {
      this.ended = (error) => error ? reject(error) : resolve();
    });
    this.end.catch(() => {}); // who wants to know asks done
  }

  /** Connects, and stays connected until stop, or until a node ends the client for good. Once. */
  start(): void {
    if (this.link.state !== "idle") throw new Error("the client was started before");
    this.unwatch = watchSurroundings(() => this.networkChanged());
    this.link.start(this.now);
    this.act();
  }

  /**
   * Says BYE and ends the client for good. What was sent before goes out ahead of BYE, and its
   * answers are not waited for. It may be repeated.
   */
  stop(): void {
    this.link.stop();
    this.act();
  }

  /**
   * Fulfilled when the client has ended by stop, and rejected with a CodeError when a node has
   * ended it: another has its id, its application says never, or its token is not taken any more.
   * What was written last, BYE among it, may still be leaving then: a process that exits at once cuts it.
   */
  get done(): Promise<void> {
    return this.end;
  }

  /** Waits for a session. Rejected when the client ends before there is one. */
  async ready(): Promise<void> {
    while (this.link.state !== "ready") {
      if (this.link.state === "stopped") throw new ClosedError(this.link.info().lastError);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /**
   * Sends a message and waits until the node's application has it; returns the word beside its ACK,
   * usually 0. It waits for a session, for its turn, and for the limits that the node told. What has
   * no answer when a connection is lost goes again over the next, so the application may see it twice.
   *
   * Rejected with a RefusedError if the application does not take it, a TooLargeError, or the
   * signal's reason, a ClosedError where nothing was sent, and an UnknownError where it may have
   * arrived.
   */
  async send(body: Body, options: SendOptions = {}): Promise<number> {
    const answer = await this.sending.add("send", asBytes(body), options.signal, options.numbered);
    return answer && "what" in answer ? answer.what : 0;
  }

  /** Sends a message that wants a reply, and returns that. Otherwise as send, and a NoReplyError. */
  async request(body: Body, options: SendOptions = {}): Promise<Uint8Array> {
    const answer = await this.sending.add("request", asBytes(body), options.signal, options.numbered);
    return (answer as { reply: Uint8Array }).reply;
  }

  /** Sends a message that wants no answer. Fulfilled when it is written; it is lost with its connection. */
  async post(body: Body, options: SendOptions = {}): Promise<void> {
    await this.sending.add("post", asBytes(body), options.signal);
  }

  /** What was sent and has not left this machine's queues yet, in bytes. That it left is not that it arrived. */
  get bufferedAmount(): number {
    let n = 0;
    for (const c of this.conns.values()) n += c.socket?.queued ?? 0;
    return n;
  }

  /** Tells how the client is. */
  info(): Info {
    return infoOf(this.link.info(), this.sending.waiting, this.bufferedAmount, this.way, Date.now() - this.now);
  }

  /** The bodies of what was sent and nobody has settled, in order: after the end, what may not have arrived. */
  unsettled(): Uint8Array[] {
    return this.link.unsettled().map((m) => m.body.slice());
  }

  /**
   * Tells that the path to the node may be another one now. A session is asked at once, and has a
   * second to answer; a wait is cut to a second. In a page the client notices that itself.
   */
  networkChanged(): void {
    this.link.networkChanged(this.now);
    this.act();
  }

  // The link takes times as positive.
  private get now(): number {
    return performance.now() + 1000;
  }

  private tick(): void {
    if (this.sleep.slept()) this.link.networkChanged(this.now);
    this.act();
  }

  // Does what is due and what the link asks for, sends what can be sent, and sets the timer. It
  // follows every call of the link.
  private act(): void {
    if (this.busy) return; // the loop below goes on
    this.busy = true;
    for (let actions = this.link.take(); ; actions = this.link.take()) {
      for (const a of actions) this.carryOut(a);
      const now = this.now;
      if (this.link.deadline <= now) {
        for (const [attempt, c] of this.conns) {
          if (c.socket && this.link.asks(now, attempt)) this.link.flow(now, attempt, c.socket.flow);
        }
        this.link.tick(now);
      } else if (actions.length === 0) {
        this.tellFlow(now);
        this.crowded = false;
        this.sending.pump(() => this.hasRoom());
        actions = this.link.take();
        if (actions.length === 0) break;
        for (const a of actions) this.carryOut(a);
      }
    }
    this.busy = false;
    this.tellState();
    const due = Math.min(this.link.deadline, this.sending.at, this.crowded ? this.now + lookAgain : Infinity);
    if (this.link.state !== "stopped") this.timer.set(Math.max(due - this.now, 0));
  }

  // The limits count what has left.
  private tellFlow(now: number): void {
    const c = this.conns.get(this.link.attempt);
    if (c?.socket && this.link.state === "ready") this.link.flow(now, this.link.attempt, c.socket.flow);
  }

  private hasRoom(): boolean {
    const c = this.conns.get(this.link.attempt);
    this.crowded = (c?.socket?.queued ?? 0) > this.cfg.maxQueued;
    return !this.crowded;
  }

  private carryOut(a: Action): void {
    const c = this.conns.get(a.do === "tell" ? 0 : a.attempt);
    switch (a.do) {
      case "dial":
        void this.dial(a.attempt, a.addr);
        break;
      case "write":
        c?.socket?.write(a.bytes);
        break;
      case "close":
        this.conns.delete(a.attempt);
        c?.over.abort();
        c?.socket?.hangUp();
        break;
      case "tell":
        this.heard(a.event);
    }
  }

  private async dial(attempt: number, address: string): Promise<void> {
    const c: Conn = { address, socket: undefined, over: new AbortController() };
    this.conns.set(attempt, c);
    let token: Uint8Array, resolved = false;
    try {
      token = await this.cfg.askToken(c.over.signal, this.link.info().connectTimeout * 0.9);
      if (this.conns.get(attempt) !== c) return;
      resolved = true;
      this.link.resolved(this.now, attempt);
      c.socket = new Socket(this.cfg.webSocket, this.way.url(address), {
        opened: () => {
          this.link.connected(this.now, attempt, token);
          this.act();
        },
        received: (b) => {
          const result = this.link.received(this.now, attempt, b);
          this.act();
          return result;
        },
        closed: (code) => this.closed(attempt, code),
      });
      this.act();
    } catch (error) {
      if (this.conns.get(attempt) !== c) return;
      this.conns.delete(attempt);
      // What the token costs is nobody else's; an address that no page may come to is to be avoided.
      this.link.disconnected(this.now, attempt, error as Error, resolved ? "peer" : "host");
      this.act();
    }
  }

  private closed(attempt: number, code: number): void {
    if (code >= 4000 && code <= 4999) { // says what the GOAWAY of 1000 less says, if that was lost
      this.link.received(this.now, attempt, encodeGoAway(code - 1000));
      this.act();
    }
    this.conns.get(attempt)?.over.abort();
    this.conns.delete(attempt);
    const error = new Error(`the connection was closed (${code})`);
    this.link.disconnected(this.now, attempt, error, offline() ? "host" : "peer");
    this.act();
  }

  private heard(e: Event): void {
    switch (e.kind) {
      case "delivered":
        void this.deliver(e);
        break;
      case "expiring":
        void this.renew(e.attempt);
        break;
      case "stopped":
        this.unwatch();
        this.timer.end();
        this.sending.close(e.error);
        this.ended(e.error);
        break;
      default:
        this.sending.settled(e);
    }
  }

  private async deliver(e: Event & { kind: "delivered" }): Promise<void> {
    const { attempt, number } = e;
    const m = new Message(number, e.body.slice(), e.wantsReply, {
      ack: (what) => this.link.ack(this.now, attempt, { first: number, last: number, what }),
      nack: (code, reason) => this.nack(attempt, number, code, reason),
      reply: (body) => this.reply(attempt, number, body),
    });
    await m.handle(this.cfg.deliver, (error) => this.cfg.failed(error));
    this.act();
  }

  private nack(attempt: number, number: bigint, code: number, reason: string): void {
    try {
      this.link.nack(this.now, attempt, { number, code, reason });
    } catch { // it must not be acknowledged for its reason
      this.link.nack(this.now, attempt, { number, code, reason: "" });
    }
  }

  private async reply(attempt: number, to: bigint, body: Uint8Array): Promise<void> {
    const box = this.link.box;
    for (;;) {
      if (!this.link.answerable(attempt)) throw new Error("the message's connection is gone");
      if (body.length > box.mostReply) throw new TooLargeError(body.length, box.mostReply);
      const wait = box.replyPace(this.now, attempt, body.length);
      if (wait === 0) break;
      await new Promise((resolve) => setTimeout(resolve, wait));
      this.tellFlow(this.now);
    }
    box.reply(this.now, attempt, to, body);
    this.act();
  }

  private async renew(attempt: number): Promise<void> {
    const c = this.conns.get(attempt);
    if (!c) return;
    try {
      const token = await this.cfg.askToken(c.over.signal, this.link.info().connectTimeout * 0.9);
      this.link.renew(this.now, attempt, token);
      this.act();
    } catch (error) {
      if (this.conns.get(attempt) === c) this.cfg.failed(error); // the link asks again
    }
  }

  private tellState(): void {
    const { state, session, maxDeliver } = this.link.info();
    if (maxDeliver > this.cfg.maxPayload && !this.warned) {
      this.warned = true;
      this.cfg.warned(`the node sends payloads of up to ${maxDeliver} bytes, and maxPayload takes ${this.cfg.maxPayload}`);
    }
    if (this.told === state + session) return;
    this.told = state + session;
    for (const resolve of this.waiting.splice(0)) resolve();
    try {
      this.cfg.changed?.(this.info());
    } catch (error) {
      this.cfg.failed(error);
    }
  }
}
