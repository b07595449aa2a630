// XXH64 with the seed 0, as far as the protocol needs it: the low 32 bits. A 64-bit number
// is a pair of 32-bit halves, since BigInt is ten times slower at this.

const P1h = 0x9e3779b1, P1l = 0x85ebca87;
const P2h = 0xc2b2ae3d, P2l = 0x27d4eb4f;
const P3h = 0x165667b1, P3l = 0x9e3779f9;
const P4h = 0x85ebca77, P4l = 0xc2b2ae63;
const P5h = 0x27d4eb2f, P5l = 0x165667c5;

// The result of the functions below: a pair that the next call overwrites.
let rh = 0, rl = 0;

function mul(ah: number, al: number, bh: number, bl: number): void {
  const a0 = al & 0xffff, a1 = al >>> 16, b0 = bl & 0xffff, b1 = bl >>> 16;
  const low = a0 * b0;
  const m1 = a1 * b0 + (low >>> 16); // below 2^32
  const m2 = a0 * b1 + (m1 & 0xffff);
  const high = a1 * b1 + (m1 >>> 16) + (m2 >>> 16);
  rl = ((m2 << 16) | (low & 0xffff)) >>> 0;
  rh = (high + Math.imul(ah, bl) + Math.imul(al, bh)) >>> 0;
}

function add(ah: number, al: number, bh: number, bl: number): void {
  const low = al + bl;
  rl = low >>> 0;
  rh = (ah + bh + (low > 0xffffffff ? 1 : 0)) >>> 0;
}

// n is from 1 to 31.
function rotl(h: number, l: number, n: number): void {
  rh = ((h << n) | (l >>> (32 - n))) >>> 0;
  rl = ((l << n) | (h >>> (32 - n))) >>> 0;
}

function round(ah: number, al: number, inh: number, inl: number): void {
  mul(inh, inl, P2h, P2l);
  add(ah, al, rh, rl);
  rotl(rh, rl, 31);
  mul(rh, rl, P1h, P1l);
}

function mergeRound(ah: number, al: number, vh: number, vl: number): void {
  round(0, 0, vh, vl);
  mul((ah ^ rh) >>> 0, (al ^ rl) >>> 0, P1h, P1l);
  add(rh, rl, P4h, P4l);
}

/** The low 32 bits of XXH64 (seed 0) of b[from:to]. */
export function checksum(b: Uint8Array, from: number, to: number): number {
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

// stripes takes in all whole pieces of 32 bytes and returns where it stopped.
function stripes(v: DataView, from: number, to: number): number {
  add(P1h, P1l, P2h, P2l);
  let ah = rh, al = rl, bh = P2h, bl = P2l, ch = 0, cl = 0;
  let dl = (~P1l + 1) >>> 0, dh = (~P1h + (dl === 0 ? 1 : 0)) >>> 0; // -P1
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

function avalanche(): number {
  mul(rh, (rl ^ (rh >>> 1)) >>> 0, P2h, P2l); // h ^= h >> 33
  const h = (rh ^ (rh >>> 29)) >>> 0; // h ^= h >> 29
  const l = (rl ^ ((rl >>> 29) | (rh << 3))) >>> 0;
  mul(h, l, P3h, P3l);
  return (rl ^ rh) >>> 0; // h ^= h >> 32
}
