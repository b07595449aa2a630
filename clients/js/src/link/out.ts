// What a link asks its owner for, and what it tells.

import { codeName } from "../codes.js";
import type { GoAway, Terms } from "../messages.js";

/** What a link is doing. */
export type State = "idle" | "connecting" | "handshaking" | "ready" | "backing off" | "stopped";

/** One thing for the owner to do. */
export type Action =
  /** One connection to addr, "host:port"; answer with connected or disconnected of the attempt. */
  | { do: "dial"; attempt: number; addr: string }
  /** Send bytes, one or more whole frames, on the attempt's connection. */
  | { do: "write"; attempt: number; bytes: Uint8Array }
  /** Close the attempt's connection, or give its dial up, once what was written has left. */
  | { do: "close"; attempt: number }
  /** Something happened. */
  | { do: "tell"; event: Event };

/** What happened. Times are milliseconds since the owner's origin. */
export type Event =
  | { kind: "ready" | "moved"; attempt: number; session: string; node: string; terms: Terms }
  | { kind: "ping"; attempt: number; intended: number }
  | { kind: "pong"; attempt: number; rtt: number }
  | { kind: "lost"; attempt: number; wasReady: boolean; reason: LossReason; error: Error }
  | { kind: "gone_away"; attempt: number; wasReady: boolean; code: number; delay: number; window: number; error: CodeError }
  | { kind: "delivered"; attempt: number; number: bigint; wantsReply: boolean; body: Uint8Array }
  | { kind: "acked"; attempt: number; first: bigint; last: bigint; what: number }
  | { kind: "nacked"; attempt: number; number: bigint; body: Uint8Array; error: RefusedError }
  | { kind: "replied"; attempt: number; number: bigint; body: Uint8Array }
  | { kind: "given_up"; attempt: number; number: bigint; body: Uint8Array; error: Error }
  | { kind: "retry_at"; at: number }
  | { kind: "stopped"; error: Error | undefined }
  | { kind: "draining"; attempt: number; code: number; delay: number; window: number }
  | { kind: "termed"; attempt: number; terms: Terms }
  | { kind: "limited"; attempt: number }
  | { kind: "expiring"; attempt: number; at: number };

/** How an attempt or a session ended without a code from the server. */
export type LossReason =
  | "connect_failed" | "connect_timeout" | "welcome_timeout" | "pong_timeout" | "closed" | "malformed";

/** What an error is about: whoever answers for the node, or this machine, wherever it led. */
export type Fault = "peer" | "host";

/** How a connection ended. */
export interface Loss {
  reason: LossReason;
  error: Error;
  fault: Fault;
  ended?: boolean; // the owner knows: nothing is left to close
  goAway?: GoAway;
  noticedOver?: number; // the time over which the clients of one dead node notice it
}

/** The GOAWAY of a node. The reason is its words, not to be trusted. */
export class CodeError extends Error {
  override name = "CodeError";
  constructor(readonly code: number, readonly reason: string) {
    super(`server says ${codeName(code)} (${code})${reason && `: ${JSON.stringify(reason)}`}`);
  }
}

/** The NACK of a node's application: it does not take the message. */
export class RefusedError extends Error {
  override name = "RefusedError";
  constructor(readonly code: number, readonly reason: string) {
    super(`message is refused: code ${code}${reason && `: ${JSON.stringify(reason)}`}`);
  }

  /** Whether the same message may be taken another time. */
  get again(): boolean {
    return this.code >= 1 && this.code <= 99;
  }
}
