/** What a message holds: bytes, or text, which is sent as UTF-8. */
export type Body = Uint8Array | string;

/** A copy as bytes. */
export function asBytes(body: Body): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body.slice();
}
