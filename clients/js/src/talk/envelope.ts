// The bodies of SEND and DELIVER at a node with --messages, as docs/MESSAGING.md has them.

import { WireError } from "../frame.js";
import { join, text } from "../tlv.js";

/** Kinds of bodies. */
export const kinds = {
  toUser: 1, toRoom: 2, join: 3, leave: 4, watch: 5, unwatch: 6, ask: 7,
  message: 16, publication: 17, receipt: 18, joined: 19, gap: 20, presence: 21, page: 22, left: 23,
} as const;

/** Names a message for ever: the sender's client id, its incarnation, and the number of its SEND. */
export interface MessageId {
  sender: string;
  incarnation: bigint;
  number: bigint;
}

/** A place in what a room says. */
export interface Position {
  epoch: bigint;
  offset: bigint;
}

/** One body. Times and lives are milliseconds. What a kind does not have is not looked at. */
export interface Envelope {
  kind: number;
  /** The message may have come long ago. */
  possiblyKnown?: boolean;
  user?: string;
  room?: string;
  id?: MessageId;
  position?: Position;
  time?: number;
  taken?: number;
  at?: number;
  life?: number;
  state?: number;
  code?: number;
  reason?: string;
  device?: string;
  stamp?: bigint;
  question?: number;
  prefix?: string;
  after?: string;
  limit?: number;
  count?: bigint;
  content?: Uint8Array;
}

/** A kind that this version does not know: it is to be acknowledged, and ignored. */
export class UnknownKindError extends WireError {
  override name = "UnknownKindError";
}

type Field = Exclude<keyof Envelope, "kind" | "possiblyKnown" | "content">;

// The fields in the order of their types, 1 to 18.
const fields: readonly Field[] = ["user", "room", "id", "position", "time", "taken", "at", "life", "state", "code", "reason",
  "device", "stamp", "question", "prefix", "after", "limit", "count"];

interface Rule {
  name: string;
  must: readonly Field[];
  may: readonly Field[];
  content?: boolean;
}

const rules: Record<number, Rule> = {
  [kinds.toUser]: { name: "to user", must: ["user"], may: ["time", "at", "life"], content: true },
  [kinds.toRoom]: { name: "to room", must: ["room"], may: ["time"], content: true },
  [kinds.join]: { name: "join", must: ["room"], may: ["position"] },
  [kinds.leave]: { name: "leave", must: ["room"], may: [] },
  [kinds.watch]: { name: "watch", must: [], may: ["user", "room"] },
  [kinds.unwatch]: { name: "unwatch", must: [], may: ["user", "room"] },
  [kinds.ask]: { name: "ask", must: ["question"], may: ["user", "room", "prefix", "after", "limit"] },
  [kinds.message]: { name: "message", must: ["id", "taken"], may: ["user", "time"], content: true },
  [kinds.publication]: { name: "publication", must: ["room", "id", "position", "taken"], may: ["user", "time"], content: true },
  [kinds.receipt]: { name: "receipt", must: ["id", "state"], may: ["user", "taken", "code", "reason"] },
  [kinds.joined]: { name: "joined", must: ["room", "position", "state"], may: ["count"] },
  [kinds.gap]: { name: "gap", must: ["room", "position"], may: [] },
  [kinds.presence]: { name: "presence", must: ["user", "state", "device", "stamp"], may: ["room", "taken", "count"] },
  [kinds.page]: { name: "page", must: [], may: ["after", "count"], content: true },
  [kinds.left]: { name: "left", must: ["room"], may: ["code", "reason"] },
};

const version = 1, headerLength = 5, mostMillis = 100_000_000_000_000;
const none = new Uint8Array(0);
const utf8 = new TextEncoder();

/** Makes a body. Throws a WireError for what no node would take. */
export function encodeEnvelope(e: Envelope): Uint8Array {
  const rule = rules[e.kind];
  if (!rule) throw new UnknownKindError(`unknown kind: ${e.kind}`);
  const parts: Uint8Array[] = [none];
  fields.forEach((field, i) => {
    if (e[field] === undefined || e[field] === "" || !rule.must.includes(field) && !rule.may.includes(field)) return;
    const value = encodeField(field, e);
    parseField(field, value); // what is read is what may be written
    parts.push(Uint8Array.of(i + 1, value.length), value);
  });
  check(rule, e);
  const head = join(parts);
  parts.length = 0;
  parts.push(Uint8Array.of(version, e.kind, e.possiblyKnown ? 1 : 0, head.length >> 8, head.length & 0xff), head);
  if (rule.content && e.content) parts.push(e.content);
  return join(parts);
}

