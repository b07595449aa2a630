// A server of the tests' own, for what a real node seldom does.

import type { TestContext } from "node:test";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { decode, encode, types, type Frame } from "../src/frame.js";
import { until } from "./nodes.js";

export interface Fake {
  url: string;
  connections: Connection[];
}

export interface Connection {
  ws: WebSocket;
  frames: Frame[]; // from the client
  send(...frames: Uint8Array[]): void;
  /** The first frame of a type, when it is there. */
  frame(type: number, nth?: number): Promise<Frame>;
}

/** Starts a server that welcomes, unless greet says otherwise. */
export async function fake(t: TestContext, greet = (c: Connection): void => c.send(welcome())): Promise<Fake> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "stormwheel.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => { server.clients.forEach((c) => c.terminate()); server.close(); });
  const f: Fake = { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, connections: [] };
  server.on("connection", (ws) => {
    const c: Connection = {
      ws, frames: [],
      send: (...frames) => ws.send(Buffer.concat(frames)),
      frame: async (type, nth = 0) => {
        const those = (): Frame[] => c.frames.filter((x) => x.type === type);
        await until(`frame ${nth} of type ${type}`, () => those().length > nth);
        return those()[nth]!;
      },
    };
    f.connections.push(c);
    ws.on("message", (data) => {
      const b = new Uint8Array(data as Buffer);
      for (let at = 0; at < b.length;) {
        const { frame, size } = decode(b, at, 65536);
        c.frames.push(frame!);
        if (frame!.type === types.hello) greet(c);
        at += size;
      }
    });
  });
  return f;
}

function numbers(n: number, ...fields: [at: number, size: 1 | 2 | 4 | 8, value: number][]): Uint8Array {
  const b = new Uint8Array(n), v = new DataView(b.buffer);
  for (const [at, size, value] of fields) {
    if (size === 1) v.setUint8(at, value);
    else if (size === 2) v.setUint16(at, value);
    else if (size === 4) v.setUint32(at, value);
    else v.setBigUint64(at, BigInt(value));
  }
  return b;
}

/** A WELCOME with an interval of 30 s, a window of 0, a grant of so many milliseconds, and so large payloads, if these are not 0. */
export function welcome(expires = 0, maxDeliver = 0): Uint8Array {
  const head = numbers(52, [0, 1, 1], [24, 4, 30000], [28, 4, 75000], [40, 2, 1]), none = new Uint8Array(0);
  return encode(types.welcome, 0, head,
    maxDeliver === 0 ? none : numbers(35, [0, 1, 8], [1, 2, 32], [7, 4, maxDeliver]),
    expires === 0 ? none : numbers(11, [0, 1, 9], [1, 2, 8], [3, 8, expires]));
}

export function deliver(number: number, body: string, flag = 0): Uint8Array {
  return encode(types.deliver, flag, numbers(8, [0, 8, number]), new TextEncoder().encode(body));
}

export function reply(to: number, body: string): Uint8Array {
  return encode(types.deliver, 4, numbers(16, [8, 8, to]), new TextEncoder().encode(body));
}

export function ack(number: number, what = 0): Uint8Array {
  return encode(types.ack, 0, numbers(20, [0, 8, number], [8, 8, number], [16, 1, what]));
}

export function nack(number: number, code: number): Uint8Array {
  return encode(types.nack, 0, numbers(12, [0, 8, number], [8, 2, code]));
}

export function goAway(code: number): Uint8Array {
  return encode(types.goAway, 0, numbers(12, [0, 2, code]));
}
