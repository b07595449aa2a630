// The codes of GOAWAY and NACK, as docs/PROTOCOL.md lists them.

/** Codes of GOAWAY by name. A newer node may send others: their range says what they mean. */
export const codes = {
  busy: 3000,
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
  replaced: 3504,
} as const;

/** The name of a code, or "code 3999" for one that this version does not know. */
export function codeName(code: number): string {
  for (const [name, value] of Object.entries(codes)) {
    if (value === code) return name;
  }
  return `code ${code}`;
}

/** What the range of a code tells a client to do. */
export type Advice = "here" | "elsewhere" | "avoid";

export function advice(code: number): Advice {
  if (code >= 3200 && code < 3500) return "elsewhere";
  if (code >= 3500 && code < 4000) return "avoid";
  return "here";
}

/**
 * Whether a code blames the session alone and says nothing of the node, so that its client is
 * back within a second.
 */
export function sessionOnly(code: number): boolean {
  return code >= codes.heartbeat_timeout && code <= codes.in_use
    || code >= codes.protocol_error && code <= codes.replaced;
}

/** Codes of NACK. From 1 to 99 the same message may be taken another time. */
export const nackCodes = { busy: 1, internal: 2, refused: 100 } as const;

/** Whether an application may refuse a message with it. */
export function nackForApplications(code: number): boolean {
  return Object.values<number>(nackCodes).includes(code) || code >= 50 && code <= 99
    || code >= 1000 && code <= 0xffff;
}
