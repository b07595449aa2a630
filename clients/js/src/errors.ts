// What becomes of what an application asks for, if it does not go well.

export { CodeError, RefusedError } from "./link/out.js";

/** The client has ended, or ended before the message was sent. cause says why, unless stop() was called. */
export class ClosedError extends Error {
  override name = "ClosedError";
  constructor(cause?: Error) {
    super(cause ? `the client has ended: ${cause.message}` : "the client has ended", { cause });
  }
}

/** The message was written, and may have arrived or not. cause says what ended the wait. */
export class UnknownError extends Error {
  override name = "UnknownError";
  constructor(cause: unknown) {
    super(`the message may have arrived or not: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The message is larger than the node, or maxPayload, allows. Nothing was sent. */
export class TooLargeError extends Error {
  override name = "TooLargeError";
  constructor(size: number, most: number) {
    super(`message of ${size} bytes, ${most} are allowed`);
  }
}

/** The request was dealt with, and there is no reply: it was acknowledged only, or the reply was lost. */
export class NoReplyError extends Error {
  override name = "NoReplyError";
  constructor() {
    super("the request was dealt with, and there is no reply");
  }
}

/** Thrown by deliver: refuses the message. From 1 to 99 the code says that it may be taken another time. */
export class Refusal extends Error {
  override name = "Refusal";
  constructor(readonly code: number = 100, readonly reason = "") {
    super(`message is refused: code ${code}`);
  }
}
