// What a Talk is told, and what it tells.

import type { Config } from "../config.js";
import type { MessageId, Position } from "./envelope.js";

/** Describes a Talk. Any function may be left out. */
export interface TalkConfig {
  /** How to connect: "alice/phone" is a device of alice. */
  client: Omit<Config, "deliver">;

  /**
   * Takes a message for this user, once. Its end acknowledges it; a Refusal that it throws refuses it for good, and its
   * sender is told; what else it throws has it come again. Default: every message is refused.
   */
  message?: (m: UserMessage) => void | Promise<void>;
  /** Takes what a joined room says, once, in the order of the room. */
  publication?: (p: Publication) => void;
  /** A room was joined: the first time, and in every new session. */
  joined?: (j: Joined) => void;
  /** A room said something between two positions that is gone; where their epochs differ nobody knows how much. */
  missed?: (room: string, from: Position, to: Position) => void;
  /** A room is no longer joined, and nobody called leave: the node refused it, or put its member out. */
  left?: (room: string, why: Why) => void;
  /** What became later of a message that was durable, or held. */
  receipt?: (r: Receipt) => void;
  /** Who comes and goes, of those that are watched. */
  presence?: (p: Presence) => void;
  /** The node refuses a watch. It is not asked again. */
  unwatched?: (watched: { user?: string; room?: string }, why: Why) => void;
}

/** Why a node refused something. The reason is the node's, and not to be trusted. */
export interface Why {
  code: number;
  reason: string;
}

/** A message for this user. Times are those of the sender's clock and of the node's. */
export interface UserMessage {
  id: MessageId;
  from: string;
  sent: Date | undefined;
  taken: Date;
  content: Uint8Array;
  /** The content as text. What is not UTF-8 is replaced. */
  text: string;
  /** It may have come to this device before this Talk: an application that keeps messages looks whether it has it. */
  possiblyKnown: boolean;
}

/** What a room says. */
export interface Publication extends Omit<UserMessage, "possiblyKnown"> {
  room: string;
  position: Position;
}

/** A room was joined. */
export interface Joined {
  room: string;
  state: "fresh" | "recovered" | "missed" | "unknown";
  members: number; // 0: the node does not say
}

/** What became of a message that was durable, or held. */
export interface Receipt extends Why {
  id: MessageId;
  to: string; // empty: the node does not say
  state: "delivered" | "refused" | "expired" | "unknown";
  at: Date | undefined; // by the node's clock
}

/** A device that came or went. */
export interface Presence {
  user: string;
  device: string;
  online: boolean;
  devices: number; // of the user that are online; 0: the node does not say
  room: string; // in which it is watched; empty: for itself
  at: Date | undefined; // by the node's clock; undefined: it went while there was no session
}
