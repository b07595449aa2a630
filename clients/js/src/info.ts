// What an application may know of its client.

import type { LinkInfo } from "./link/info.js";
import type { State } from "./link/out.js";
import type { Way } from "./urls.js";

/** A copy of what there is to know about a client. Durations are milliseconds. */
export interface Info {
  state: State;
  endpoint: string; // URL of the present or latest attempt
  node: string; // of the present or latest session
  session: string; // its id; no credential
  heartbeat: number; // the interval that its node asked for
  /** The largest payload that its node sends, bytes; 0: it has not told. One above maxPayload costs the session. */
  maxDeliver: number;
  bufferedAmount: number; // bytes that have not left our queues
  waiting: number; // messages that are not sent yet: for want of a session, or by the limits
  unsettled: number; // messages that were sent and wait for an answer
  moving: boolean; // ready, and looking for another node, since this one drains
  refused: boolean; // no session, and every node that answers has refused with a code from 3500
  readySince: Date | undefined; // undefined unless ready
  expires: Date | undefined; // when the grant of this session ends; undefined: it has no end
  rtt: number | undefined; // of the latest PING that was answered; undefined: none yet
  nextAttempt: Date | undefined; // undefined unless one is waited for
  lastError: Error | undefined; // why the latest attempt or session ended
  connectTimeout: number; // of the attempt under way, else of the next
  welcomeTimeout: number;
  dials: number; // connections that were tried
  sessions: number; // of them, those that got a session
  losses: number; // of them, those that ended other than by stop
  pings: number;
  pongs: number;
}

/** origin is the wall clock's time of the link's 0. */
export function infoOf(l: LinkInfo, waiting: number, bufferedAmount: number, way: Way, origin: number): Info {
  const date = (at: number, there: boolean): Date | undefined => there ? new Date(origin + at) : undefined;
  const ready = l.state === "ready";
  return {
    state: l.state, endpoint: l.endpoint && way.url(l.endpoint), node: l.node, session: l.session,
    heartbeat: l.terms.interval, maxDeliver: l.maxDeliver, waiting, bufferedAmount, unsettled: l.unsettled, moving: l.moving, refused: l.refused,
    readySince: date(l.readySince, ready), expires: date(l.expires, ready && l.expires > 0), rtt: l.pongs > 0 ? l.rtt : undefined,
    nextAttempt: date(l.nextAttempt, l.nextAttempt !== Infinity), lastError: l.lastError,
    connectTimeout: l.connectTimeout, welcomeTimeout: l.welcomeTimeout,
    dials: l.dials, sessions: l.sessions, losses: l.losses, pings: l.pings, pongs: l.pongs,
  };
}
