// Frames: header, payload, checksum. docs/PROTOCOL.md, "Frame".

import { checksum } from "./xxhash.js";

export const headerLen = 8;
export const trailerLen = 4;
/** What a frame has beside its payload, in bytes. */
export const overhead = headerLen + trailerLen;
/** The largest payload that both sides take unless told otherwise, in bytes. */
export const maxPayload = 64 << 10;

const magic = 0x53;
const framing = 0x10;

export const types = {
  hello: 1, welcome: 2, ping: 3, pong: 4, send: 5, deliver: 6, ack: 7, goAway: 8, bye: 9, nack: 10,
} as const;

export const flags = { ignorable: 1, wantsReply: 2, reply: 4 } as const;

/** Whether this version gives the type a meaning. */
export function knownType(type: number): boolean {
  return type >= types.hello && type <= types.nack;
}

/** Bytes of a peer that are not the protocol. The stream that they came by is lost. */
export class WireError extends Error {
  override name = "WireError";
}

export interface Frame {
  type: number;
  flags: number;
  payload: Uint8Array; // a view into the decoded bytes
}

/**
 * Reads the frame at b[at:]. Without a frame, size is the number of bytes that must be there
 * before there can be one. Throws a WireError, for a fault of the header as soon as it shows. The
 * declared length is checked before anything waits for it.
 */
export function decode(b: Uint8Array, at: number, most: number): { frame?: Frame; size: number } {
  const n = b.length - at;
  if (n > 0 && b[at] !== magic) throw new WireError(`wrong magic ${b[at]}`);
  if (n > 1 && b[at + 1] !== framing) throw new WireError(`unknown framing version ${b[at + 1]}`);
  if (n > 3 && !validFlags(b[at + 2]!, b[at + 3]!)) {
    throw new WireError(`unknown flags ${b[at + 3]} of type ${b[at + 2]}`);
  }
  if (n < headerLen) return { size: headerLen };
  const v = new DataView(b.buffer, b.byteOffset + at, n);
  const declared = v.getUint32(4);
  if (declared > most) throw new WireError(`payload of ${declared} bytes, ${most} are allowed`);
  const end = headerLen + declared, size = end + trailerLen;
  if (n < size) return { size };
  if (v.getUint32(end) !== checksum(b, at, at + end)) throw new WireError("checksum mismatch");
  const payload = b.subarray(at + headerLen, at + end);
  return { frame: { type: b[at + 2]!, flags: b[at + 3]!, payload }, size };
}

function validFlags(type: number, value: number): boolean {
  switch (value & ~flags.ignorable) {
    case 0:
      return true;
    case flags.wantsReply:
    case flags.reply:
      return type === types.send || type === types.deliver;
    default:
      return false;
  }
}

/** Makes a frame whose payload is the parts, one behind the other. */
export function encode(type: number, flag: number, ...parts: Uint8Array[]): Uint8Array {
  let n = 0;
  for (const p of parts) n += p.length;
  const b = new Uint8Array(n + overhead);
  const v = new DataView(b.buffer);
  b[0] = magic, b[1] = framing, b[2] = type, b[3] = flag;
  v.setUint32(4, n);
  let at = headerLen;
  for (const p of parts) {
    b.set(p, at);
    at += p.length;
  }
  v.setUint32(at, checksum(b, 0, at));
  return b;
}
