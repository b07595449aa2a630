// The TLV tail of a payload: entries of one byte type, two bytes length, value.

import { WireError } from "./frame.js";

export const tlv = {
  clientId: 1, token: 2, returnPass: 3, ticket: 4, node: 5, alternates: 6, reason: 7, limits: 8, expires: 9,
} as const;

const rules: Record<number, { name: string; most: number; text?: boolean }> = {
  [tlv.clientId]: { name: "client id", most: 128, text: true },
  [tlv.token]: { name: "token", most: 4096 },
  [tlv.returnPass]: { name: "return pass", most: 256 },
  [tlv.ticket]: { name: "ticket", most: 256 },
  [tlv.node]: { name: "node", most: 64, text: true },
  [tlv.alternates]: { name: "alternates", most: 1024, text: true },
  [tlv.reason]: { name: "reason", most: 256, text: true },
  [tlv.limits]: { name: "limits", most: 64 },
  [tlv.expires]: { name: "expires", most: 8 },
};

/** The most bytes of a token. */
export const maxToken = 4096;

const none = new Uint8Array(0);
const utf8 = new TextEncoder();

/** The entries of a tail by their type. Those that the message does not list are skipped. */
export function parseTail(tail: Uint8Array, listed: readonly number[]): (type: number) => Uint8Array {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < tail.length;) {
    if (at + 3 > tail.length) throw new WireError("a TLV header is cut short");
    const type = tail[at]!, end = at + 3 + (tail[at + 1]! << 8 | tail[at + 2]!);
    if (end > tail.length) throw new WireError(`TLV ${type} is cut short`);
    if (listed.includes(type)) {
      if (found.has(type)) throw new WireError(`${rules[type]!.name} occurs twice`);
      found.set(type, tail.subarray(at + 3, end));
    }
    at = end;
  }
  for (const [type, value] of found) check(type, value);
  return (type) => found.get(type) ?? none;
}

/** Makes a tail. An empty value is left out. Throws a WireError for one that breaks its rule. */
export function encodeTail(...entries: [type: number, value: Uint8Array | string][]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [type, given] of entries) {
    const value = typeof given === "string" ? utf8.encode(given) : given;
    check(type, value);
    if (value.length === 0) continue;
    parts.push(Uint8Array.of(type, value.length >> 8, value.length & 0xff), value);
  }
  return join(parts);
}

/** All of the parts in one. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  let n = 0;
  for (const p of parts) n += p.length;
  const all = new Uint8Array(n);
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

function check(type: number, value: Uint8Array): void {
  const rule = rules[type]!;
  if (value.length > rule.most) {
    throw new WireError(`${rule.name} has ${value.length} bytes, at most ${rule.most} are allowed`);
  }
  if (rule.text) text(value, rule.name);
}

/** Reads text: UTF-8 without control characters. */
export function text(b: Uint8Array, name = "text"): string {
  let s: string;
  try {
    s = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b);
  } catch {
    throw new WireError(`${name} is not UTF-8`);
  }
  if (/\p{Cc}/u.test(s)) throw new WireError(`${name} has a control character`);
  return s;
}
