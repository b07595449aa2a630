// Messages that wait to be sent, and those that wait for their answer.

import { ClosedError, NoReplyError, TooLargeError, UnknownError } from "./errors.js";
import type { Event } from "./link/out.js";
import type { Link } from "./link/link.js";

/** An answer: the word beside an ACK, or a reply. */
type Answer = { what: number } | { reply: Uint8Array };

interface Job {
  kind: "send" | "request" | "post";
  body: Uint8Array;
  number: bigint; // once it is sent
  signal: AbortSignal | undefined;
  numbered: ((number: bigint) => void) | undefined;
  onAbort: () => void;
  resolve(answer: Answer | undefined): void;
  reject(error: unknown): void;
}

export class Sending {
  private queue: Job[] = []; // not sent yet
  private awaited = new Map<bigint, Job>();
  /** When to try again, since the limits say so. */
  at = Infinity;
  private closed: ClosedError | undefined;

  constructor(private readonly link: Link, private readonly now: () => number, private readonly changed: () => void) {}

  /** How many are not sent yet. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Sends a message as soon as that is possible, and waits for its answer, if it wants one. */
  add(kind: Job["kind"], body: Uint8Array, signal: AbortSignal | undefined, numbered?: (number: bigint) => void): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.closed || signal?.aborted) {
        reject(this.closed ?? signal!.reason);
        return;
      }
      const most = this.link.box.most();
      if (body.length > most) {
        reject(new TooLargeError(body.length, most));
        return;
      }
      const job: Job = {
        kind, body, number: 0n, signal, numbered, resolve, reject,
        onAbort: () => this.abort(job),
      };
      signal?.addEventListener("abort", job.onAbort);
      this.queue.push(job);
      this.changed();
    });
  }

  /** Sends what can be sent now. room tells whether the connection takes more. */
  pump(room: () => boolean): void {
    this.at = Infinity;
    for (let job = this.queue[0]; job && room(); job = this.queue[0]) {
      const now = this.now(), box = this.link.box;
      const result = job.kind === "post" ? box.post(now, job.body) : box.send(now, job.body, job.kind === "request");
      if (result === "paced") this.at = now + box.pace(now, job.body.length);
      if (result === "paced" || result === "full" || result === "not ready") return;
      this.queue.shift();
      if (result === "too large") {
        this.end(job).reject(new TooLargeError(job.body.length, box.most()));
      } else if (result === undefined) {
        this.end(job).resolve(undefined);
      } else {
        job.number = result;
        this.awaited.set(result, job);
        job.numbered?.(result);
      }
    }
  }

  /** Takes what became of messages. */
  settled(e: Event): void {
    switch (e.kind) {
      case "acked":
        for (let n = e.first; n <= e.last; n++) {
          const job = this.take(n);
          if (job?.kind === "request") job.reject(new NoReplyError());
          else job?.resolve({ what: e.what });
        }
        return;
      case "replied":
        this.take(e.number)?.resolve({ reply: e.body.slice() });
        return;
      case "nacked":
        this.take(e.number)?.reject(e.error);
        return;
      case "given_up":
        this.take(e.number)?.reject(new UnknownError(e.error));
    }
  }

  /** The client has ended: nothing is sent, nor answered, any more. */
  close(cause: Error | undefined): void {
    const error = this.closed = new ClosedError(cause);
    for (const job of this.queue.splice(0)) this.end(job).reject(error);
    for (const number of [...this.awaited.keys()]) this.take(number)!.reject(new UnknownError(error));
  }

  private take(number: bigint): Job | undefined {
    const job = this.awaited.get(number);
    this.awaited.delete(number);
    return job && this.end(job);
  }

  private end(job: Job): Job {
    job.signal?.removeEventListener("abort", job.onAbort);
    return job;
  }

  private abort(job: Job): void {
    const i = this.queue.indexOf(job);
    if (i >= 0) {
      this.queue.splice(i, 1);
      this.end(job).reject(job.signal!.reason);
    } else if (this.take(job.number)) {
      this.link.box.giveUp(this.now(), job.number);
      job.reject(new UnknownError(job.signal!.reason));
    }
    this.changed();
  }
}
