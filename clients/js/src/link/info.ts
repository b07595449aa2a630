// What there is to know about a link.

import type { Terms } from "../messages.js";
import type { State } from "./out.js";

/** A copy of what there is to know about a link. Times are the owner's. */
export interface LinkInfo {
  state: State;
  endpoint: string; // of the present or latest attempt
  node: string; // of the present or latest session, as the next three
  session: string;
  terms: Terms;
  maxDeliver: number; // the largest payload that the server sends, bytes; 0: it has not told
  readySince: number;
  expires: number; // end of the grant; 0: it has none
  rtt: number; // of the latest answered PING; 0: none yet
  nextAttempt: number; // Infinity unless one is waited for
  lastError: Error | undefined;
  dials: number;
  sessions: number;
  losses: number;
  pings: number;
  pongs: number;
  unsettled: number;
  moving: boolean; // ready, and told to connect elsewhere
  refused: boolean; // no session, and every endpoint that answers has refused
  connectTimeout: number; // of the attempt under way, else of the next
  welcomeTimeout: number;
}
