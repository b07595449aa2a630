// Payloads: those that a client writes, and those that it reads. Durations are milliseconds.

import { encode, flags, types, WireError } from "./frame.js";
import { encodeTail, parseTail, text, tlv } from "./tlv.js";

export const protocolVersion = 1;

/** The timing rules of a session, in milliseconds. Zero is possible: it is a stranger's word. */
export interface Terms {
  interval: number; // the client speaks at least this often
  timeout: number; // silence after which the server drops it
  window: number; // spread of the first attempt after a loss
  patience: number; // the least time to wait for a PONG; 0: as the client likes
  number: number; // of these terms; PING says which the client has applied
}

/** What a session may send. Zero is no limit. */
export interface Limits {
  maxSend: number; // the largest payload that the server takes, bytes
  maxDeliver: number; // the largest that it sends, bytes
  frames: number; // a second
  frameBurst: number; // at once, after a silence
  bytes: number; // a second, with the 12 around each payload
  byteBurst: number;
  unsettled: number; // SENDs that are not settled, at most
  unsettledBytes: number; // and their bodies together; one that is larger goes alone
}

export const noLimits: Readonly<Limits> = {
  maxSend: 0, maxDeliver: 0, frames: 0, frameBurst: 0, bytes: 0, byteBurst: 0, unsettled: 0, unsettledBytes: 0,
};

export interface Hello {
  incarnation: bigint;
  attempt: number;
  clientId: string;
  token: Uint8Array;
  returnPass: Uint8Array;
  ticket: Uint8Array;
}

export interface Welcome {
  version: number;
  features: number;
  session: string; // epoch and handle, 16 hexadecimal digits each
  terms: Terms;
  serverTime: number; // milliseconds since 1970
  node: string;
  returnPass: Uint8Array;
  alternates: string;
  limits: Limits | undefined; // undefined: nothing was told
  expires: number; // in so many milliseconds; Infinity: never; 0: nothing was told
}

export interface Pong {
  token: bigint; // 0: no PING asked for it
  terms: Terms;
  limits: Limits | undefined;
  alternates: string;
  expires: number;
}

export interface GoAway {
  code: number;
  delay: number;
  window: number;
  ticket: Uint8Array;
  alternates: string;
  reason: string;
}

export interface Ack { first: bigint; last: bigint; what: number }
export interface Nack { number: bigint; code: number; reason: string }

function fixed(n: number, fill: (v: DataView) => void): Uint8Array {
  const b = new Uint8Array(n);
  fill(new DataView(b.buffer));
  return b;
}

function view(p: Uint8Array, name: string, least: number): DataView {
  if (p.length < least) throw new WireError(`${name} payload of ${p.length} bytes, want at least ${least}`);
  return new DataView(p.buffer, p.byteOffset, p.length);
}

export function encodeHello(m: Hello): Uint8Array {
  if (m.clientId === "") throw new WireError("client id is missing");
  const head = fixed(24, (v) => {
    v.setUint8(0, protocolVersion);
    v.setUint8(1, protocolVersion);
    v.setBigUint64(8, m.incarnation);
    v.setUint32(16, m.attempt);
  });
  return encode(types.hello, 0, head, encodeTail([tlv.clientId, m.clientId], [tlv.token, m.token],
    [tlv.returnPass, m.returnPass], [tlv.ticket, m.ticket]));
}

export function parseWelcome(p: Uint8Array): Welcome {
  const v = view(p, "WELCOME", 52);
  const entry = parseTail(p.subarray(52), [tlv.node, tlv.returnPass, tlv.alternates, tlv.limits, tlv.expires]);
  return {
    version: v.getUint8(0),
    features: v.getUint32(4),
    session: [v.getBigUint64(8), v.getBigUint64(16)].map((n) => n.toString(16).padStart(16, "0")).join("-"),
    terms: parseTerms(v, 24),
    serverTime: Number(v.getBigInt64(44)),
    node: text(entry(tlv.node)),
    returnPass: entry(tlv.returnPass).slice(),
    alternates: text(entry(tlv.alternates)),
    limits: parseLimits(entry(tlv.limits)),
    expires: parseExpires(entry(tlv.expires)),
  };
}

/** A PING, with a credential that renews the grant, or an empty one. */
export function encodePing(token: bigint, terms: number, credential: Uint8Array): Uint8Array {
  const head = fixed(12, (v) => {
    v.setBigUint64(0, token);
    v.setUint16(8, terms);
  });
  return encode(types.ping, 0, head, encodeTail([tlv.token, credential]));
}

