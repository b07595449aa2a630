// Made from clients/js: npm run page.
// src/body.ts
function asBytes(body) {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (!ArrayBuffer.isView(body)) throw new TypeError("a body is a string or a Uint8Array");
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
}

// src/codes.ts
var codes = {
  busy: 3e3,
  heartbeat_timeout: 3001,
  hello_timeout: 3002,
  partial_timeout: 3003,
  bad_checksum: 3004,
  slow_consumer: 3005,
  internal: 3006,
  token_expired: 3007,
  rate_limit: 3008,
  kicked: 3009,
  superseded: 3010,
  in_use: 3011,
  full: 3200,
  draining: 3201,
  shutdown: 3202,
  protocol_error: 3500,
  frame_too_large: 3501,
  version: 3502,
  unauthorized: 3503,
  replaced: 3504
};
function codeName(code) {
  for (const [name, value] of Object.entries(codes)) {
    if (value === code) return name;
  }
  return `code ${code}`;
}
function advice(code) {
  if (code >= 3200 && code < 3500) return "elsewhere";
  if (code >= 3500 && code < 4e3) return "avoid";
  return "here";
}
function sessionOnly(code) {
  return code >= codes.heartbeat_timeout && code <= codes.in_use || code >= codes.protocol_error && code <= codes.replaced;
}
var nackCodes = { busy: 1, internal: 2, refused: 100 };
function nackForApplications(code) {
  return Object.values(nackCodes).includes(code) || code >= 50 && code <= 99 || code >= 1e3 && code <= 65535;
}

// src/link/out.ts
var CodeError = class extends Error {
  constructor(code, reason) {
    super(`server says ${codeName(code)} (${code})${reason && `: ${JSON.stringify(reason)}`}`);
    this.code = code;
    this.reason = reason;
  }
  code;
  reason;
  name = "CodeError";
};
var RefusedError = class extends Error {
  constructor(code, reason) {
    super(`message is refused: code ${code}${reason && `: ${JSON.stringify(reason)}`}`);
    this.code = code;
    this.reason = reason;
  }
  code;
  reason;
  name = "RefusedError";
  /** Whether the same message may be taken another time. */
  get again() {
    return this.code >= 1 && this.code <= 99;
  }
};