/** Reads a body. Throws an UnknownKindError, or a WireError for what is none. Its content is a view. */
export function parseEnvelope(b: Uint8Array): Envelope {
  if (b.length < headerLength) throw new WireError(`${b.length} bytes, want at least ${headerLength}`);
  if (b[0] !== version) throw new WireError(`unknown version: ${b[0]}`);
  const rule = rules[b[1]!];
  if (!rule) throw new UnknownKindError(`unknown kind: ${b[1]}`);
  const end = headerLength + (b[3]! << 8 | b[4]!);
  if (end > b.length) throw new WireError(`fields of ${end - headerLength} bytes, ${b.length - headerLength} left`);
  const e: Envelope = { kind: b[1]! };
  if (b[2]! & 1) e.possiblyKnown = true;
  for (let at = headerLength; at < end;) {
    const length = at + 1 < end ? b[at + 1]! : end;
    if (at + 2 + length > end) throw new WireError(`a field at the last ${end - at} bytes of the head`);
    const field = fields[b[at]! - 1];
    if (field && (rule.must.includes(field) || rule.may.includes(field))) {
      if (e[field] !== undefined) throw new WireError(`${field} occurs twice`);
      Object.assign(e, { [field]: parseField(field, b.subarray(at + 2, at + 2 + length)) });
    }
    at += 2 + length;
  }
  check(rule, e);
  if (rule.content) e.content = b.subarray(end);
  else if (end < b.length) throw new WireError(`${rule.name} has no content, here are ${b.length - end} bytes`);
  return e;
}

function check(rule: Rule, e: Envelope): void {
  for (const field of rule.must) {
    if (e[field] === undefined || e[field] === "") throw new WireError(`${rule.name} without ${field}`);
  }
  if ((e.kind === kinds.watch || e.kind === kinds.unwatch) && !e.user === !e.room) {
    throw new WireError(`${rule.name} wants a user or a room`);
  }
  if (e.kind === kinds.ask && (e.question === questions.members && !e.room || e.question === questions.devices && !e.user)) {
    throw new WireError(`question ${e.question} does not say about whom`);
  }
}

/** What is asked. */
export const questions = { online: 1, members: 2, devices: 3 } as const;

function encodeField(field: Field, e: Envelope): Uint8Array {
  switch (field) {
    case "id": {
      const sender = utf8.encode(e.id!.sender);
      return join([u64(e.id!.incarnation), u64(e.id!.number), sender]);
    }
    case "position":
      return join([u64(e.position!.epoch), u64(e.position!.offset)]);
    case "time": case "taken": case "at": case "life": {
      const n = e[field]!;
      if (!Number.isFinite(n)) throw new WireError(`${field} is no number`);
      return u64(BigInt(Math.trunc(n)));
    }
    case "stamp": case "count":
      return u64(e[field]!);
    case "state": case "question":
      return Uint8Array.of(e[field]!);
    case "code": case "limit":
      return Uint8Array.of(e[field]! >> 8, e[field]! & 0xff);
    default:
      return utf8.encode(e[field]!);
  }
}

function parseField(field: Field, b: Uint8Array): unknown {
  switch (field) {
    case "id":
      sized(field, b, 17, 144);
      return { incarnation: big(b, 0), number: big(b, 8), sender: text(b.subarray(16), "sender") };
    case "position": {
      sized(field, b, 16);
      const epoch = big(b, 0);
      if (epoch === 0n) throw new WireError("position with the epoch 0");
      return { epoch, offset: big(b, 8) };
    }
    case "time": case "taken": case "at": case "life": {
      sized(field, b, 8);
      const n = big(b, 0);
      if (n < 1n || n > BigInt(mostMillis)) throw new WireError(`${field}: ${n} ms is not between 1 and ${mostMillis}`);
      return Number(n);
    }
    case "stamp":
      sized(field, b, 8);
      return above0(field, big(b, 0), 0n);
    case "count":
      sized(field, b, 8);
      return big(b, 0);
    case "state": case "question":
      sized(field, b, 1);
      return above0(field, b[0]!, 0);
    case "code": case "limit":
      sized(field, b, 2);
      return b[0]! << 8 | b[1]!;
    default:
      sized(field, b, 1, field === "reason" ? 255 : 128);
      return text(b, field);
  }
}

function above0<T>(field: Field, value: T, zero: T): T {
  if (value === zero) throw new WireError(`${field} is 0`);
  return value;
}

function sized(field: Field, b: Uint8Array, least: number, most = least): void {
  if (b.length < least || b.length > most) {
    throw new WireError(`${field} of ${b.length} bytes, want ${least === most ? least : `${least} to ${most}`}`);
  }
}

function u64(n: bigint): Uint8Array {
  if (n < 0n || n >> 64n) throw new WireError(`${n} does not fit`);
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, n);
  return b;
}

function big(b: Uint8Array, at: number): bigint {
  return new DataView(b.buffer, b.byteOffset, b.byteLength).getBigUint64(at);
}

/** The names in a page. */
export function namesOf(content: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < content.length;) {
    const end = at + 1 + content[at]!;
    if (end > content.length || end === at + 1) throw new WireError("the names of a page are cut short");
    names.push(text(content.subarray(at + 1, end), "name"));
    at = end;
  }
  return names;
}
