/** What a message holds: bytes, or text, which is sent as UTF-8. */
export type Body = Uint8Array | string;

/** A copy as bytes. (The slice of a Node Buffer would be none.) Throws a TypeError for what is no body. */
export function asBytes(body: Body): Uint8Array {
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (!ArrayBuffer.isView(body)) throw new TypeError("a body is a string or a Uint8Array");
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
}
