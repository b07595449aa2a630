/**
 * A user's device at a node that carries messages (serve --messages): what travels in bodies, as docs/MESSAGING.md has it.
 *
 *     const talk = new Talk({ client: { endpoints: ["wss://edge.example/"], id: "alice/phone" }, message: (m) => show(m.from, m.text) });
 *     talk.start();
 *     await talk.send("bob", "hi"); // { state: "delivered", ... }
 */
export { Talk, type Outcome, type Page, type SendToUser } from "./talk.js";
export type { TalkConfig, UserMessage, Publication, Joined, Receipt, Presence, Why } from "./config.js";
export { encodeEnvelope, kinds, parseEnvelope, questions, UnknownKindError, type Envelope, type MessageId, type Position } from "./envelope.js";
export { envelopeCodes } from "./codes.js";
