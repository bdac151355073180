import { createServer, connect as dial, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** What stands between a client and the server, connection by connection. */
export interface Meddling {
  /** Changes what the server says. */
  readonly fromServer?: (chunk: Buffer) => Buffer;
  /** Asked for each chunk of the client: `drop` ends the connection before it arrives, `mute` ends it in the place of the answer. */
  readonly fromClient?: (chunk: Buffer) => "pass" | "drop" | "mute";
}

/** A proxy in front of the server of `url`; returns the URL that leads through it. */
export async function proxied(url: string, meddling: Meddling): Promise<string> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = dial(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    let muted = false;
    client.on("data", (chunk) => {
      const verdict = meddling.fromClient?.(chunk) ?? "pass";
      muted ||= verdict === "mute";
      if (verdict === "drop") client.destroy();
      else upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (muted) client.destroy();
      else client.write(meddling.fromServer?.(chunk) ?? chunk);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return through.href;
}
