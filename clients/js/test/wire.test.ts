// The codec agrees with docs/PROTOCOL.md: its tables and all of its examples.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { advice, codes, codeName, sessionOnly } from "../src/codes.js";
import { decode, encode, types, WireError, type Frame } from "../src/frame.js";
import * as wire from "../src/messages.js";
import { checksum } from "../src/xxhash.js";
import { asText, hex, repository, unhex, utf8 } from "./bytes.js";

const page = readFileSync(join(repository, "docs/PROTOCOL.md"), "utf8");

interface Example { text: string; bytes: Uint8Array; fields: Map<string, string> }

// The examples of a kind: the bytes before each #, and what stands after it as name = value.
function examples(kind: string): Example[] {
  return [...page.matchAll(new RegExp("^```" + kind + "\n([^`]*)```", "gm"))].map(([, text]) => {
    const fields = new Map<string, string>();
    const bytes = text!.split("\n").map((line) => line.split("#", 1)[0]!).join("");
    for (const [, name, value] of text!.matchAll(/[#,] ([a-z_ ]+) = ([^,\n]+(?:,[^ \n]+)*)/g)) fields.set(name!, value!.trim());
    return { text: text!, bytes: unhex(bytes), fields };
  });
}

function frameOf(e: Example): Frame {
  const { frame, size } = decode(e.bytes, 0, 65536);
  assert.ok(frame, e.text);
  assert.equal(size, e.bytes.length);
  return frame;
}

// parse reads what a server sends, and returns undefined for what only a client does.
function parse(f: Frame): unknown {
  switch (f.type) {
    case types.welcome: return wire.parseWelcome(f.payload);
    case types.pong: return wire.parsePong(f.payload);
    case types.deliver: return wire.parseDeliver(f.payload, f.flags);
    case types.ack: return wire.parseAck(f.payload);
    case types.nack: return wire.parseNack(f.payload);
    case types.goAway: return wire.parseGoAway(f.payload);
    default: return undefined;
  }
}

// again writes what a client sends from the fields that the page names.
function again(f: Frame, e: Example): Uint8Array | undefined {
  const has = (name: string): string => e.fields.get(name) ?? "";
  const number = BigInt(has("number") || has("replies to") || 0);
  switch (f.type) {
    case types.hello:
      return wire.encodeHello({
        incarnation: BigInt(`0x${has("incarnation")}`), attempt: Number(has("attempt")), clientId: has("client id"),
        token: unhex(has("token")), returnPass: unhex(has("return pass")), ticket: unhex(has("ticket")),
      });
    case types.ping: return wire.encodePing(BigInt(has("token")), Number(has("terms")), unhex(has("credential")));
    case types.send:
      if (e.fields.has("replies to")) return wire.encodeReply(BigInt(has("replies to")), utf8(has("body")));
      return wire.encodeSend(number, utf8(has("body")), f.flags === 2);
    case types.ack: return wire.encodeAck({ first: BigInt(has("first")), last: BigInt(has("last")), what: Number(has("what")) });
    case types.nack: return wire.encodeNack({ number, code: Number(has("code")), reason: has("reason") });
    case types.bye: return wire.encodeBye();
    default: return undefined;
  }
}

test("the examples of the page are read and written", () => {
  const all = examples("hex");
  assert.ok(all.length >= 15);
  let written = 0, read = 0;
  for (const e of all) {
    const f = frameOf(e);
    const b = again(f, e);
    if (b) assert.equal(hex(b), hex(e.bytes), e.text), written++;
    if (parse(f) !== undefined) read++;
  }
  assert.ok(written >= 8 && read >= 7, `${written} written, ${read} read`);
});

test("a WELCOME, a PONG and a GOAWAY say what the page says", () => {
  const of = (type: number): Example[] => examples("hex").filter((e) => frameOf(e).type === type);
  const [welcome] = of(types.welcome).map((e) => wire.parseWelcome(frameOf(e).payload));
  assert.deepEqual(welcome, {
    version: 1, features: 0, session: "1122334455667788-0300000700000002",
    terms: { interval: 30000, timeout: 75000, window: 10500, patience: 20000, number: 3 },
    serverTime: Date.UTC(2026, 0, 1), node: "a", returnPass: unhex("aabb"), alternates: "10.0.0.2:7400,[::1]:7401",
    limits: {
      maxSend: 65536, maxDeliver: 65536, frames: 2000, frameBurst: 8000, bytes: 1048576, byteBurst: 4194304,
      unsettled: 256, unsettledBytes: 262144,
    },
    expires: 3600000,
  });
  const pongs = of(types.pong).map((e) => wire.parsePong(frameOf(e).payload));
  assert.deepEqual(pongs.map((p) => [p.token, p.alternates, p.expires, p.limits?.frames]),
    [[42n, "", 0, undefined], [0n, "", 3600000, undefined], [0n, "b:7000,c:7000", 0, 200]]);
  assert.deepEqual(of(types.goAway).map((e) => wire.parseGoAway(frameOf(e).payload)),
    [{ code: 3200, delay: 1000, window: 20000, ticket: unhex("0102"), alternates: "10.0.0.2:7400", reason: "no room" }]);
});

test("the oddities of the page are accepted", () => {
  for (const e of examples("odd")) assert.doesNotThrow(() => parse(frameOf(e)), e.text);
});

test("an entry that comes twice is refused, and one that the message does not list is skipped", () => {
  const pong = (tail: string): unknown => wire.parsePong(unhex("00".repeat(28) + tail));
  assert.throws(() => pong("060000" + "060001" + "61"), /alternates occurs twice/);
  assert.doesNotThrow(() => pong("010000" + "010001" + "61"));
  assert.throws(() => pong("0600"), WireError);
  assert.throws(() => pong("06000561"), WireError);
});

test("what the page refuses is refused", () => {
  let refused = 0;
  for (const e of examples("refused")) {
    let read: unknown;
    try {
      const { frame } = decode(e.bytes, 0, 65536);
      read = frame && frame.type <= types.nack ? parse(frame) : undefined; // what only a client sends is a server's to refuse
    } catch (error) {
      assert.ok(error instanceof WireError, e.text);
      refused++;
    }
    assert.equal(read, undefined, `accepted: ${e.text}`);
  }
  assert.ok(refused >= 8, `${refused} refused`);
});

test("the codes are those of the page", () => {
  const rows = [...page.matchAll(/^\| (\d{4}) \| ([a-z_]+) \| the (\w+) \|/gm)];
  assert.equal(rows.length, Object.keys(codes).length);
  for (const [, code, name, blames] of rows) {
    assert.equal(codeName(Number(code)), name);
    assert.equal(sessionOnly(Number(code)), blames === "session", name);
  }
  assert.deepEqual([2999, 3000, 3199, 3200, 3499, 3500, 3999, 4000].map(advice),
    ["here", "here", "here", "elsewhere", "elsewhere", "avoid", "avoid", "here"]);
});

test("a frame is not there before its last byte, and is refused for one that is wrong", () => {
  const whole = encode(types.deliver, 0, utf8("12345678body"));
  for (let n = 0; n < whole.length; n++) assert.equal(decode(whole.subarray(0, n), 0, 100).frame, undefined);
  for (let i = 0; i < whole.length; i++) {
    const wrong = whole.slice();
    wrong[i]! ^= 0x40;
    const b = new Uint8Array([...wrong, ...new Uint8Array(100)]); // a longer length finds bytes
    assert.throws(() => { if (!decode(b, 0, 100).frame) throw new WireError("incomplete"); }, WireError, `byte ${i}`);
  }
  assert.equal(asText(decode(whole, 0, 100).frame!.payload), "12345678body");
  assert.throws(() => decode(whole.subarray(0, 8), 0, 11), WireError);
});

// XXH64 in BigInt, from its specification.
function xxh64(b: Uint8Array): bigint {
  const m = (1n << 64n) - 1n, P = [11400714785074694791n, 14029467366897019727n, 1609587929392839161n, 9650029242287828579n, 2870177450012600261n] as const;
  const rot = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & m;
  const round = (a: bigint, x: bigint): bigint => rot((a + x * P[1]) & m, 31n) * P[0] & m;
  const v = new DataView(b.buffer, b.byteOffset, b.length);
  let at = 0, h: bigint;
  if (b.length >= 32) {
    const a = [(P[0] + P[1]) & m, P[1], 0n, (m + 1n - P[0]) & m];
    for (; at + 32 <= b.length; at += 32) for (let i = 0; i < 4; i++) a[i] = round(a[i]!, v.getBigUint64(at + 8 * i, true));
    h = (rot(a[0]!, 1n) + rot(a[1]!, 7n) + rot(a[2]!, 12n) + rot(a[3]!, 18n)) & m;
    for (const x of a) h = ((h ^ round(0n, x)) * P[0] + P[3]) & m;
  } else h = P[4];
  h = (h + BigInt(b.length)) & m;
  for (; at + 8 <= b.length; at += 8) h = (rot(h ^ round(0n, v.getBigUint64(at, true)), 27n) * P[0] + P[3]) & m;
  if (at + 4 <= b.length) h = (rot(h ^ BigInt(v.getUint32(at, true)) * P[0] & m, 23n) * P[1] + P[2]) & m, at += 4;
  for (; at < b.length; at++) h = rot(h ^ BigInt(b[at]!) * P[4] & m, 11n) * P[0] & m;
  h = (h ^ h >> 33n) * P[1] & m;
  h = (h ^ h >> 29n) * P[2] & m;
  return h ^ h >> 32n;
}

test("the checksum is the low half of XXH64", () => {
  assert.equal(xxh64(utf8("")), 0xef46db3751d8e999n); // the published one
  let seed = 1;
  for (let n = 0; n < 300; n++) {
    const b = Uint8Array.from({ length: n }, () => (seed = (seed * 48271) % 2147483647) & 0xff);
    assert.equal(BigInt(checksum(b, 0, n)), xxh64(b) & 0xffffffffn, `${n} bytes`);
    assert.equal(checksum(new Uint8Array([9, ...b, 9]), 1, n + 1), checksum(b, 0, n));
  }
});