// src/errors.ts
var ClosedError = class extends Error {
  name = "ClosedError";
  constructor(cause) {
    super(cause ? `the client has ended: ${cause.message}` : "the client has ended", { cause });
  }
};
var UnknownError = class extends Error {
  name = "UnknownError";
  constructor(cause) {
    super(`the message may have arrived or not: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
};
var TooLargeError = class extends Error {
  name = "TooLargeError";
  constructor(size, most2) {
    super(`message of ${size} bytes, ${most2} are allowed`);
  }
};
var NoReplyError = class extends Error {
  name = "NoReplyError";
  constructor() {
    super("the request was dealt with, and there is no reply");
  }
};
var Refusal = class extends Error {
  constructor(code = 100, reason = "") {
    super(`message is refused: code ${code}`);
    this.code = code;
    this.reason = reason;
  }
  code;
  reason;
  name = "Refusal";
};

// src/xxhash.ts
var P1h = 2654435761;
var P1l = 2246822535;
var P2h = 3266489917;
var P2l = 668265295;
var P3h = 374761393;
var P3l = 2654435833;
var P4h = 2246822519;
var P4l = 3266489955;
var P5h = 668265263;
var P5l = 374761413;
var rh = 0;
var rl = 0;
function mul(ah, al, bh, bl) {
  const a0 = al & 65535, a1 = al >>> 16, b0 = bl & 65535, b1 = bl >>> 16;
  const low = a0 * b0;
  const m1 = a1 * b0 + (low >>> 16);
  const m2 = a0 * b1 + (m1 & 65535);
  const high = a1 * b1 + (m1 >>> 16) + (m2 >>> 16);
  rl = (m2 << 16 | low & 65535) >>> 0;
  rh = high + Math.imul(ah, bl) + Math.imul(al, bh) >>> 0;
}
function add(ah, al, bh, bl) {
  const low = al + bl;
  rl = low >>> 0;
  rh = ah + bh + (low > 4294967295 ? 1 : 0) >>> 0;
}
function rotl(h, l, n) {
  rh = (h << n | l >>> 32 - n) >>> 0;
  rl = (l << n | h >>> 32 - n) >>> 0;
}
function round(ah, al, inh, inl) {
  mul(inh, inl, P2h, P2l);
  add(ah, al, rh, rl);
  rotl(rh, rl, 31);
  mul(rh, rl, P1h, P1l);
}
function mergeRound(ah, al, vh, vl) {
  round(0, 0, vh, vl);
  mul((ah ^ rh) >>> 0, (al ^ rl) >>> 0, P1h, P1l);
  add(rh, rl, P4h, P4l);
}
function checksum(b, from, to) {
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const n = to - from;
  let at = from;
  if (n >= 32) {
    at = stripes(v, from, to);
  } else {
    rh = P5h, rl = P5l;
  }
  add(rh, rl, 0, n);
  for (; at + 8 <= to; at += 8) {
    const h = rh, l = rl;
    round(0, 0, v.getUint32(at + 4, true), v.getUint32(at, true));
    rotl((h ^ rh) >>> 0, (l ^ rl) >>> 0, 27);
    mul(rh, rl, P1h, P1l);
    add(rh, rl, P4h, P4l);
  }
  if (at + 4 <= to) {
    const h = rh, l = rl;
    mul(0, v.getUint32(at, true), P1h, P1l);
    rotl((h ^ rh) >>> 0, (l ^ rl) >>> 0, 23);
    mul(rh, rl, P2h, P2l);
    add(rh, rl, P3h, P3l);
    at += 4;
  }
  for (; at < to; at++) {
    const h = rh, l = rl;
    mul(0, v.getUint8(at), P5h, P5l);
    rotl((h ^ rh) >>> 0, (l ^ rl) >>> 0, 11);
    mul(rh, rl, P1h, P1l);
  }
  return avalanche();
}
function stripes(v, from, to) {
  add(P1h, P1l, P2h, P2l);
  let ah = rh, al = rl, bh = P2h, bl = P2l, ch = 0, cl = 0;
  let dl = ~P1l + 1 >>> 0, dh = ~P1h + (dl === 0 ? 1 : 0) >>> 0;
  let at = from;
  for (; at + 32 <= to; at += 32) {
    round(ah, al, v.getUint32(at + 4, true), v.getUint32(at, true)), ah = rh, al = rl;
    round(bh, bl, v.getUint32(at + 12, true), v.getUint32(at + 8, true)), bh = rh, bl = rl;
    round(ch, cl, v.getUint32(at + 20, true), v.getUint32(at + 16, true)), ch = rh, cl = rl;
    round(dh, dl, v.getUint32(at + 28, true), v.getUint32(at + 24, true)), dh = rh, dl = rl;
  }
  rotl(ah, al, 1);
  let h = rh, l = rl;
  rotl(bh, bl, 7), add(h, l, rh, rl), h = rh, l = rl;
  rotl(ch, cl, 12), add(h, l, rh, rl), h = rh, l = rl;
  rotl(dh, dl, 18), add(h, l, rh, rl);
  mergeRound(rh, rl, ah, al);
  mergeRound(rh, rl, bh, bl);
  mergeRound(rh, rl, ch, cl);
  mergeRound(rh, rl, dh, dl);
  return at;
}
function avalanche() {
  mul(rh, (rl ^ rh >>> 1) >>> 0, P2h, P2l);
  const h = (rh ^ rh >>> 29) >>> 0;
  const l = (rl ^ (rl >>> 29 | rh << 3)) >>> 0;
  mul(h, l, P3h, P3l);
  return (rl ^ rh) >>> 0;
}

// src/frame.ts
var headerLen = 8;
var trailerLen = 4;
var overhead = headerLen + trailerLen;
var maxPayload = 64 << 10;
var magic = 83;
var framing = 16;
var types = {
  hello: 1,
  welcome: 2,
  ping: 3,
  pong: 4,
  send: 5,
  deliver: 6,
  ack: 7,
  goAway: 8,
  bye: 9,
  nack: 10
};
var flags = { ignorable: 1, wantsReply: 2, reply: 4 };
function knownType(type) {
  return type >= types.hello && type <= types.nack;
}
var WireError = class extends Error {
  name = "WireError";
};
function decode(b, at, most2) {
  const n = b.length - at;
  if (n > 0 && b[at] !== magic) throw new WireError(`wrong magic ${b[at]}`);
  if (n > 1 && b[at + 1] !== framing) throw new WireError(`unknown framing version ${b[at + 1]}`);
  if (n > 3 && !validFlags(b[at + 2], b[at + 3])) {
    throw new WireError(`unknown flags ${b[at + 3]} of type ${b[at + 2]}`);
  }
  if (n < headerLen) return { size: headerLen };
  const v = new DataView(b.buffer, b.byteOffset + at, n);
  const declared = v.getUint32(4);
  if (declared > most2) throw new WireError(`payload of ${declared} bytes, ${most2} are allowed`);
  const end = headerLen + declared, size = end + trailerLen;
  if (n < size) return { size };
  if (v.getUint32(end) !== checksum(b, at, at + end)) throw new WireError("checksum mismatch");
  const payload = b.subarray(at + headerLen, at + end);
  return { frame: { type: b[at + 2], flags: b[at + 3], payload }, size };
}
function validFlags(type, value) {
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
function encode(type, flag, ...parts) {
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

// src/tlv.ts
var tlv = {
  clientId: 1,
  token: 2,
  returnPass: 3,
  ticket: 4,
  node: 5,
  alternates: 6,
  reason: 7,
  limits: 8,
  expires: 9
};
var rules = {
  [tlv.clientId]: { name: "client id", most: 128, text: true },
  [tlv.token]: { name: "token", most: 4096 },
  [tlv.returnPass]: { name: "return pass", most: 256 },
  [tlv.ticket]: { name: "ticket", most: 256 },
  [tlv.node]: { name: "node", most: 64, text: true },
  [tlv.alternates]: { name: "alternates", most: 1024, text: true },
  [tlv.reason]: { name: "reason", most: 256, text: true },
  [tlv.limits]: { name: "limits", most: 64 },
  [tlv.expires]: { name: "expires", most: 8 }
};
var maxToken = 4096;
var none = new Uint8Array(0);
var utf8 = new TextEncoder();
function parseTail(tail, listed) {
  const found = /* @__PURE__ */ new Map();
  for (let at = 0; at < tail.length; ) {
    if (at + 3 > tail.length) throw new WireError("a TLV header is cut short");
    const type = tail[at], end = at + 3 + (tail[at + 1] << 8 | tail[at + 2]);
    if (end > tail.length) throw new WireError(`TLV ${type} is cut short`);
    if (listed.includes(type)) {
      if (found.has(type)) throw new WireError(`${rules[type].name} occurs twice`);
      found.set(type, tail.subarray(at + 3, end));
    }
    at = end;
  }
  for (const [type, value] of found) check(type, value);
  return (type) => found.get(type) ?? none;
}
function encodeTail(...entries) {
  const parts = [];
  for (const [type, given] of entries) {
    const value = typeof given === "string" ? utf8.encode(given) : given;
    check(type, value);
    if (value.length === 0) continue;
    parts.push(Uint8Array.of(type, value.length >> 8, value.length & 255), value);
  }
  return join(parts);
}
function join(parts) {
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
function check(type, value) {
  const rule = rules[type];
  if (value.length > rule.most) {
    throw new WireError(`${rule.name} has ${value.length} bytes, at most ${rule.most} are allowed`);
  }
  if (rule.text) text(value, rule.name);
}
function text(b, name = "text") {
  let s;
  try {
    s = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b);
  } catch {
    throw new WireError(`${name} is not UTF-8`);
  }
  if (/\p{Cc}/u.test(s)) throw new WireError(`${name} has a control character`);
  return s;
}

// src/messages.ts
var protocolVersion = 1;
var noLimits = {
  maxSend: 0,
  maxDeliver: 0,
  frames: 0,
  frameBurst: 0,
  bytes: 0,
  byteBurst: 0,
  unsettled: 0,
  unsettledBytes: 0
};
function fixed(n, fill2) {
  const b = new Uint8Array(n);
  fill2(new DataView(b.buffer));
  return b;
}
function view(p, name, least) {
  if (p.length < least) throw new WireError(`${name} payload of ${p.length} bytes, want at least ${least}`);
  return new DataView(p.buffer, p.byteOffset, p.length);
}
function encodeHello(m) {
  if (m.clientId === "") throw new WireError("client id is missing");
  const head = fixed(24, (v) => {
    v.setUint8(0, protocolVersion);
    v.setUint8(1, protocolVersion);
    v.setBigUint64(8, m.incarnation);
    v.setUint32(16, m.attempt);
  });
  return encode(types.hello, 0, head, encodeTail(
    [tlv.clientId, m.clientId],
    [tlv.token, m.token],
    [tlv.returnPass, m.returnPass],
    [tlv.ticket, m.ticket]
  ));
}
function parseWelcome(p) {
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
    expires: parseExpires(entry(tlv.expires))
  };
}
function encodePing(token, terms, credential) {
  const head = fixed(12, (v) => {
    v.setBigUint64(0, token);
    v.setUint16(8, terms);
  });
  return encode(types.ping, 0, head, encodeTail([tlv.token, credential]));
}
function parsePong(p) {
  const v = view(p, "PONG", 28);
  const entry = parseTail(p.subarray(28), [tlv.alternates, tlv.limits, tlv.expires]);
  return {
    token: v.getBigUint64(0),
    terms: parseTerms(v, 8),
    alternates: text(entry(tlv.alternates)),
    limits: parseLimits(entry(tlv.limits)),
    expires: parseExpires(entry(tlv.expires))
  };
}
function parseTerms(v, at) {
  return {
    interval: v.getUint32(at),
    timeout: v.getUint32(at + 4),
    window: v.getUint32(at + 8),
    patience: v.getUint32(at + 12),
    number: v.getUint16(at + 16)
  };
}
function parseLimits(p) {
  if (p.length === 0) return void 0;
  const v = view(p, "limits", 32);
  const all = {
    maxSend: v.getUint32(0),
    maxDeliver: v.getUint32(4),
    frames: v.getUint32(8),
    frameBurst: v.getUint32(12),
    bytes: v.getUint32(16),
    byteBurst: v.getUint32(20),
    unsettled: v.getUint32(24),
    unsettledBytes: v.getUint32(28)
  };
  return Object.values(all).some((n) => n !== 0) ? all : void 0;
}
function parseExpires(p) {
  if (p.length === 0) return 0;
  if (p.length !== 8) throw new WireError(`expires has ${p.length} bytes, want 8`);
  const ms = view(p, "expires", 8).getBigUint64(0);
  return ms > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(ms);
}
function encodeSend(number, body, wantsReply) {
  return encode(types.send, wantsReply ? flags.wantsReply : 0, fixed(8, (v) => v.setBigUint64(0, number)), body);
}
function encodeReply(to, body) {
  return encode(types.send, flags.reply, fixed(16, (v) => v.setBigUint64(8, to)), body);
}
function parseDeliver(p, flag) {
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
function encodeAck(m) {
  return encode(types.ack, 0, fixed(20, (v) => {
    v.setBigUint64(0, m.first);
    v.setBigUint64(8, m.last);
    v.setUint8(16, m.what);
  }));
}
function parseAck(p) {
  const v = view(p, "ACK", 20);
  if (p.length > 20) throw new WireError(`ACK payload of ${p.length} bytes, want exactly 20`);
  const m = { first: v.getBigUint64(0), last: v.getBigUint64(8), what: v.getUint8(16) };
  if (m.first > m.last) throw new WireError(`ACK from ${m.first} to ${m.last}`);
  return m;
}
function encodeNack(m) {
  const head = fixed(12, (v) => {
    v.setBigUint64(0, m.number);
    v.setUint16(8, m.code);
  });
  return encode(types.nack, 0, head, encodeTail([tlv.reason, m.reason]));
}
function parseNack(p) {
  const v = view(p, "NACK", 12);
  const entry = parseTail(p.subarray(12), [tlv.reason]);
  return { number: v.getBigUint64(0), code: v.getUint16(8), reason: text(entry(tlv.reason)) };
}
function parseGoAway(p) {
  const v = view(p, "GOAWAY", 12);
  const entry = parseTail(p.subarray(12), [tlv.ticket, tlv.alternates, tlv.reason]);
  return {
    code: v.getUint16(0),
    delay: v.getUint32(4),
    window: v.getUint32(8),
    ticket: entry(tlv.ticket).slice(),
    alternates: text(entry(tlv.alternates)),
    reason: text(entry(tlv.reason))
  };
}
function encodeBye() {
  return encode(types.bye, 0);
}
function encodeGoAway(code) {
  return encode(types.goAway, 0, fixed(12, (v) => v.setUint16(0, code)));
}

// src/message.ts
var Message = class {
  constructor(number, body, wantsReply, answers) {
    this.number = number;
    this.body = body;
    this.wantsReply = wantsReply;
    this.answers = answers;
  }
  number;
  body;
  wantsReply;
  answers;
  answered = false;
  /** The body as text. What is not UTF-8 is replaced. */
  get text() {
    return new TextDecoder().decode(this.body);
  }
  /**
   * Answers a message that wants a reply, instead of the ACK. It waits as long as the limits of the
   * node demand, and throws an Error if the message wants none, has its answer, or its connection is
   * gone, and a TooLargeError.
   */
  async reply(body) {
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
  async handle(deliver, failed) {
    let answer;
    try {
      if (!deliver) throw new Refusal();
      const what = await deliver(this);
      answer = () => this.answers.ack(typeof what === "number" ? what & 255 : 0);
    } catch (error) {
      let code = nackCodes.internal, reason = "";
      if (error instanceof Refusal) {
        code = nackForApplications(error.code) ? error.code : nackCodes.refused;
        reason = error.reason;
      } else {
        failed(error);
      }
      answer = () => this.answers.nack(code, reason);
    }
    if (this.answered) return;
    this.answered = true;
    answer();
  }
};

// src/link/config.ts
var defaults = {
  ignoreAlternates: false,
  interval: 0,
  pongTimeout: 1e4,
  connectTimeout: 5e3,
  welcomeTimeout: 5e3,
  backoffMin: 500,
  backoffMax: 6e4,
  stableAfter: 6e4,
  maxPayload,
  atMostOnce: false,
  neverGiveUp: false,
  freshTokens: false
};
var minInterval = 100;
var maxWait = 36e5;
function below(random, d) {
  return d > 0 ? random() * d : 0;
}
function validate(c) {
  if (c.endpoints.length === 0) throw new Error("endpoints is empty");
  for (const e of c.endpoints) {
    if (!validAddress(e)) throw new Error(`endpoints: ${JSON.stringify(e)} is not host:port`);
  }
  if (c.interval !== 0 && !(c.interval >= minInterval)) {
    throw new Error(`interval: ${c.interval} is below ${minInterval}`);
  }
  for (const name of ["pongTimeout", "connectTimeout", "welcomeTimeout", "backoffMin", "backoffMax", "stableAfter"]) {
    if (!(c[name] > 0 && c[name] <= maxWait)) throw new Error(`${name}: ${c[name]} is not within (0, ${maxWait}]`);
  }
  if (c.backoffMin > c.backoffMax) throw new Error(`backoffMin: ${c.backoffMin} is above backoffMax ${c.backoffMax}`);
  if (!(c.maxPayload >= 8192 && c.maxPayload <= 2147483647)) throw new Error(`maxPayload: ${c.maxPayload} is below 8192`);
}
function validAddress(address) {
  const m = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const host = m?.[1] ?? m?.[2] ?? "", port = Number(m?.[3] ?? 0);
  return host !== "" && host.length <= 253 && port > 0 && port <= 65535;
}

// src/urls.ts
function parseEndpoints(endpoints) {
  const base = globalThis.location?.href;
  if (!Array.isArray(endpoints)) throw new Error('endpoints: it is a list, as in ["wss://edge.example/"]');
  let scheme = "", path = "";
  const addresses = [];
  for (const endpoint of endpoints) {
    let url;
    try {
      url = new URL(endpoint, base);
    } catch {
      throw new Error(`endpoints: ${JSON.stringify(endpoint)} is no URL here`);
    }
    const to = url.protocol.replace(/^http/, "ws");
    if (to !== "ws:" && to !== "wss:") throw new Error(`endpoints: ${endpoint} is neither ws:// nor wss://, nor http:// or https:// for them`);
    if (url.username || url.password) throw new Error(`endpoints: ${url.host} has a name or password: give a token`);
    const at = url.pathname + url.search;
    if (scheme !== "" && (scheme !== to || path !== at)) {
      throw new Error(`endpoints: ${endpoint} has another scheme or path than the others`);
    }
    scheme = to, path = at;
    const address = `${url.hostname}:${url.port || (to === "wss:" ? 443 : 80)}`;
    if (!addresses.includes(address)) addresses.push(address);
  }
  return { addresses, url: (address) => `${scheme}//${address}${path}` };
}

// src/config.ts
function fill(c) {
  if (typeof c.id !== "string") throw new Error("id: every client needs one, a string");
  const way = parseEndpoints(c.endpoints ?? ["/"]);
  const webSocket = c.webSocket ?? globalThis.WebSocket;
  if (typeof webSocket !== "function") throw new Error("webSocket: there is no global one here");
  const linkConfig = {
    ...defaults,
    id: c.id,
    endpoints: way.addresses,
    freshTokens: c.token !== void 0,
    incarnation: crypto.getRandomValues(new BigUint64Array(1))[0] || 1n
  };
  const given = linkConfig;
  for (const name of Object.keys(defaults)) {
    if (name !== "freshTokens" && c[name] !== void 0) given[name] = c[name];
  }
  validate(linkConfig);
  const maxQueued = c.maxQueued ?? 1 << 20;
  if (!(maxQueued >= 0)) throw new Error(`maxQueued: ${maxQueued} is below 0`);
  const none4 = new Uint8Array(0);
  encodeHello({ incarnation: 1n, attempt: 1, clientId: c.id, token: none4, returnPass: none4, ticket: none4 });
  const cfg = {
    deliver: c.deliver,
    changed: c.changed,
    failed: told(c.failed ?? ((error) => console.error(error))),
    warned: told(c.warned ?? ((text2) => console.warn(text2))),
    maxPayload: linkConfig.maxPayload,
    maxQueued,
    webSocket,
    askToken: (signal, timeout2) => c.token ? inTime(c.token, signal, timeout2) : Promise.resolve(none4)
  };
  return { cfg, way, linkConfig };
}
function told(tell) {
  return (what) => {
    try {
      tell(what);
    } catch (another) {
      console.error(another);
    }
  };
}
async function inTime(token, over, timeout2) {
  const own = new AbortController();
  const end = () => own.abort(over.reason);
  over.addEventListener("abort", end);
  const timer = setTimeout(() => own.abort(new Error("token: it took too long")), timeout2);
  const ended = new Promise((_, reject) => {
    own.signal.addEventListener("abort", () => reject(own.signal.reason));
  });
  ended.catch(() => {
  });
  try {
    return asBytes(await Promise.race([token(own.signal), ended]));
  } finally {
    clearTimeout(timer);
    over.removeEventListener("abort", end);
  }
}

// src/link/flow.ts
var leastBytes = 4096;
var leastTime = 1e4;
var Flowing = class {
  /** since and from begin the present stretch of leastTime; mark is what was there last. */
  constructor(since, from, mark = from) {
    this.since = since;
    this.from = from;
    this.mark = mark;
  }
  since;
  from;
  mark;
  /** Whether anything has moved since the last call, and all in all no slower than it must. */
  moved(now, bytes) {
    let ok = bytes > this.mark;
    this.mark = bytes;
    const stretch = now - this.since;
    if (stretch >= leastTime * 4 / 5) {
      ok = ok && bytes - this.from >= leastBytes * stretch / leastTime;
      this.since = now, this.from = bytes;
    }
    return ok;
  }
};

// src/link/conn.ts
var Conn = class {
  // its session has left it for another
  /** due is when to give up; while leaving, when to go on; else not while ready. */
  constructor(attempt, addr, due) {
    this.attempt = attempt;
    this.addr = addr;
    this.due = due;
  }
  attempt;
  addr;
  due;
  state = "connecting";
  excused = false;
  // has had its second chance since the server was last heard
  doubted = false;
  // the network has changed since the server was last heard
  saidBye = false;
  leave;
};
var overlap = 1e3;
var Leave = class {
  // when all had left; 0: it has not
  /** timeout is that of the old terms: the server shall not have to evict. */
  constructor(token, timeout2) {
    this.token = token;
    this.overlap = timeout2 > 0 ? Math.min(overlap, timeout2 / 5) : overlap;
  }
  token;
  answered = false;
  // the server has read all that was sent
  overlap;
  out;
  // what leaves
  taken = 0;
  /** Returns how long BYE is put off, 0 if it is not. */
  lingers(now, f, pongTimeout) {
    const taken = f.taken || -f.untaken;
    if (this.taken === 0) {
      if (f.untaken === 0) this.taken = now;
      else if (!this.out) this.out = new Flowing(now, taken);
      else if (now - this.out.since >= leastTime && !this.out.moved(now, taken)) return 0;
    }
    return this.taken === 0 || now < this.taken + pongTimeout ? this.overlap : 0;
  }
};

// src/link/patience.ts
var most = 3;
var Patience = class {
  constructor(cfg) {
    this.cfg = cfg;
  }
  cfg;
  connects = 0;
  // timeouts in a row
  welcomes = 0;
  /** The connect timeout of the attempt under way, or else of the next. */
  get connect() {
    return Math.min(this.cfg.connectTimeout * 2 ** this.connects, maxWait);
  }
  /** Likewise from HELLO to WELCOME. */
  get welcome() {
    return Math.min(this.cfg.welcomeTimeout * 2 ** this.welcomes, maxWait);
  }
  /** Notes how an attempt ended. What timed out while this side's network changed says nothing about the server. */
  wasted(why) {
    if (why.fault !== "peer") return;
    if (why.reason === "connect_timeout") this.connects = Math.min(this.connects + 1, most);
    if (why.reason === "welcome_timeout") this.welcomes = Math.min(this.welcomes + 1, most);
  }
};

// src/link/backoff.ts
var minSpread = 2500;
var young = 12e4;
var old = 6e5;
var loneFactor = 4;
var trusted = 3;
var Backoff = class {
  failures = 0;
  orders = 0;
  // of those, the ones for which a server said where to go and when
  refusals = 0;
  // of those, the ones after which every endpoint had refused
  /** Begins anew. */
  reset() {
    this.failures = this.orders = this.refusals = 0;
  }
  failed(ordered) {
    this.failures++;
    if (ordered) this.orders++;
  }
  /**
   * Whether servers may still order the client about without the backoff having a say: two
   * nodes that send it to each other must not make it spin.
   */
  get trusts() {
    return this.orders < trusted;
  }
  /** Doubles low with every failure after the first, up to high. */
  step(low, high) {
    return Math.min(low * 2 ** Math.min(Math.max(this.failures - 1, 0), 60), high);
  }
};
function drawMove(b, cfg, alone, random) {
  if (!alone) return random() * b.step(cfg.backoffMin, cfg.backoffMax);
  const v = b.step(Math.min(loneFactor * cfg.backoffMin, cfg.backoffMax), cfg.backoffMax);
  return Math.min(v / 2 + random() * v, cfg.backoffMax);
}
function drawOutage(b, cfg, window, age, random) {
  const top = cfg.backoffMax / 3 * 2;
  let w = Math.min(Math.max(window, minSpread, cfg.backoffMin), top);
  const grown = Math.min(Math.max(age - young, 0), old - young);
  w += (top - w) * grown / (old - young);
  const v = b.step(cfg.backoffMin, w);
  return v < w ? random() * v : w / 2 + random() * w;
}
function drawRefused(b, random) {
  const spread = Math.min(6e4 * 2 ** Math.min(b.refusals, 10), 36e5);
  b.refusals++;
  return random() * spread;
}
function drawSpread(window, noticedOver, random) {
  if (noticedOver <= 0) return below(random, window);
  const steps = Math.max(1, Math.floor(window / noticedOver));
  const step = window / steps;
  return Math.floor(random() * steps) * step + below(random, step - noticedOver);
}

// src/link/retry.ts
var localSpread = 1e3;
var none2 = new Uint8Array(0);
var Retry = class {
  // the session died while its next attempt was under way: if that fails, the loss's first draw is due
  constructor(cfg, endpoints, random) {
    this.cfg = cfg;
    this.endpoints = endpoints;
    this.random = random;
  }
  cfg;
  endpoints;
  random;
  at = 0;
  ticket = none2;
  // place in a server's queue, for the next attempt's HELLO only
  // Moves that are refused say nothing about what comes after a loss.
  lost = new Backoff();
  // of attempts without a session
  moves = new Backoff();
  // of a handover's
  outage = 0;
  // when the last stable session ended, or the link was started, in whole seconds
  unheard = false;
  // the latest attempt led elsewhere, and nobody answered
  here = false;
  // return to the endpoint of the latest attempt
  ordered = false;
  // the wait is the server's: nothing local cuts it
  owed = false;
  /** Notes that an outage begins, or none has. */
  begin(now) {
    this.outage = Math.floor(now / 1e3) * 1e3;
  }
  /** Begins anew after a session that was stable. */
  settle(now) {
    this.lost.reset();
    this.moves.reset();
    this.begin(now);
  }
  /** Says where the next attempt goes, and with what in its hand. before: no HELLO was written. */
  aim(why, b, before) {
    const unused = this.ticket.length > 0 && why.fault === "host" && before;
    if (!unused) this.ticket = none2;
    const m = why.goAway, says = m ? advice(m.code) : "elsewhere";
    if (m) this.ticket = m.ticket;
    this.ordered = m !== void 0 && (m.delay > 0 || m.window > 0) && says !== "avoid";
    this.here = says === "here" && b.trusts || unused;
  }
  /**
   * Schedules the attempt after a loss. wasReady: a session has ended. window is the last that was
   * told, own the endpoint of the session.
   */
  schedule(now, why, b, wasReady, window, own) {
    this.at = now + this.wait(now, why, b, wasReady, window, own);
    b.failed(why.goAway !== void 0);
  }
  wait(now, why, b, wasReady, window, own) {
    const m = why.goAway, says = m && advice(m.code);
    let first = 0;
    if (m && says === "avoid" && b === this.lost && this.endpoints.allRefused(this.outage)) {
      const ordered = m.delay + below(this.random, m.window);
      return Math.max(ordered, drawRefused(b, this.random));
    }
    if (m && this.ordered) {
      first = m.delay + below(this.random, m.window);
      if (b.trusts) return first;
    } else if (m && says !== "here" && this.endpoints.anyFree(now)) {
      if (b.trusts) return 0;
    } else if (why.fault === "host" || m && sessionOnly(m.code)) {
      first = below(this.random, localSpread);
      if (b.failures === 0) return first;
    } else if (wasReady) {
      first = drawSpread(Math.min(window, maxWait), why.noticedOver ?? 0, this.random);
      if (b.failures === 0) return first;
    }
    const draw = b === this.moves ? drawMove(b, this.cfg, this.endpoints.alone(own), this.random) : drawOutage(b, this.cfg, window, now - this.outage, this.random);
    return Math.max(first, draw);
  }
  /** Schedules the next connection of a handover. */
  move(now, m, own) {
    const alone = this.endpoints.alone(own);
    let wait2 = m.delay + below(this.random, m.window);
    if (!this.moves.trusts || alone) {
      wait2 = Math.max(wait2, drawMove(this.moves, this.cfg, alone, this.random));
    }
    this.ticket = m.ticket, this.ordered = m.delay > 0 || m.window > 0, this.here = false;
    this.moves.failed(true);
    this.at = now + wait2;
  }
  /** Cuts a wait that nobody ordered to a second at most, and reports whether it did. */
  cut(now) {
    const at = now + below(this.random, localSpread);
    if (this.ordered || at >= this.at) return false;
    this.at = at;
    return true;
  }
};

// src/link/endpoints.ts
var maxAlternates = 8;
var maxPenalties = 32;
var penaltyTime = 12e4;
var maxPenalty = 6e5;
var Endpoints = class {
  // of the latest session
  constructor(cfg, random) {
    this.cfg = cfg;
    this.random = random;
  }
  cfg;
  random;
  alternates = [];
  // Of what is over it is remembered what it was for, until the room is needed.
  penalties = /* @__PURE__ */ new Map();
  home = "";
  /** Puts the endpoints of a node's list before those that are known. What is no address is skipped. */
  addAlternates(list) {
    if (this.cfg.ignoreAlternates || list === "") return;
    const merged = [];
    for (const addr of [...list.split(","), ...this.alternates]) {
      if (merged.length < maxAlternates && validAddress(addr) && !this.cfg.endpoints.includes(addr) && !merged.includes(addr)) {
        merged.push(addr);
      }
    }
    this.alternates = merged;
  }
  all() {
    return [...this.cfg.endpoints, ...this.alternates];
  }
  /**
   * Chooses uniformly among the endpoints without a penalty, or takes the one whose penalty ends
   * first. homeward: nobody answered elsewhere; the endpoint of the latest session, if it is
   * avoided as well, is worth a try between those.
   */
  pick(now, homeward) {
    const all = this.all();
    if (homeward && all.includes(this.home) && this.standing(now, this.home) === "failed") return this.home;
    const free = all.filter((addr) => this.standing(now, addr) === "free");
    if (free.length > 0) return free[Math.floor(this.random() * free.length)];
    let least = all[0];
    for (const addr of all) {
      if (this.penalties.get(addr).until < this.penalties.get(least).until) least = addr;
    }
    return least;
  }
  standing(now, addr) {
    const p = this.penalties.get(addr);
    return p && p.until > now ? p.why : "free";
  }
  anyFree(now) {
    return this.all().some((addr) => this.standing(now, addr) === "free");
  }
  /** Whether there is no endpoint but own. */
  alone(own) {
    return this.all().every((addr) => addr === own);
  }
  /**
   * Whether the latest answer of every endpoint that answers at all was a code from 3500. One
   * whose penalty was over before the present outage began does not count: it may be mended.
   */
  allRefused(outage) {
    return this.all().every((addr) => {
      const p = this.penalties.get(addr);
      return p?.why === "refused" && p.until > outage;
    });
  }
  penalise(now, addr, why, window) {
    const p = this.penalties.get(addr);
    const until = Math.min(Math.max(now, p?.until ?? 0) + penaltyTime + window, now + maxPenalty);
    this.penalties.delete(addr);
    if (this.penalties.size === maxPenalties) this.forgetFirst();
    this.penalties.set(addr, { until: Math.floor(until / 1e3) * 1e3, why });
  }
  /** Forgets what was held against the endpoint of a session. */
  acquit(addr) {
    this.penalties.delete(addr);
  }
  forgetFirst() {
    let first = "", until = Infinity;
    for (const [addr, p] of this.penalties) {
      if (p.until < until) first = addr, until = p.until;
    }
    this.penalties.delete(first);
  }
};

// src/link/grant.ts
var leastRenewal = 1e3;
var Grant = class {
  // when the owner is to be asked for another token
  constructor(fresh, random) {
    this.fresh = fresh;
    this.random = random;
  }
  fresh;
  random;
  ends = 0;
  // of the session; 0: it has no end, as far as is known
  renew = Infinity;
  /** When to ask for a token. */
  get due() {
    return this.ends === 0 ? Infinity : this.renew;
  }
  /** Begins anew with a session. */
  clear() {
    this.ends = 0, this.renew = Infinity;
  }
  /** Notes that the session may last so long from now; 0 says nothing new. */
  set(now, left) {
    if (left <= 0) return;
    if (left === Infinity) {
      this.clear();
      return;
    }
    this.ends = now + left;
    this.draw(now);
  }
  /** Draws when to ask: U(0.7, 0.9) of what is left, so that those who came together do not renew together. */
  draw(now) {
    const left = this.ends - now;
    this.renew = Infinity;
    if (this.fresh && left > leastRenewal) {
      this.renew = now + Math.max(left * 0.7 + this.random() * left / 5, leastRenewal);
    }
  }
};

// src/link/heartbeat.ts
var defaultInterval = 3e4;
var looks = 8;
var Heartbeat = class {
  wrote = 0;
  // the latest frame of any kind to the server
  heard = 0;
  // the latest complete frame from the server
  beat = 0;
  // drawn for each PING: U(0.8, 1.0) x interval
  speak = Infinity;
  // the longest silence of ours while an answer is waited for
  pongDue = 0;
  // dead if nothing complete comes until then; 0: not waiting
  pingAt = 0;
  // when the earliest PING was written that has no answer, or the latest that has one
  earliest = 0n;
  // its token
  after = 0;
  // bytes written after the latest
  token = 0n;
  // of the latest PING; they are numbered from 1 over all sessions
  answered = true;
  // the PONG of the earliest, or of one behind it, has come
  telling = false;
  // the latest PING was sent to tell that tighter terms are applied
  taken = false;
  // the latest PING has left, as far as can be known
  rtt = 0;
  // from the earliest PING that waited to the latest answer
  lookAt = 0;
  // when to ask whether the PING has left
  slow;
  // its answer is late and something moves
  get waiting() {
    return this.pongDue !== 0;
  }
  /**
   * When to PING, when to look after the PING, or when the answer must be there. The PING waits
   * for the earlier of the two directions: a client that writes all the time into a half-open
   * connection hears nothing and PINGs as well.
   */
  get deadline() {
    if (!this.waiting) return Math.min(this.wrote, this.heard) + this.beat;
    return Math.min(this.pongDue, this.taken ? Infinity : this.lookAt, this.sayAt);
  }
  /**
   * When another PING is due while an answer is waited for: the way back may be late while all
   * that we write arrives, and the server must not take the client for dead.
   */
  get sayAt() {
    return this.wrote + (this.slow ? this.beat : this.speak);
  }
  /** Draws the silences before the next PING by the terms, and own, which is the config's interval. */
  draw(own, terms, random) {
    const d = intervalOf(own, terms);
    this.beat = d - random() * d / 5;
    this.speak = terms.timeout > 0 ? Math.max(terms.timeout / 2, this.beat) : Infinity;
  }
  /** Begins the wait for something complete. */
  await(now, timeout2) {
    this.pongDue = now + timeout2;
    this.lookAt = now + Math.min(timeout2 / looks, this.beat);
    this.taken = false, this.slow = void 0;
  }
  /** Ends it. */
  heardNow(now) {
    this.heard = now, this.pongDue = 0;
    this.slow = void 0;
  }
  /** Takes the token of a PING that is written now. */
  nextToken(now) {
    this.token++;
    if (this.answered) this.pingAt = now, this.earliest = this.token;
    this.answered = this.telling = false;
    return this.token;
  }
  /**
   * Notes a PONG and reports whether it is a round trip. Else it is an announcement, or the answer of
   * one that was answered with an earlier.
   */
  ponged(now, token) {
    if (this.answered || token < this.earliest || token > this.token) return false;
    this.answered = true;
    this.rtt = now - this.pingAt;
    return true;
  }
  /** Whether a PONG is late, so that the owner is to tell the flow. */
  asks(now) {
    return this.waiting && now >= this.deadline;
  }
  /** Notes that nothing is known against the PING's having left. */
  looked(now) {
    this.taken = this.taken || now >= this.lookAt;
  }
  /** Judges a PING that is not answered yet. */
  look(now, f, timeout2) {
    const taken = f.taken || this.after - f.untaken;
    let over = now >= this.pongDue;
    if (!this.taken && f.untaken <= this.after) {
      this.taken = true;
      if (this.slow) {
        this.pongDue = Math.max(this.pongDue, this.slow.looked + timeout2);
        over = now >= this.pongDue;
      }
    }
    if (!this.slow) {
      if (this.taken && f.partial === 0) return;
      this.slow = { looked: 0, out: void 0, in: new Flowing(now, f.partial) };
    }
    const s = this.slow;
    if (!this.taken) {
      s.out ??= new Flowing(now, taken);
      s.looked = now, this.lookAt = now + Math.min(timeout2 / looks, this.beat);
    }
    if (!over) return;
    let moves = s.in.moved(now, f.partial);
    if (!this.taken) moves = s.out.moved(now, taken) || moves;
    if (moves) this.pongDue = now + timeout2;
  }
  /** Notes that the first n bytes of a frame have come: the answer stands behind that frame. */
  begins(now, n) {
    if (!this.waiting) return;
    if (!this.slow) this.slow = { looked: 0, out: void 0, in: new Flowing(now, n, 0) };
    else if (this.slow.in.from === 0) this.slow.in = new Flowing(now, n, 0);
  }
};
function intervalOf(own, terms) {
  let d = own || terms.interval;
  if (terms.patience > 0) d = Math.max(d, terms.interval);
  d ||= defaultInterval;
  if (terms.timeout > 0) d = Math.min(d, terms.timeout / 5 * 4);
  return Math.min(Math.max(d, minInterval), maxWait);
}

// src/link/pacer.ts
var share = 0.95;
var maxHello = 5 << 10;
var lookAgain = 10;
function bucket(perSecond, burst) {
  const b = burst || perSecond;
  const spare = Math.min(perSecond, b / 2);
  return { room: b - spare, spare, rate: share * Math.min(perSecond, spare) };
}
var Pacer = class {
  // and after it
  constructor(at) {
    this.at = at;
  }
  at;
  used = { frames: 1, bytes: maxHello };
  // of what has left, what the server may still hold against the session
  sent = { frames: 0, bytes: 0 };
  // of what has not, as far as is known: up to a mark,
  later = { frames: 0, bytes: 0 };
  /** Says how much of all that was written has not left. */
  taken(now, untaken, limits) {
    this.leak(now, limits);
    if (untaken > this.later.bytes) return;
    const moved = { ...this.sent };
    this.sent = this.later, this.later = { frames: 0, bytes: 0 };
    if (untaken === 0) {
      moved.frames += this.sent.frames, moved.bytes += this.sent.bytes;
      this.sent = { frames: 0, bytes: 0 };
    }
    if (moved.frames > 0) this.used.frames = Math.max(this.used.frames, 0) + moved.frames;
    if (moved.bytes > 0) this.used.bytes = Math.max(this.used.bytes, 0) + moved.bytes;
  }
  /** Counts what is written now. */
  spend(frames, bytes) {
    this.later.frames += frames, this.later.bytes += bytes;
  }
  /** How long a frame of that cost has to wait, in milliseconds; 0 if it need not. */
  wait(now, frames, bytes, limits) {
    this.leak(now, limits);
    const ms = Math.max(
      wait(frames, this.used.frames, this.sent.frames + this.later.frames, limits.frames, limits.frameBurst),
      wait(bytes, this.used.bytes, this.sent.bytes + this.later.bytes, limits.bytes, limits.byteBurst)
    );
    return ms === 0 ? 0 : Math.max(ms, 1);
  }
  // Forgets what the server has forgotten by now. It goes on below nothing, as far as the spare,
  // when the server has surely forgotten all.
  leak(now, limits) {
    const seconds = (now - this.at) / 1e3;
    this.at = now;
    const f = bucket(limits.frames, limits.frameBurst), b = bucket(limits.bytes, limits.byteBurst);
    this.used.frames = Math.max(-f.spare, this.used.frames - seconds * f.rate);
    this.used.bytes = Math.max(-b.spare, this.used.bytes - seconds * b.rate);
  }
};
function wait(n, used, untaken, perSecond, burst) {
  const { room, spare, rate } = bucket(perSecond, burst);
  let over = Math.max(used, 0) + untaken + n - room;
  if (n > room) over = used + untaken + spare;
  if (n === 0 || perSecond === 0 || over <= 0) return 0;
  if (untaken > 0 && over > Math.max(used, 0)) return lookAgain;
  return over / rate * 1e3;
}

// src/link/sends.ts
var maxUnsettled = 256;
var Sends = class {
  last = 0n;
  // number of the latest SEND, over all connections
  kept = [];
  // in the order of their numbers
  out = 0;
  bytes = 0;
  // bodies of kept[:out]
  due = Infinity;
  // when to go on with sending again; Infinity if nothing but an answer helps
  untaken = 0;
  // what flow told last of the session's connection, and SENDs since
  told = false;
  // flow was called since the last tick
  probe = 0n;
  // the answer to this number says that all that was written has been read; 0: none does
  /** Whether something waits to be sent again. */
  get behind() {
    return this.out < this.kept.length;
  }
  /** Whether a server with these limits takes one more unsettled body of n bytes. */
  room(n, limits) {
    const most2 = Math.min(limits.unsettled || maxUnsettled, maxUnsettled);
    return this.out < most2 && (this.out === 0 || limits.unsettledBytes === 0 || this.bytes + n <= limits.unsettledBytes);
  }
  /** Whether the next number may be used. */
  get windowOpen() {
    const first = this.kept.find((m) => !m.ghost);
    return first === void 0 || this.last + 1n - first.number < maxUnsettled;
  }
  /** Forgets ghosts below the window of the next number: for their server, too, they are settled. */
  slide() {
    while (this.kept[0]?.ghost && this.last + 1n - this.kept[0].number >= maxUnsettled) this.remove(0, 1);
  }
  /** Keeps a new message, whose body must not change any more, and returns its number. */
  keep(body, asks) {
    this.kept.push({ number: ++this.last, body, attempt: 0, asks, ghost: false });
    return this.last;
  }
  /** The place of the first message from number on. */
  find(number) {
    let low = 0, high = this.kept.length;
    while (low < high) {
      const mid = low + high >> 1;
      if (this.kept[mid].number < number) low = mid + 1;
      else high = mid;
    }
    return low;
  }
  /** The place of a message that is outstanding, -1 if it is not. */
  place(number) {
    const i = this.find(number);
    return this.kept[i]?.number === number ? i : -1;
  }
  remove(from, to) {
    for (let i = from; i < Math.min(to, this.out); i++) this.bytes -= this.kept[i].body.length;
    this.out -= Math.max(Math.min(to, this.out) - from, 0);
    this.kept.splice(from, to - from);
  }
  removeIf(which) {
    for (let i = 0; i < this.kept.length; ) {
      if (which(this.kept[i])) this.remove(i, i + 1);
      else i++;
    }
  }
  /** Forgets kept[from:to], but for what another connection's server has still to answer. */
  answered(from, to, attempt) {
    for (let i = to - 1; i >= from; i--) {
      const m = this.kept[i];
      if (i < this.out && m.attempt !== attempt) m.ghost = true;
      else this.remove(i, i + 1);
    }
  }
  /** The messages that are neither settled nor given up, in order. */
  unsettled() {
    return this.kept.filter((m) => !m.ghost);
  }
};

// src/link/outbox.ts
var numberLen = 8;
var sendOverhead = numberLen + overhead;
var replyOverhead = sendOverhead + numberLen;
var maxAnswer = overhead + 12 + 3 + 256;
var resendPiece = 64 << 10;
var Outbox = class {
  constructor(cfg, host) {
    this.cfg = cfg;
    this.host = host;
  }
  cfg;
  host;
  limits = noLimits;
  sends = new Sends();
  pacer;
  readyAt = 0;
  /** When to go on with sending again. */
  get due() {
    return this.host.ready ? this.sends.due : Infinity;
  }
  /** Begins a session, and to send again over it what is not settled. */
  begin(now, limits) {
    this.limits = limits ?? noLimits;
    this.pacer = void 0, this.readyAt = now;
  }
  resume(now) {
    const s = this.sends;
    s.untaken = 0, s.probe = 0n, s.due = Infinity;
    if (this.cfg.atMostOnce) return;
    s.removeIf((m) => m.ghost);
    s.out = 0, s.bytes = 0;
    this.resend(now);
  }
  /** Obeys limits that a PONG brought, and reports whether the server has to hear of it. */
  tighten(m) {
    const old2 = this.limits;
    this.limits = m;
    const judged = ["maxSend", "frames", "frameBurst", "bytes", "byteBurst", "unsettled", "unsettledBytes"];
    return judged.some((name) => m[name] !== 0 && (m[name] < old2[name] || old2[name] === 0));
  }
  /** How many bytes a body may have, with so many before it that are none of the number's. */
  most(before = 0) {
    let most2 = this.cfg.maxPayload - numberLen;
    if (this.limits.maxSend > 0) most2 = Math.min(most2, this.limits.maxSend - numberLen);
    if (this.limits.bytes > 0 && this.limits.byteBurst > 0) most2 = Math.min(most2, this.limits.byteBurst - sendOverhead);
    return Math.max(most2 - before, 0);
  }
  /** How long a body of n bytes has to wait by the limits, and for what is sent again before it. */
  pace(now, n) {
    if (this.sends.behind && this.sends.due !== Infinity) return Math.max(this.sends.due - now, 1);
    return this.pacing(now, 1, n + sendOverhead);
  }
  pacing(now, frames, bytes) {
    const l = this.limits;
    if (!this.pacer) {
      if (l.frames === 0 && l.bytes === 0) return 0;
      this.pacer = new Pacer(this.readyAt);
    }
    return this.pacer.wait(now, frames, bytes, l);
  }
  /** Counts a frame of n bytes in all. */
  spend(n) {
    this.pacer?.spend(1, n);
  }
  /** Says that the server has read all that was written. */
  allTaken(now) {
    this.pacer?.taken(now, 0, this.limits);
  }
  /** Says how much of what was written has not left. */
  flow(now, untaken) {
    this.pacer?.taken(now, untaken, this.limits);
    this.sends.untaken = untaken, this.sends.told = true;
  }
  maySend(now, n) {
    if (n > this.most()) return "too large";
    if (!this.host.ready) return "not ready";
    if (this.sends.behind && this.sends.due === Infinity) return "full";
    if (this.pace(now, n) > 0) return "paced";
    return void 0;
  }
  /**
   * Sends a message and returns its number. It is kept, and must not change, until it is settled,
   * which an event tells, once.
   */
  send(now, body, asks) {
    const why = this.maySend(now, body.length);
    if (why) return why;
    const s = this.sends;
    s.slide();
    if (!s.windowOpen || !s.room(body.length, this.limits)) return "full";
    s.keep(body, asks);
    this.host.wrote(now, this.host.attempt, this.encodeKept());
    s.probe = s.last;
    return s.last;
  }
  /** Sends a message that wants no answer. It is lost with its connection. */
  post(now, body) {
    const why = this.maySend(now, body.length);
    if (why) return why;
    this.sends.probe = 0n;
    const b = encodeSend(0n, body, false);
    this.written(b.length);
    this.host.wrote(now, this.host.attempt, b);
    return void 0;
  }
  // The first of kept[out:] goes over the session's connection.
  encodeKept() {
    const s = this.sends, m = s.kept[s.out];
    m.attempt = this.host.attempt;
    s.out++;
    s.bytes += m.body.length;
    s.probe = 0n;
    const b = encodeSend(m.number, m.body, m.asks);
    this.written(b.length);
    return b;
  }
  written(n) {
    this.spend(n);
    this.sends.untaken += n;
  }
  /** Goes on with sending again, below the limits and no faster than the owner gets rid of it. */
  resend(now) {
    const s = this.sends;
    if (!this.host.ready) return;
    const before = s.due, parts = [];
    s.due = Infinity;
    while (s.behind) {
      const n = s.kept[s.out].body.length;
      if (n > this.most()) {
        this.giveUpAt(s.out, new Error(`message exceeds the limit: ${n} bytes, ${this.most()} are allowed`));
        continue;
      }
      if (!s.room(n, this.limits)) break;
      if (s.untaken > 0 && s.untaken + n > resendPiece) {
        s.due = Math.min(before, now + lookAgain);
        break;
      }
      const wait2 = this.pacing(now, 1, n + sendOverhead);
      if (wait2 > 0) {
        s.due = now + wait2;
        break;
      }
      parts.push(this.encodeKept());
    }
    if (parts.length > 0) this.host.wrote(now, this.host.attempt, join(parts));
  }
  /** Goes on with it when that is due. An owner that tells no flow has handed on what was written. */
  tick(now) {
    if (now < this.due) return;
    const s = this.sends;
    if (!s.told) s.untaken = 0;
    s.told = false, s.due = Infinity;
    this.resend(now);
  }
  acked(now, attempt, m) {
    const s = this.sends, from = s.find(m.first), to = s.find(m.last + 1n);
    if (from === to) return;
    if (s.probe !== 0n && s.probe >= m.first && s.probe <= m.last && attempt === this.host.attempt) this.allTaken(now);
    for (let i = from; i < to; ) {
      const first = s.kept[i].number;
      let run = 0;
      while (i + run < to && !s.kept[i + run].ghost && s.kept[i + run].number === first + BigInt(run)) run++;
      if (run > 0) this.host.tell({ kind: "acked", attempt, first, last: first + BigInt(run) - 1n, what: m.what });
      i += Math.max(run, 1);
    }
    s.answered(from, to, attempt);
    this.resend(now);
  }
  nacked(now, attempt, m) {
    this.answered(now, attempt, m.number, (body) => ({
      kind: "nacked",
      attempt,
      number: m.number,
      body,
      error: new RefusedError(m.code, m.reason)
    }));
  }
  /** A reply settles a message; to one that has not asked it is an ACK. */
  replied(now, attempt, number, reply) {
    this.answered(now, attempt, number, (_, asks) => asks ? { kind: "replied", attempt, number, body: reply } : { kind: "acked", attempt, first: number, last: number, what: 0 });
  }
  answered(now, attempt, number, event) {
    const s = this.sends, i = s.place(number), m = s.kept[i];
    if (!m) return;
    if (number === s.probe && attempt === this.host.attempt) this.allTaken(now);
    if (!m.ghost) this.host.tell(event(m.body, m.asks));
    s.answered(i, i + 1, attempt);
    this.resend(now);
  }
  /** Settles a message without the server: it is not sent again, nothing is told of it any more. */
  giveUp(now, number) {
    const s = this.sends, i = s.place(number), m = s.kept[i];
    if (!m || m.ghost) return false;
    if (i >= s.out) s.remove(i, i + 1);
    else m.ghost = true;
    this.resend(now);
    return true;
  }
  giveUpAt(i, error) {
    const m = this.sends.kept[i];
    if (!m.ghost) this.host.tell({ kind: "given_up", attempt: m.attempt, number: m.number, body: m.body, error });
    this.sends.remove(i, i + 1);
  }
  /** What the end of a session's connection means for what was sent over it. */
  ended(attempt) {
    if (!this.cfg.atMostOnce) return;
    for (let i = 0; i < this.sends.kept.length; ) {
      if (this.sends.kept[i].attempt === attempt) this.giveUpAt(i, new Error("the connection was lost"));
      else i++;
    }
  }
  /** How long a reply of n bytes has to wait by the limits of the session. Short ones need not. */
  replyPace(now, attempt, n) {
    const size = Math.max(n + replyOverhead - maxAnswer, 0);
    return size === 0 || attempt !== this.host.attempt ? 0 : this.pacing(now, 0, size);
  }
  /** Replies to a message of the server's. replyPace has passed, and mostReply says that it is not too large. */
  reply(now, attempt, to, body) {
    const b = encodeReply(to, body), size = Math.max(b.length - maxAnswer, 0);
    if (attempt === this.host.attempt) {
      this.pacer?.spend(0, size);
      if (size > 0) this.sends.untaken += b.length, this.sends.probe = 0n;
    }
    this.host.wrote(now, attempt, b);
  }
  /** How many bytes a reply may have. */
  get mostReply() {
    return this.most(numberLen);
  }
};

// src/link/session.ts
var probeTime = 1e3;
var maxPongTimeout = 6e4;
var none3 = new Uint8Array(0);
var noTerms = { interval: 0, timeout: 0, window: 0, patience: 0, number: 0 };
var Session = class {
  constructor(cfg, random) {
    this.cfg = cfg;
    this.random = random;
    validate(cfg);
    this.endpoints = new Endpoints(cfg, random);
    this.grant = new Grant(cfg.freshTokens, random);
    const session = this;
    const host = {
      get attempt() {
        return session.attempt;
      },
      get ready() {
        return session.current?.state === "ready";
      },
      wrote: (now, attempt, bytes) => this.wrote(now, this.find(attempt), bytes),
      tell: (event) => this.tell(event)
    };
    this.outbox = new Outbox(cfg, host);
  }
  cfg;
  random;
  actions = [];
  current;
  // the session's, or the attempt to get one
  next;
  // around a handover: the next one, or the one that was left
  rest = "idle";
  // the state while there is no connection
  terms = noTerms;
  pongs = 0;
  heartbeat = new Heartbeat();
  endpoints;
  grant;
  outbox;
  /** What is to be done, in order. The next call begins anew. */
  take() {
    const actions = this.actions;
    this.actions = [];
    return actions;
  }
  /** While it moves from one server to another, a link is ready. */
  get state() {
    return this.current?.state ?? this.rest;
  }
  /** That of the session's connection, or of the attempt to get one; 0 if there is neither. */
  get attempt() {
    return this.current?.attempt ?? 0;
  }
  /** The connections that there are. */
  conns() {
    return [this.current, this.next].filter((c) => c !== void 0);
  }
  /** The connection of an attempt, if it is not gone. */
  find(attempt) {
    return this.conns().find((c) => c.attempt === attempt);
  }
  act(action) {
    this.actions.push(action);
  }
  tell(event) {
    this.act({ do: "tell", event });
  }
  write(c, bytes) {
    this.act({ do: "write", attempt: c.attempt, bytes });
  }
  // Has frames written on a session's connection.
  wrote(now, c, bytes) {
    this.write(c, bytes);
    if (c !== this.current) return;
    this.heartbeat.wrote = now;
    this.heartbeat.after += bytes.length;
  }
  // Notes a complete frame from the server, of whatever type.
  alive(now, c) {
    c.excused = c.doubted = false;
    if (c === this.current) this.heartbeat.heardNow(now);
  }
  pong(now, c, m) {
    if (c.leave) {
      this.readTo(now, c, m.token);
      return;
    }
    let tighter = this.setTerms(c, m.terms);
    if (m.limits && !sameFields(m.limits, this.outbox.limits)) {
      tighter = this.outbox.tighten(m.limits) || tighter;
      this.tell({ kind: "limited", attempt: c.attempt });
    }
    this.grant.set(now, m.expires);
    this.endpoints.addAlternates(m.alternates);
    const h = this.heartbeat;
    if (m.token === h.token && h.after === 0) this.outbox.allTaken(now);
    if (h.ponged(now, m.token)) {
      this.pongs++;
      this.tell({ kind: "pong", attempt: c.attempt, rtt: h.rtt });
    }
    if (tighter && !h.telling) {
      this.ping(now, now, c, none3);
      h.telling = true;
    }
    if (m.limits) this.outbox.resend(now);
  }
  // Obeys new terms at once, and reports whether the server has to hear of it: a shorter timeout
  // holds from the PING that carries its number.
  setTerms(c, t) {
    const old2 = this.terms;
    this.terms = t;
    if (t.interval === old2.interval && t.timeout === old2.timeout && t.patience === old2.patience) return false;
    this.heartbeat.draw(this.cfg.interval, t, this.random);
    this.tell({ kind: "termed", attempt: c.attempt, terms: t });
    return t.timeout !== 0 && (t.timeout < old2.timeout || old2.timeout === 0);
  }
  /** Asks a session's server at once, unless an answer is waited for already. */
  askNow(now) {
    if (this.state === "ready" && !this.heartbeat.waiting) this.ping(now, now, this.current, none3);
  }
  ping(now, intended, c, token) {
    const h = this.heartbeat;
    h.draw(this.cfg.interval, this.terms, this.random);
    h.await(now, this.pongTimeout);
    this.sayPing(now, intended, c, token);
    h.after = 0;
  }
  sayPing(now, intended, c, token) {
    const b = encodePing(this.heartbeat.nextToken(now), this.terms.number, token);
    this.wrote(now, c, b);
    this.outbox.spend(b.length);
    this.tell({ kind: "ping", attempt: c.attempt, intended });
  }
  // How long the session's server may take to answer a PING.
  get pongTimeout() {
    const d = Math.max(this.cfg.pongTimeout, Math.min(this.terms.patience, maxPongTimeout));
    return this.current?.doubted ? Math.min(Math.max(probeTime, 2 * this.heartbeat.rtt), d) : d;
  }
  /** Whether tick wants to be told the flow of a connection before it is called at now. */
  asks(now, attempt) {
    const c = this.find(attempt);
    if (c?.state !== "ready") return false;
    if (c.leave) return now >= c.due && !c.saidBye && !c.leave.answered;
    return this.heartbeat.asks(now) || now >= this.outbox.due;
  }
  /** Tells what the owner knows of the bytes of a connection. It may be called at any time. */
  flow(now, attempt, f) {
    const c = this.find(attempt);
    if (!c) return;
    if (c === this.current) this.outbox.flow(now, f.untaken);
    if (!this.asks(now, attempt)) return;
    if (c.leave) {
      const wait2 = c.leave.lingers(now, f, this.pongTimeout);
      if (wait2 > 0) c.due = now + wait2;
    } else if (this.heartbeat.asks(now)) {
      this.heartbeat.look(now, f, this.pongTimeout);
    }
  }
  // Takes a PONG of a connection that was left: if it answers the last PING, the server has read
  // everything, and has a moment to acknowledge it.
  readTo(now, c, token) {
    const v = c.leave;
    if (token !== v.token || v.answered) return;
    v.answered = true;
    this.pongs++;
    if (!c.saidBye) c.due = now + v.overlap;
  }
  /** Sends a new token to the server of the session of that attempt, that of the event "expiring". */
  renew(now, attempt, token) {
    if (token.length > maxToken) throw new RangeError(`token of ${token.length} bytes, ${maxToken} are allowed`);
    const c = this.current;
    if (c?.attempt !== attempt || c.state !== "ready" || token.length === 0) return;
    if (this.heartbeat.waiting) this.sayPing(now, now, c, token);
    else this.ping(now, now, c, token);
  }
  /** What is sent for the application. */
  get box() {
    return this.outbox;
  }
  /** The messages that are neither settled nor given up, in order. */
  unsettled() {
    return this.outbox.sends.unsettled();
  }
  /**
   * Tells the server that messages are dealt with. attempt is that of their events: a session that
   * has ended since gets no ACK, and false is returned. The number 0 wants no answer, and gets none.
   */
  ack(now, attempt, m) {
    return this.answer(now, attempt, m.last, () => encodeAck(m));
  }
  /** Tells it that one is refused for good. Throws a WireError for a reason that NACK cannot carry. */
  nack(now, attempt, m) {
    return this.answer(now, attempt, m.number, () => encodeNack(m));
  }
  answer(now, attempt, number, frame) {
    if (!this.answerable(attempt)) return false;
    if (number !== 0n) this.wrote(now, this.find(attempt), frame());
    return true;
  }
  /** Whether the messages of an attempt's connection can still be answered. */
  answerable(attempt) {
    const c = this.find(attempt);
    return c?.state === "ready" && !c.saidBye;
  }
};
function sameFields(a, b) {
  return Object.keys(a).every((k) => a[k] === b[k]);
}

// src/link/attempts.ts
var Attempts = class extends Session {
  moving = false;
  // the session's server drains: next is, or will be, the next
  addr = "";
  // of the latest of current
  nextAddr = "";
  // of the latest of next
  returnPass = none3;
  // secret that WELCOME gave, presented after a loss
  node = "";
  session = "";
  readyAt = 0;
  lastError;
  attempts = 0;
  sessions = 0;
  losses = 0;
  retry;
  patience;
  constructor(cfg, random) {
    super(cfg, random);
    this.retry = new Retry(cfg, this.endpoints, random);
    this.patience = new Patience(cfg);
  }
  dial(now) {
    const handover = this.current !== void 0, latest = handover ? this.nextAddr : this.addr;
    const addr = this.retry.here ? latest : this.endpoints.pick(now, this.retry.unheard && !handover);
    this.retry.here = false;
    const c = new Conn(++this.attempts, addr, now + this.patience.connect);
    if (handover) this.next = c, this.nextAddr = addr;
    else this.current = c, this.addr = addr;
    this.act({ do: "dial", attempt: c.attempt, addr });
  }
  /** Says that what precedes the connection is done: a token is there. The connect timeout starts anew. */
  resolved(now, attempt) {
    const c = this.find(attempt);
    if (c?.state === "connecting") c.due = now + this.patience.connect;
  }
  /** Says that the connection is up; HELLO goes out. A token that is out of bounds costs the attempt. */
  connected(now, attempt, token) {
    const c = this.find(attempt);
    if (c?.state !== "connecting") return;
    let hello;
    try {
      hello = encodeHello({
        incarnation: this.cfg.incarnation,
        attempt,
        clientId: this.cfg.id,
        token,
        returnPass: this.returnPass,
        ticket: this.retry.ticket
      });
    } catch (error) {
      this.lose(now, c, { reason: "connect_failed", error, fault: "host" });
      return;
    }
    this.write(c, hello);
    if (c === this.current) this.heartbeat.wrote = now;
    c.state = "handshaking";
    this.patience.connects = 0;
    c.due = now + this.patience.welcome;
  }
  /** Says that the dial failed or the connection ended under the link. What it had read was given to received before. */
  disconnected(now, attempt, error, fault) {
    const c = this.find(attempt);
    if (!c) return;
    const reason = c.state === "connecting" ? "connect_failed" : "closed";
    if (c.state === "ready" && c.doubted) fault = "host";
    this.lose(now, c, { reason, error, fault, ended: true });
  }
  // Begins the session, or moves it.
  welcome(now, c, m) {
    if (m.version !== protocolVersion || m.features !== 0) {
      throw new WireError(`WELCOME with version ${m.version} and features ${m.features}, neither was offered`);
    }
    const moved = c !== this.current;
    if (moved) this.move(now, c);
    this.session = m.session, this.node = m.node, this.returnPass = m.returnPass;
    this.endpoints.addAlternates(m.alternates);
    this.endpoints.home = c.addr;
    this.endpoints.acquit(c.addr);
    this.readyAt = now;
    this.patience.welcomes = 0;
    this.sessions++;
    c.state = "ready";
    this.terms = m.terms;
    this.outbox.begin(now, m.limits);
    this.grant.clear();
    this.grant.set(now, m.expires);
    const h = this.heartbeat;
    h.draw(this.cfg.interval, m.terms, this.random);
    h.answered = true, h.telling = false;
    this.tell({ kind: moved ? "moved" : "ready", attempt: c.attempt, session: m.session, node: m.node, terms: m.terms });
    this.outbox.resume(now);
  }
  // Obeys the server's farewell.
  goAway(now, c, m) {
    if (c.leave) {
      this.dropLeaving();
      return;
    }
    this.endpoints.addAlternates(m.alternates);
    m = { ...m, delay: Math.min(m.delay, maxWait), window: Math.min(m.window, maxWait) };
    if (m.code === codes.draining && c.state === "ready") {
      this.handOver(now, c, m);
      return;
    }
    const error = new CodeError(m.code, m.reason);
    const why = { reason: "closed", error, fault: "peer", goAway: m };
    if (!this.replacedByUs(c, m.code) && this.stops(c, m.code)) {
      this.ended(c, why);
      this.halt(error);
      return;
    }
    this.lose(now, c, why);
  }
  // Whether a code ends the client for good. While there is a session, no other node's word does.
  stops(c, code) {
    if (c !== this.current || this.cfg.neverGiveUp) return false;
    if (code === codes.token_expired) return !this.cfg.freshTokens;
    if (code >= 3900 && code <= 3999) return c.state === "ready";
    return code === codes.replaced;
  }
  // Whether a "replaced" on the session is the doing of our own next connection, whose HELLO is out.
  replacedByUs(c, code) {
    return code === codes.replaced && c === this.current && this.moving && this.next?.state === "handshaking";
  }
  // Ends a connection and schedules the next attempt.
  lose(now, c, why) {
    if (!why.ended) this.close(c);
    if (c.leave) {
      this.outbox.ended(c.attempt);
      this.next = void 0;
      return;
    }
    this.ended(c, why);
    const blamed = blamedFor(why);
    if (blamed) this.endpoints.penalise(now, c.addr, blamed, this.terms.window);
    const r = this.retry, isCurrent = c === this.current, b = isCurrent ? r.lost : r.moves;
    let wasReady = c.state === "ready";
    if (wasReady) {
      this.outbox.ended(c.attempt);
      this.settle(now);
      const window = why.goAway && !sessionOnly(why.goAway.code) ? why.goAway.window : 0;
      if (window > 0) this.terms = { ...this.terms, window };
    } else {
      this.patience.wasted(why);
    }
    r.unheard = why.reason === "connect_timeout" && why.fault === "peer" && c.addr !== this.endpoints.home;
    if (isCurrent) {
      this.current = void 0, this.rest = "backing off";
      if (this.promote()) {
        r.owed = true;
        return;
      }
      wasReady ||= r.owed;
      r.owed = false;
    } else {
      this.next = void 0;
    }
    r.aim(why, b, c.state === "connecting");
    r.schedule(now, why, b, wasReady, this.terms.window, this.addr);
    this.tell({ kind: "retry_at", at: r.at });
  }
  // Counts and tells the end of a connection.
  ended(c, why) {
    const wasReady = c.state === "ready", attempt = c.attempt, m = why.goAway;
    if (wasReady) this.losses++;
    this.lastError = why.error;
    if (m) this.tell({ kind: "gone_away", attempt, wasReady, code: m.code, delay: m.delay, window: m.window, error: why.error });
    else this.tell({ kind: "lost", attempt, wasReady, reason: why.reason, error: why.error });
  }
  // Begins anew after a session that was stable.
  settle(now) {
    if (now - this.readyAt >= this.cfg.stableAfter) this.retry.settle(now);
  }
  // Obeys GOAWAY draining on a session: it goes on, and the next attempt has its time.
  handOver(now, c, m) {
    if (this.moving) return;
    this.endpoints.penalise(now, c.addr, "failed", this.terms.window);
    this.settle(now);
    this.retry.move(now, m, this.addr);
    this.moving = true;
    this.tell({ kind: "draining", attempt: c.attempt, code: m.code, delay: m.delay, window: m.window });
    this.tell({ kind: "retry_at", at: this.retry.at });
  }
  // Makes the next connection, whose WELCOME has come, the session's.
  move(now, next) {
    const old2 = this.current, h = this.heartbeat;
    const leave = new Leave(++h.token, this.terms.timeout);
    old2.leave = leave;
    old2.due = now + leave.overlap;
    this.settle(now);
    this.write(old2, encodePing(leave.token, this.terms.number, none3));
    this.current = next, this.next = old2;
    this.addr = next.addr, this.nextAddr = old2.addr;
    this.moving = false;
    h.wrote = next.due - this.patience.welcome;
    h.heardNow(now);
  }
  // Turns the next attempt into the only one, after the session died under a move.
  promote() {
    const next = this.next;
    const promoted = this.moving && next !== void 0 && !next.leave;
    this.moving = false;
    if (!promoted) return false;
    this.current = next, this.next = void 0;
    this.addr = next.addr;
    if (next.state === "handshaking") this.heartbeat.wrote = next.due - this.patience.welcome;
    return true;
  }
  // Says BYE on a session's connection, once.
  bye(c) {
    if (c.state !== "ready" || c.saidBye) return;
    c.saidBye = true;
    this.write(c, encodeBye());
  }
  // Closes the old connection of a move, if it is still there.
  dropLeaving() {
    const c = this.next;
    if (!c?.leave) return;
    this.bye(c);
    this.close(c);
    this.outbox.ended(c.attempt);
    this.next = void 0;
  }
  close(c) {
    this.act({ do: "close", attempt: c.attempt });
  }
  halt(error) {
    for (const c of this.conns()) this.close(c);
    this.current = this.next = void 0;
    this.rest = "stopped", this.moving = false;
    this.tell({ kind: "stopped", error });
  }
};
function blamedFor(why) {
  const says = why.goAway && advice(why.goAway.code);
  if (says === "here") return void 0;
  if (says === "avoid") return "refused";
  return says === void 0 && why.fault === "host" ? void 0 : "failed";
}

// src/link/link.ts
var tardy = 500;
var byeTime = 1e3;
var maxFrames = 64;
var Link = class extends Attempts {
  /** Makes the first attempt, at once. It does nothing unless the link is idle. */
  start(now) {
    if (this.state !== "idle") return;
    this.retry.begin(now);
    this.dial(now);
  }
  /** Says BYE, closes the connection and ends the link for good. It may be repeated. */
  stop() {
    if (this.rest === "stopped") return;
    for (const c of this.conns()) this.bye(c);
    this.halt(void 0);
  }
  /** When tick wants to be called, Infinity if nothing is waited for. */
  get deadline() {
    return Math.min(this.mainDeadline, this.nextDeadline, this.outbox.due, this.renewDue);
  }
  get mainDeadline() {
    switch (this.state) {
      case "connecting":
      case "handshaking":
        return this.current.due;
      case "ready":
        return this.heartbeat.deadline;
      case "backing off":
        return this.retry.at;
      default:
        return Infinity;
    }
  }
  get nextDeadline() {
    return this.next?.due ?? (this.moving ? this.retry.at : Infinity);
  }
  get renewDue() {
    return this.state === "ready" ? this.grant.due : Infinity;
  }
  /**
   * Does what is due. It must be called at or soon after deadline, after what the network already
   * has was given to received, and flow whatever it asks; to call it early is harmless.
   */
  tick(now) {
    if (now >= this.nextDeadline) this.tickNext(now, now - this.nextDeadline);
    this.outbox.tick(now);
    if (now >= this.renewDue) {
      this.grant.draw(now);
      this.tell({ kind: "expiring", attempt: this.attempt, at: this.grant.ends });
    }
    const deadline = this.mainDeadline, late = now - deadline, c = this.current;
    if (late < 0) return;
    if (!c) {
      if (this.rest === "backing off") this.dial(now);
    } else if (c.state === "ready") {
      this.tickSession(now, deadline, c);
    } else {
      this.tickAttempt(now, late, c);
    }
  }
  tickSession(now, deadline, c) {
    const h = this.heartbeat;
    if (h.waiting && now < h.pongDue) {
      h.looked(now);
      const due = h.sayAt;
      if (now >= due) this.sayPing(now, due, c, none3);
      return;
    }
    if (h.waiting && !this.excuse(c, now - deadline)) {
      this.lose(now, c, { ...timeout(c, "pong_timeout", "no PONG"), noticedOver: h.beat });
      return;
    }
    this.ping(now, deadline, c, none3);
  }
  tickAttempt(now, late, c) {
    const greets = c.state === "handshaking";
    if (!this.excuse(c, late)) {
      this.lose(now, c, greets ? timeout(c, "welcome_timeout", "no WELCOME") : timeout(c, "connect_timeout", "no connection"));
      return;
    }
    c.due = now + (greets ? this.patience.welcome : this.patience.connect);
  }
  tickNext(now, late) {
    const c = this.next;
    if (!c) {
      this.dial(now);
    } else if (!c.leave) {
      this.tickAttempt(now, late, c);
    } else if (!c.saidBye && this.excuse(c, late)) {
      c.due = now + c.leave.overlap;
    } else if (!c.saidBye) {
      this.bye(c);
      c.due = now + byeTime;
    } else {
      this.dropLeaving();
      if (now >= this.nextDeadline) this.dial(now);
    }
  }
  // Whether a timeout noticed this late shall not count. Once in a row, so that an owner that is
  // always late still gets rid of dead servers.
  excuse(c, late) {
    if (late <= tardy || c.excused) return false;
    return c.excused = true;
  }
  /**
   * Takes bytes that the server sent. consumed of them are done with. The rest must be offered
   * again, followed by what comes next, and not before need bytes are there; if they are there
   * already, at once, after the actions were carried out.
   */
  received(now, attempt, b) {
    let consumed = 0;
    for (let i = 0; i < maxFrames; i++) {
      const c = this.find(attempt);
      if (!c || c.state === "connecting") return { consumed: b.length, need: headerLen };
      try {
        const { frame, size } = decode(b, consumed, this.cfg.maxPayload);
        if (!frame) {
          if (consumed < b.length && c === this.current) this.heartbeat.begins(now, b.length - consumed);
          return { consumed, need: size };
        }
        consumed += size;
        this.alive(now, c);
        this.frame(now, c, frame);
        if (frame.type === types.welcome || frame.type === types.goAway && this.find(attempt)) break;
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.lose(now, c, { reason: "malformed", error, fault: "peer" });
      }
    }
    return { consumed, need: headerLen };
  }
  frame(now, c, f) {
    const p = f.payload, ready = c.state === "ready";
    if (f.type === types.goAway) this.goAway(now, c, parseGoAway(p));
    else if (f.type === types.welcome && !ready) this.welcome(now, c, parseWelcome(p));
    else if (f.type === types.pong && ready) this.pong(now, c, parsePong(p));
    else if (f.type === types.deliver && ready) this.deliver(now, c, f);
    else if (f.type === types.ack && ready) this.outbox.acked(now, c.attempt, parseAck(p));
    else if (f.type === types.nack && ready) this.outbox.nacked(now, c.attempt, parseNack(p));
    else if (knownType(f.type) || (f.flags & flags.ignorable) === 0) {
      throw new WireError(`unexpected frame of type ${f.type} while ${c.state}`);
    }
  }
  deliver(now, c, f) {
    const { number, body } = parseDeliver(f.payload, f.flags);
    if ((f.flags & flags.reply) !== 0) {
      this.outbox.replied(now, c.attempt, number, body);
      return;
    }
    const wantsReply = (f.flags & flags.wantsReply) !== 0;
    this.tell({ kind: "delivered", attempt: c.attempt, number, wantsReply, body });
  }
  /**
   * Says that the path to the server may be another one now, or the machine woke. A session has a
   * second to answer a PING; whatever ends it before something complete came is local. A wait that
   * the link chose itself is cut to a second at most.
   */
  networkChanged(now) {
    const probed = this.current?.doubted ?? false;
    for (const c of this.conns()) c.doubted = true;
    if (this.state === "ready") {
      if (!probed) this.ping(now, now, this.current, none3);
    } else if (this.state === "backing off" && this.retry.cut(now)) {
      this.tell({ kind: "retry_at", at: this.retry.at });
    }
  }
  info() {
    const state = this.state, moves = this.moving && (!this.next || this.next.leave !== void 0);
    return {
      state,
      moving: this.moving,
      endpoint: this.addr,
      node: this.node,
      session: this.session,
      terms: this.terms,
      maxDeliver: this.outbox.limits.maxDeliver,
      readySince: this.readyAt,
      expires: this.grant.ends,
      rtt: this.heartbeat.rtt,
      nextAttempt: state === "backing off" || moves ? this.retry.at : Infinity,
      lastError: this.lastError,
      dials: this.attempts,
      sessions: this.sessions,
      losses: this.losses,
      pings: Number(this.heartbeat.token),
      pongs: this.pongs,
      unsettled: this.unsettled().length,
      refused: state !== "ready" && this.endpoints.allRefused(this.retry.outage),
      connectTimeout: this.patience.connect,
      welcomeTimeout: this.patience.welcome
    };
  }
};
function timeout(c, reason, says) {
  return { reason, error: new Error(`timed out: ${says}`), fault: c.doubted ? "host" : "peer" };
}

// src/info.ts
function infoOf(l, waiting, bufferedAmount, way, origin) {
  const date = (at, there) => there ? new Date(origin + at) : void 0;
  const ready = l.state === "ready";
  return {
    state: l.state,
    endpoint: l.endpoint && way.url(l.endpoint),
    node: l.node,
    session: l.session,
    heartbeat: l.terms.interval,
    maxDeliver: l.maxDeliver,
    waiting,
    bufferedAmount,
    unsettled: l.unsettled,
    moving: l.moving,
    refused: l.refused,
    readySince: date(l.readySince, ready),
    expires: date(l.expires, ready && l.expires > 0),
    rtt: l.pongs > 0 ? l.rtt : void 0,
    nextAttempt: date(l.nextAttempt, l.nextAttempt !== Infinity),
    lastError: l.lastError,
    connectTimeout: l.connectTimeout,
    welcomeTimeout: l.welcomeTimeout,
    dials: l.dials,
    sessions: l.sessions,
    losses: l.losses,
    pings: l.pings,
    pongs: l.pongs
  };
}

// src/sending.ts
var Sending = class {
  constructor(link, now, changed) {
    this.link = link;
    this.now = now;
    this.changed = changed;
  }
  link;
  now;
  changed;
  queue = [];
  // not sent yet
  awaited = /* @__PURE__ */ new Map();
  /** When to try again, since the limits say so. */
  at = Infinity;
  closed;
  /** How many are not sent yet. */
  get waiting() {
    return this.queue.length;
  }
  /** Sends a message as soon as that is possible, and waits for its answer, if it wants one. */
  add(kind, body, signal, numbered) {
    return new Promise((resolve, reject) => {
      if (this.closed || signal?.aborted) {
        reject(this.closed ?? signal.reason);
        return;
      }
      const most2 = this.link.box.most();
      if (body.length > most2) {
        reject(new TooLargeError(body.length, most2));
        return;
      }
      const job = {
        kind,
        body,
        number: 0n,
        signal,
        numbered,
        resolve,
        reject,
        onAbort: () => this.abort(job)
      };
      signal?.addEventListener("abort", job.onAbort);
      this.queue.push(job);
      this.changed();
    });
  }
  /** Sends what can be sent now. room tells whether the connection takes more. */
  pump(room) {
    this.at = Infinity;
    for (let job = this.queue[0]; job && room(); job = this.queue[0]) {
      const now = this.now(), box = this.link.box;
      const result = job.kind === "post" ? box.post(now, job.body) : box.send(now, job.body, job.kind === "request");
      if (result === "paced") this.at = now + box.pace(now, job.body.length);
      if (result === "paced" || result === "full" || result === "not ready") return;
      this.queue.shift();
      if (result === "too large") {
        this.end(job).reject(new TooLargeError(job.body.length, box.most()));
      } else if (result === void 0) {
        this.end(job).resolve(void 0);
      } else {
        job.number = result;
        this.awaited.set(result, job);
        job.numbered?.(result);
      }
    }
  }
  /** Takes what became of messages. */
  settled(e) {
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
  close(cause) {
    const error = this.closed = new ClosedError(cause);
    for (const job of this.queue.splice(0)) this.end(job).reject(error);
    for (const number of [...this.awaited.keys()]) this.take(number).reject(new UnknownError(error));
  }
  take(number) {
    const job = this.awaited.get(number);
    this.awaited.delete(number);
    return job && this.end(job);
  }
  end(job) {
    job.signal?.removeEventListener("abort", job.onAbort);
    return job;
  }
  abort(job) {
    const i = this.queue.indexOf(job);
    if (i >= 0) {
      this.queue.splice(i, 1);
      this.end(job).reject(job.signal.reason);
    } else if (this.take(job.number)) {
      this.link.box.giveUp(this.now(), job.number);
      job.reject(new UnknownError(job.signal.reason));
    }
    this.changed();
  }
};

// src/socket.ts
var subprotocol = "stormwheel.1";
var closing = 2;
var notUnderstood = 1003;
var Socket = class {
  /** Begins to connect. Throws for an address that this page may not connect to. */
  constructor(make, url, events) {
    this.events = events;
    this.ws = new make(url, subprotocol);
    this.ws.binaryType = "arraybuffer";
    this.ws.onopen = () => this.events?.opened();
    this.ws.onmessage = (e) => this.message(e.data);
    this.ws.onclose = (e) => this.events?.closed(e.code);
    this.ws.onerror = () => {
    };
  }
  events;
  ws;
  buffer = new Uint8Array(0);
  // it grows to the largest frame that came in pieces
  filled = 0;
  // of it: a frame whose end is missing
  need = 1;
  // so many bytes must be there
  written = 0;
  message(data) {
    if (!(data instanceof ArrayBuffer)) {
      const events = this.events;
      this.hangUp();
      events?.closed(notUnderstood);
      return;
    }
    let b = new Uint8Array(data);
    if (this.filled > 0) b = this.keep(b);
    while (this.events && b.length >= this.need) {
      const { consumed, need } = this.events.received(b);
      b = b.subarray(consumed);
      this.need = need;
    }
    this.filled = 0;
    if (b.length > 0) this.keep(b);
  }
  // Appends to what is there, and returns all of it. The buffer doubles, so that a frame that comes
  // byte by byte costs no more than its length.
  keep(b) {
    const n = this.filled + b.length;
    if (n > this.buffer.length) {
      const larger = new Uint8Array(Math.max(n, 2 * this.buffer.length));
      larger.set(this.buffer.subarray(0, this.filled));
      this.buffer = larger;
    }
    this.buffer.set(b, this.filled);
    this.filled = n;
    return this.buffer.subarray(0, n);
  }
  write(b) {
    if (this.ws.readyState >= closing) return;
    this.written += b.length;
    this.ws.send(b);
  }
  /** What was written and has not left this machine, in bytes. */
  get queued() {
    return this.ws.bufferedAmount;
  }
  get flow() {
    const untaken = this.queued;
    return { untaken, taken: Math.max(this.written - untaken, 1), partial: this.filled };
  }
  /** Closes it once what was written has left. */
  hangUp() {
    this.events = void 0;
    try {
      this.ws.close(1e3);
    } catch {
    }
  }
};

// src/surroundings.ts
var leastHidden = 5e3;
var leastSleep = 2e3;
function watchSurroundings(changed) {
  const page = globalThis;
  if (typeof page.addEventListener !== "function") return () => {
  };
  const ends = [];
  const on = (target, event, f) => {
    if (!target) return;
    target.addEventListener(event, f);
    ends.push(() => target.removeEventListener(event, f));
  };
  on(globalThis, "online", changed);
  on(globalThis, "pageshow", (e) => {
    if (e.persisted) changed();
  });
  const doc = page.document;
  let hidden = 0;
  on(doc, "visibilitychange", () => {
    if (doc.visibilityState === "hidden") hidden = Date.now();
    else if (Date.now() - hidden >= leastHidden) changed();
  });
  on(doc, "resume", changed);
  const connection = page.navigator?.connection;
  let type = connection?.type;
  on(connection, "change", () => {
    if (connection.type === type) return;
    type = connection.type;
    changed();
  });
  return () => ends.forEach((end) => end());
}
function offline() {
  return globalThis.navigator?.onLine === false;
}
var SleepWatch = class _SleepWatch {
  ahead = _SleepWatch.now();
  slept() {
    const before = this.ahead;
    this.ahead = _SleepWatch.now();
    return this.ahead - before > leastSleep;
  }
  static now() {
    return Date.now() - performance.now();
  }
};

// src/timer.ts
var script = "let t;onmessage=e=>{clearTimeout(t);if(e.data>=0)t=setTimeout(()=>postMessage(0),e.data)}";
var longest = 2 ** 31 - 1;
var Timer = class {
  // of the worker's script
  /** fire may come early, and after end. */
  constructor(fire) {
    this.fire = fire;
  }
  fire;
  plain;
  worker;
  url;
  /** Fires in so many milliseconds, instead of when it was to fire. Infinity is never. */
  set(ms) {
    clearTimeout(this.plain);
    if (this.url === void 0) this.begin();
    this.worker?.postMessage(ms === Infinity ? -1 : ms);
    this.plain = ms === Infinity ? void 0 : setTimeout(this.fire, Math.min(ms, longest));
  }
  begin() {
    this.url = "";
    if (typeof document === "undefined" || typeof Worker === "undefined") return;
    try {
      this.url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
      this.worker = new Worker(this.url, { name: "stormwheel-timer" });
      this.worker.onmessage = this.fire;
      this.worker.onerror = (e) => {
        e.preventDefault();
        this.worker = void 0;
      };
    } catch {
      this.worker = void 0;
    }
  }
  /** Ends it for good. */
  end() {
    clearTimeout(this.plain);
    this.worker?.terminate();
    this.worker = void 0;
    if (this.url) URL.revokeObjectURL(this.url);
  }
};

// src/client.ts
var lookAgain2 = 50;
var Client = class {
  /** Who the client is. */
  id;
  /** Which life of the client this is: a number that no other has. */
  incarnation;
  cfg;
  way;
  link;
  conns = /* @__PURE__ */ new Map();
  sending;
  timer = new Timer(() => this.tick());
  sleep = new SleepWatch();
  unwatch = () => {
  };
  told = "idle";
  warned = false;
  // that a node sends more than we take
  busy = false;
  // in act
  crowded = false;
  // a message waits for others to leave
  end;
  ended;
  waiting = [];
  // for ready
  /** Checks the configuration; throws an Error that names the field. It does nothing before start. */
  constructor(config) {
    const { cfg, way, linkConfig } = fill(config);
    this.cfg = cfg;
    this.way = way;
    this.id = linkConfig.id;
    this.incarnation = linkConfig.incarnation;
    this.link = new Link(linkConfig, Math.random);
    this.sending = new Sending(this.link, () => this.now, () => this.act());
    this.end = new Promise((resolve, reject) => {
      this.ended = (error) => error ? reject(error) : resolve();
    });
    this.end.catch(() => {
    });
  }
  /** Connects, and stays connected until stop, or until a node ends the client for good. Once. */
  start() {
    if (this.link.state !== "idle") throw new Error("the client was started before");
    this.unwatch = watchSurroundings(() => this.networkChanged());
    this.link.start(this.now);
    this.act();
  }
  /**
   * Says BYE and ends the client for good. What was sent before goes out ahead of BYE, and its
   * answers are not waited for. It may be repeated.
   */
  stop() {
    this.link.stop();
    this.act();
  }
  /**
   * Fulfilled when the client has ended by stop, and rejected with a CodeError when a node has
   * ended it: another has its id, its application says never, or its token is not taken any more.
   * What was written last, BYE among it, may still be leaving then: a process that exits at once cuts it.
   */
  get done() {
    return this.end;
  }
  /** Waits for a session. Rejected when the client ends before there is one. */
  async ready() {
    while (this.link.state !== "ready") {
      if (this.link.state === "stopped") throw new ClosedError(this.link.info().lastError);
      await new Promise((resolve) => this.waiting.push(resolve));
    }
  }
  /**
   * Sends a message and waits until the node's application has it; returns the word beside its ACK,
   * usually 0. It waits for a session, for its turn, and for the limits that the node told. What has
   * no answer when a connection is lost goes again over the next, so the application may see it twice.
   *
   * Rejected with a RefusedError if the application does not take it, a TooLargeError, or the
   * signal's reason, a ClosedError where nothing was sent, and an UnknownError where it may have
   * arrived.
   */
  async send(body, options = {}) {
    const answer = await this.sending.add("send", asBytes(body), options.signal, options.numbered);
    return answer && "what" in answer ? answer.what : 0;
  }
  /** Sends a message that wants a reply, and returns that. Otherwise as send, and a NoReplyError. */
  async request(body, options = {}) {
    const answer = await this.sending.add("request", asBytes(body), options.signal, options.numbered);
    return answer.reply;
  }
  /** Sends a message that wants no answer. Fulfilled when it is written; it is lost with its connection. */
  async post(body, options = {}) {
    await this.sending.add("post", asBytes(body), options.signal);
  }
  /** What was sent and has not left this machine's queues yet, in bytes. That it left is not that it arrived. */
  get bufferedAmount() {
    let n = 0;
    for (const c of this.conns.values()) n += c.socket?.queued ?? 0;
    return n;
  }
  /** Tells how the client is. */
  info() {
    return infoOf(this.link.info(), this.sending.waiting, this.bufferedAmount, this.way, Date.now() - this.now);
  }
  /** The bodies of what was sent and nobody has settled, in order: after the end, what may not have arrived. */
  unsettled() {
    return this.link.unsettled().map((m) => m.body.slice());
  }
  /**
   * Tells that the path to the node may be another one now. A session is asked at once, and has a
   * second to answer; a wait is cut to a second. In a page the client notices that itself.
   */
  networkChanged() {
    this.link.networkChanged(this.now);
    this.act();
  }
  // The link takes times as positive.
  get now() {
    return performance.now() + 1e3;
  }
  tick() {
    if (this.sleep.slept()) this.link.networkChanged(this.now);
    this.act();
  }
  // Does what is due and what the link asks for, sends what can be sent, and sets the timer. It
  // follows every call of the link.
  act() {
    if (this.busy) return;
    this.busy = true;
    for (let actions = this.link.take(); ; actions = this.link.take()) {
      for (const a of actions) this.carryOut(a);
      const now = this.now;
      if (this.link.deadline <= now) {
        for (const [attempt, c] of this.conns) {
          if (c.socket && this.link.asks(now, attempt)) this.link.flow(now, attempt, c.socket.flow);
        }
        this.link.tick(now);
      } else if (actions.length === 0) {
        this.tellFlow(now);
        this.crowded = false;
        this.sending.pump(() => this.hasRoom());
        actions = this.link.take();
        if (actions.length === 0) break;
        for (const a of actions) this.carryOut(a);
      }
    }
    this.busy = false;
    this.tellState();
    const due = Math.min(this.link.deadline, this.sending.at, this.crowded ? this.now + lookAgain2 : Infinity);
    if (this.link.state !== "stopped") this.timer.set(Math.max(due - this.now, 0));
  }
  // The limits count what has left.
  tellFlow(now) {
    const c = this.conns.get(this.link.attempt);
    if (c?.socket && this.link.state === "ready") this.link.flow(now, this.link.attempt, c.socket.flow);
  }
  hasRoom() {
    const c = this.conns.get(this.link.attempt);
    this.crowded = (c?.socket?.queued ?? 0) > this.cfg.maxQueued;
    return !this.crowded;
  }
  carryOut(a) {
    const c = this.conns.get(a.do === "tell" ? 0 : a.attempt);
    switch (a.do) {
      case "dial":
        void this.dial(a.attempt, a.addr);
        break;
      case "write":
        c?.socket?.write(a.bytes);
        break;
      case "close":
        this.conns.delete(a.attempt);
        c?.over.abort();
        c?.socket?.hangUp();
        break;
      case "tell":
        this.heard(a.event);
    }
  }
  async dial(attempt, address) {
    const c = { address, socket: void 0, over: new AbortController() };
    this.conns.set(attempt, c);
    let token, resolved = false;
    try {
      token = await this.cfg.askToken(c.over.signal, this.link.info().connectTimeout * 0.9);
      if (this.conns.get(attempt) !== c) return;
      resolved = true;
      this.link.resolved(this.now, attempt);
      c.socket = new Socket(this.cfg.webSocket, this.way.url(address), {
        opened: () => {
          this.link.connected(this.now, attempt, token);
          this.act();
        },
        received: (b) => {
          const result = this.link.received(this.now, attempt, b);
          this.act();
          return result;
        },
        closed: (code) => this.closed(attempt, code)
      });
      this.act();
    } catch (error) {
      if (this.conns.get(attempt) !== c) return;
      this.conns.delete(attempt);
      this.link.disconnected(this.now, attempt, error, resolved ? "peer" : "host");
      this.act();
    }
  }
  closed(attempt, code) {
    if (code >= 4e3 && code <= 4999) {
      this.link.received(this.now, attempt, encodeGoAway(code - 1e3));
      this.act();
    }
    this.conns.get(attempt)?.over.abort();
    this.conns.delete(attempt);
    const error = new Error(`the connection was closed (${code})`);
    this.link.disconnected(this.now, attempt, error, offline() ? "host" : "peer");
    this.act();
  }
  heard(e) {
    switch (e.kind) {
      case "delivered":
        void this.deliver(e);
        break;
      case "expiring":
        void this.renew(e.attempt);
        break;
      case "stopped":
        this.unwatch();
        this.timer.end();
        this.sending.close(e.error);
        this.ended(e.error);
        break;
      default:
        this.sending.settled(e);
    }
  }
  async deliver(e) {
    const { attempt, number } = e;
    const m = new Message(number, e.body.slice(), e.wantsReply, {
      ack: (what) => this.link.ack(this.now, attempt, { first: number, last: number, what }),
      nack: (code, reason) => this.nack(attempt, number, code, reason),
      reply: (body) => this.reply(attempt, number, body)
    });
    await m.handle(this.cfg.deliver, (error) => this.cfg.failed(error));
    this.act();
  }
  nack(attempt, number, code, reason) {
    try {
      this.link.nack(this.now, attempt, { number, code, reason });
    } catch {
      this.link.nack(this.now, attempt, { number, code, reason: "" });
    }
  }
  async reply(attempt, to, body) {
    const box = this.link.box;
    for (; ; ) {
      if (!this.link.answerable(attempt)) throw new Error("the message's connection is gone");
      if (body.length > box.mostReply) throw new TooLargeError(body.length, box.mostReply);
      const wait2 = box.replyPace(this.now, attempt, body.length);
      if (wait2 === 0) break;
      await new Promise((resolve) => setTimeout(resolve, wait2));
      this.tellFlow(this.now);
    }
    box.reply(this.now, attempt, to, body);
    this.act();
  }
  async renew(attempt) {
    const c = this.conns.get(attempt);
    if (!c) return;
    try {
      const token = await this.cfg.askToken(c.over.signal, this.link.info().connectTimeout * 0.9);
      this.link.renew(this.now, attempt, token);
      this.act();
    } catch (error) {
      if (this.conns.get(attempt) === c) this.cfg.failed(error);
    }
  }
  tellState() {
    const { state, session, maxDeliver } = this.link.info();
    if (maxDeliver > this.cfg.maxPayload && !this.warned) {
      this.warned = true;
      this.cfg.warned(`the node sends payloads of up to ${maxDeliver} bytes, and maxPayload takes ${this.cfg.maxPayload}`);
    }
    if (this.told === state + session) return;
    this.told = state + session;
    for (const resolve of this.waiting.splice(0)) resolve();
    try {
      this.cfg.changed?.(this.info());
    } catch (error) {
      this.cfg.failed(error);
    }
  }
};
export {
  Client,
  ClosedError,
  CodeError,
  Message,
  NoReplyError,
  Refusal,
  RefusedError,
  TooLargeError,
  UnknownError,
  codeName,
  codes,
  nackCodes
};
