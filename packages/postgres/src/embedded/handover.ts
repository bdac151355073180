import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** How long a served database may take to end what it is doing. */
const yieldTimeoutMs = 30_000;

/**
 * Asks the process that serves a database to close it and to release the lock. The returned connection is the lease: while it is
 * open the other side stays away, and when it closes (by `destroy`, or because this process died) it comes back.
 * @returns null when nobody listens there any more, or no answer came in time
 */
export async function askToYield(socketPath: string, run: string): Promise<Socket | null> {
  const socket = connect(socketPath);
  // After the answer, too: what happens to the connection then means nothing more than that it is gone.
  socket.on("error", () => undefined);
  try {
    await once(socket, "connect");
    socket.write(`yield ${run}\n`);
    const [answer] = (await once(socket, "data", { signal: AbortSignal.timeout(yieldTimeoutMs) })) as [Buffer];
    if (answer.toString("utf8") === "yielded\n") {
      socket.unref();
      return socket;
    }
  } catch {
    // Gone, or too slow: the lock itself tells whether it is free.
  }
  socket.destroy();
  return null;
}
