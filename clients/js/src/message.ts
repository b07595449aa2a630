// A message of the server's application, and its answer.

import { nackForApplications, nackCodes } from "./codes.js";
import { Refusal } from "./errors.js";
import { asBytes, type Body } from "./body.js";

/** What deliver may return: a word for the server's application, beside the ACK; nothing is 0. */
export type Word = void | number;

/** Answers a message: what a message needs of its client. Each is called once at most. */
export interface Answers {
  ack(what: number): void;
  nack(code: number, reason: string): void;
  reply(body: Uint8Array): Promise<void>;
}

export class Message {
  private answered = false;

  constructor(
    /** Within its connection; 0: it wants no answer. */
    readonly number: bigint,
    /** The bytes, yours. */
    readonly body: Uint8Array,
    /** reply answers it; if the end of deliver does, there is no reply. */
    readonly wantsReply: boolean,
    private readonly answers: Answers,
  ) {}

  /** The body as text. What is not UTF-8 is replaced. */
  get text(): string {
    return new TextDecoder().decode(this.body);
  }

  /**
   * Answers a message that wants a reply, instead of the ACK. It waits as long as the limits of the
   * node demand, and throws an Error if the message wants none, has its answer, or its connection is
   * gone, and a TooLargeError.
   */
  async reply(body: Body): Promise<void> {
    if (!this.wantsReply) throw new Error("the message wants no reply");
    if (this.answered) throw new Error("the message has an answer");
    this.answered = true;
    try {
      await this.answers.reply(asBytes(body));
    } catch (error) {
      this.answered = false;
      throw error;
    }
  }

  /** @internal Hands the message to the application, and answers it by what comes of that. */
  async handle(deliver: ((m: Message) => Word | Promise<Word>) | undefined, failed: (error: unknown) => void): Promise<void> {
    let answer: () => void;
    try {
      if (!deliver) throw new Refusal();
      const what = await deliver(this);
      answer = () => this.answers.ack(typeof what === "number" ? what & 0xff : 0);
    } catch (error) {
      let code: number = nackCodes.internal, reason = "";
      if (error instanceof Refusal) {
        code = nackForApplications(error.code) ? error.code : nackCodes.refused;
        reason = error.reason;
      } else {
        failed(error);
      }
      answer = () => this.answers.nack(code, reason);
    }
    if (this.answered) return; // the link answers no number 0
    this.answered = true;
    answer();
  }
}