export function parsePong(p: Uint8Array): Pong {
  const v = view(p, "PONG", 28);
  const entry = parseTail(p.subarray(28), [tlv.alternates, tlv.limits, tlv.expires]);
  return {
    token: v.getBigUint64(0),
    terms: parseTerms(v, 8),
    alternates: text(entry(tlv.alternates)),
    limits: parseLimits(entry(tlv.limits)),
    expires: parseExpires(entry(tlv.expires)),
  };
}

function parseTerms(v: DataView, at: number): Terms {
  return {
    interval: v.getUint32(at),
    timeout: v.getUint32(at + 4),
    window: v.getUint32(at + 8),
    patience: v.getUint32(at + 12),
    number: v.getUint16(at + 16),
  };
}

function parseLimits(p: Uint8Array): Limits | undefined {
  if (p.length === 0) return undefined;
  const v = view(p, "limits", 32);
  const all = {
    maxSend: v.getUint32(0), maxDeliver: v.getUint32(4), frames: v.getUint32(8), frameBurst: v.getUint32(12),
    bytes: v.getUint32(16), byteBurst: v.getUint32(20), unsettled: v.getUint32(24), unsettledBytes: v.getUint32(28),
  };
  return Object.values(all).some((n) => n !== 0) ? all : undefined;
}

function parseExpires(p: Uint8Array): number {
  if (p.length === 0) return 0;
  if (p.length !== 8) throw new WireError(`expires has ${p.length} bytes, want 8`);
  const ms = view(p, "expires", 8).getBigUint64(0);
  return ms > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(ms);
}

/** A SEND. The number 0 wants no answer; what wants a reply has another. */
export function encodeSend(number: bigint, body: Uint8Array, wantsReply: boolean): Uint8Array {
  return encode(types.send, wantsReply ? flags.wantsReply : 0, fixed(8, (v) => v.setBigUint64(0, number)), body);
}

/** A SEND that replies to a DELIVER. */
export function encodeReply(to: bigint, body: Uint8Array): Uint8Array {
  return encode(types.send, flags.reply, fixed(16, (v) => v.setBigUint64(8, to)), body);
}

/** Reads a DELIVER: its number, or that of the SEND that it replies to, and its body, a view. */
export function parseDeliver(p: Uint8Array, flag: number): { number: bigint; body: Uint8Array } {
  const reply = (flag & flags.reply) !== 0;
  const v = view(p, "DELIVER", reply ? 16 : 8);
  const number = v.getBigUint64(0);
  if (reply) {
    if (number !== 0n) throw new WireError(`number ${number} of a reply, want 0`);
    return { number: v.getBigUint64(8), body: p.subarray(16) };
  }
  if ((flag & flags.wantsReply) !== 0 && number === 0n) throw new WireError("number 0 of a message that wants a reply");
  return { number, body: p.subarray(8) };
}

export function encodeAck(m: Ack): Uint8Array {
  return encode(types.ack, 0, fixed(20, (v) => {
    v.setBigUint64(0, m.first);
    v.setBigUint64(8, m.last);
    v.setUint8(16, m.what);
  }));
}

export function parseAck(p: Uint8Array): Ack {
  const v = view(p, "ACK", 20);
  if (p.length > 20) throw new WireError(`ACK payload of ${p.length} bytes, want exactly 20`);
  const m = { first: v.getBigUint64(0), last: v.getBigUint64(8), what: v.getUint8(16) };
  if (m.first > m.last) throw new WireError(`ACK from ${m.first} to ${m.last}`);
  return m;
}

export function encodeNack(m: Nack): Uint8Array {
  const head = fixed(12, (v) => {
    v.setBigUint64(0, m.number);
    v.setUint16(8, m.code);
  });
  return encode(types.nack, 0, head, encodeTail([tlv.reason, m.reason]));
}

export function parseNack(p: Uint8Array): Nack {
  const v = view(p, "NACK", 12);
  const entry = parseTail(p.subarray(12), [tlv.reason]);
  return { number: v.getBigUint64(0), code: v.getUint16(8), reason: text(entry(tlv.reason)) };
}

export function parseGoAway(p: Uint8Array): GoAway {
  const v = view(p, "GOAWAY", 12);
  const entry = parseTail(p.subarray(12), [tlv.ticket, tlv.alternates, tlv.reason]);
  return {
    code: v.getUint16(0),
    delay: v.getUint32(4),
    window: v.getUint32(8),
    ticket: entry(tlv.ticket).slice(),
    alternates: text(entry(tlv.alternates)),
    reason: text(entry(tlv.reason)),
  };
}

export function encodeBye(): Uint8Array {
  return encode(types.bye, 0);
}

/** A GOAWAY with nothing but a code: what a WebSocket's close code says. */
export function encodeGoAway(code: number): Uint8Array {
  return encode(types.goAway, 0, fixed(12, (v) => v.setUint16(0, code)));
}
