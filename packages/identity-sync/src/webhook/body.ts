/** No message of Clerk comes near it. */
export const bodyMaxBytes = 256 * 1024;

/**
 * The raw body. `used`: somebody has read it before. `large`: longer than `bodyMaxBytes`, by what it says or by what comes; the rest is
 * left where it is. `broken`: it ended too early.
 */
export async function readBody(request: Request): Promise<Uint8Array | "used" | "large" | "broken"> {
  if (request.bodyUsed) return "used";
  if (Number(request.headers.get("content-length") ?? 0) > bodyMaxBytes) return "large";
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > bodyMaxBytes) return "large";
      chunks.push(value);
    }
  } catch {
    return "broken";
  } finally {
    // Not cancelled: that would end a connection on which the answer is still to go.
    reader.releaseLock();
  }
}
