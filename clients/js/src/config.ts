// How an application configures a client.

import { asBytes, type Body } from "./body.js";
import type { Info } from "./info.js";
import { defaults, validate, type LinkConfig } from "./link/config.js";
import { encodeHello } from "./messages.js";
import type { Message, Word } from "./message.js";
import type { WebSocketClass } from "./socket.js";
import { parseEndpoints, type Way } from "./urls.js";

/** Describes a client. id is needed; all else has a default. Durations are milliseconds, an hour at most. */
export interface Config {
  /**
   * The nodes, all ws:// or all wss:// (http:// and https:// mean the same), with one path; relative ones are to the page. One is chosen
   * at random; nodes may name more, to which the client comes the same way. Default: "/", where the
   * page is from.
   */
  endpoints?: readonly string[];

  /** Keeps to the endpoints, whatever nodes name: outside their network that may lead nowhere. */
  ignoreAlternates?: boolean;

  /** Who the client is, 1 to 128 bytes of UTF-8 without control characters. */
  id: string;

  /**
   * Is asked for the credential before every connection, and again before a grant ends; 4096 bytes
   * at most. It has nine tenths of info().connectTimeout; then, or when its connection is over, the signal is
   * aborted. What it throws costs the attempt.
   */
  token?: (signal: AbortSignal) => Body | Promise<Body>;

  /**
   * Takes messages of the node's application, in order. Its end acknowledges the message, and the
   * number that it returns goes along as a word (0 to 255). A Promise is not waited for before the
   * next call. What it throws refuses the message: a Refusal with its code, all else as an internal
   * error. Default: all are refused.
   */
  deliver?: (message: Message) => Word | Promise<Word>;

  /** Is told of every change of info().state, and of a session that another node has taken over. */
  changed?: (info: Info) => void;

  /** Is told what the functions above threw. Default: console.error, which is told what this one throws, too. */
  failed?: (error: unknown) => void;

  /** Is told, once, that a node sends more than maxPayload takes, before the first such message costs the
   *  session. Default: console.warn. */
  warned?: (text: string) => void;

  /** The longest silence before a PING. Default 0: what the node says. At least 100. */
  interval?: number;
  /** Silence after a PING that means death, if the node asks for no longer one. Default 10,000. */
  pongTimeout?: number;
  /** The first for each of token and connection; a timeout doubles the next. Default 5,000. */
  connectTimeout?: number;
  /** The first from HELLO to WELCOME. Default 5,000. */
  welcomeTimeout?: number;
  /** The first step of the backoff. Default 500. */
  backoffMin?: number;
  /** The longest wait that no node ordered. Default 60,000. */
  backoffMax?: number;
  /** The age at which a session ends the backoff. Default 60,000. */
  stableAfter?: number;

  /** The largest payload of a frame in both directions, bytes; 8 more than a message. Default 65,536. A node that
   *  sends larger ones tells so (info().maxDeliver); the first of them costs the session. */
  maxPayload?: number;
  /** How many bytes may wait to leave before send waits. Default 1 MiB. */
  maxQueued?: number;

  /** Sends nothing again: what its connection took along is an UnknownError. */
  atMostOnce?: boolean;
  /** Lets no node end the client for good. */
  neverGiveUp?: boolean;

  /** The class of WebSocket. Default: the global one, which Node has from 22 on; before that, that of npm's ws. */
  webSocket?: unknown;
}

/** A configuration with its defaults. */
export interface Filled {
  deliver: Config["deliver"];
  changed: Config["changed"];
  failed: (error: unknown) => void;
  warned: (text: string) => void;
  maxPayload: number;
  maxQueued: number;
  webSocket: WebSocketClass;
  askToken(signal: AbortSignal, timeout: number): Promise<Uint8Array>;
}

/** Fills the defaults in. Throws an Error that names the field that can't work. */
export function fill(c: Config): { cfg: Filled; way: Way; linkConfig: LinkConfig } {
  if (typeof c.id !== "string") throw new Error("id: every client needs one, a string");
  const way = parseEndpoints(c.endpoints ?? ["/"]);
  const webSocket = c.webSocket ?? globalThis.WebSocket;
  if (typeof webSocket !== "function") throw new Error("webSocket: there is no global one here");
  const linkConfig: LinkConfig = {
    ...defaults, id: c.id, endpoints: way.addresses, freshTokens: c.token !== undefined,
    incarnation: crypto.getRandomValues(new BigUint64Array(1))[0]! || 1n,
  };
  const given = linkConfig as unknown as Record<string, unknown>;
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    if (name !== "freshTokens" && c[name] !== undefined) given[name] = c[name];
  }
  validate(linkConfig);
  const maxQueued = c.maxQueued ?? 1 << 20;
  if (!(maxQueued >= 0)) throw new Error(`maxQueued: ${maxQueued} is below 0`);
  const none = new Uint8Array(0);
  encodeHello({ incarnation: 1n, attempt: 1, clientId: c.id, token: none, returnPass: none, ticket: none });
  const cfg: Filled = {
    deliver: c.deliver, changed: c.changed,
    failed: told(c.failed ?? ((error) => console.error(error))), warned: told(c.warned ?? ((text) => console.warn(text))),
    maxPayload: linkConfig.maxPayload, maxQueued, webSocket: webSocket as WebSocketClass,
    askToken: (signal, timeout) => c.token ? inTime(c.token, signal, timeout) : Promise.resolve(none),
  };
  return { cfg, way, linkConfig };
}

// What these throw must not stop the client, which may be in the middle of anything.
function told<T>(tell: (what: T) => void): (what: T) => void {
  return (what) => {
    try {
      tell(what);
    } catch (another) {
      console.error(another);
    }
  };
}

// Asks for a token, and waits no longer than that. The application's signal ends with the wait: one
// that outlived it would keep a request, and a listener for each renewal of a long session.
async function inTime(token: NonNullable<Config["token"]>, over: AbortSignal, timeout: number): Promise<Uint8Array> {
  const own = new AbortController();
  const end = (): void => own.abort(over.reason);
  over.addEventListener("abort", end);
  const timer = setTimeout(() => own.abort(new Error("token: it took too long")), timeout);
  const ended = new Promise<never>((_, reject) => {
    own.signal.addEventListener("abort", () => reject(own.signal.reason));
  });
  ended.catch(() => {}); // token may throw before anybody waits for this
  try {
    return asBytes(await Promise.race([token(own.signal), ended]));
  } finally {
    clearTimeout(timer);
    over.removeEventListener("abort", end);
  }
}
