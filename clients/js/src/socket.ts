// One connection of a client: a WebSocket, and the bytes on it.

import type { Flow } from "./link/flow.js";

/** The subprotocol that a node speaks. */
export const subprotocol = "stormwheel.1";

/** What a client needs of a WebSocket: the browser's, Node's, or that of npm's ws. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketClass = new (url: string, protocols: string) => WebSocketLike;

/** What happens on a connection. Nothing is called after hangUp. */
export interface SocketEvents {
  opened(): void;
  /** Takes bytes, as a link does. */
  received(b: Uint8Array): { consumed: number; need: number };
  /** The connection has ended, or was never there. code is that of the close frame. */
  closed(code: number): void;
}

const closing = 2; // readyState
const notUnderstood = 1003;

export class Socket {
  private ws: WebSocketLike;
  private buffer = new Uint8Array(0); // it grows to the largest frame that came in pieces
  private filled = 0; // of it: a frame whose end is missing
  private need = 1; // so many bytes must be there
  private written = 0;

  /** Begins to connect. Throws for an address that this page may not connect to. */
  constructor(make: WebSocketClass, url: string, private events: SocketEvents | undefined) {
    this.ws = new make(url, subprotocol);
    this.ws.binaryType = "arraybuffer";
    this.ws.onopen = () => this.events?.opened();
    this.ws.onmessage = (e: { data: unknown }) => this.message(e.data);
    this.ws.onclose = (e: { code: number }) => this.events?.closed(e.code);
    this.ws.onerror = () => {}; // close follows
  }

  private message(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) {
      const events = this.events;
      this.hangUp();
      events?.closed(notUnderstood);
      return;
    }
    let b = new Uint8Array(data);
    if (this.filled > 0) b = this.keep(b);
    while (this.events && b.length >= this.need) {
      const { consumed, need } = this.events.received(b);
      b = b.subarray(consumed);
      this.need = need;
    }
    this.filled = 0;
    if (b.length > 0) this.keep(b);
  }

  // Appends to what is there, and returns all of it. The buffer doubles, so that a frame that comes
  // byte by byte costs no more than its length.
  private keep(b: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const n = this.filled + b.length;
    if (n > this.buffer.length) {
      const larger = new Uint8Array(Math.max(n, 2 * this.buffer.length));
      larger.set(this.buffer.subarray(0, this.filled));
      this.buffer = larger;
    }
    this.buffer.set(b, this.filled);
    this.filled = n;
    return this.buffer.subarray(0, n);
  }

  write(b: Uint8Array): void {
    if (this.ws.readyState >= closing) return; // closed comes
    this.written += b.length;
    this.ws.send(b);
  }

  /** What was written and has not left this machine, in bytes. */
  get queued(): number {
    return this.ws.bufferedAmount;
  }

  get flow(): Flow {
    const untaken = this.queued;
    return { untaken, taken: Math.max(this.written - untaken, 1), partial: this.filled };
  }

  /** Closes it once what was written has left. */
  hangUp(): void {
    this.events = undefined;
    try {
      this.ws.close(1000);
    } catch {
      // it was never open
    }
  }
}
