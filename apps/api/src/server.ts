import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";

export interface Server {
  /** Without a path. */
  readonly url: string;
  /** Takes no more connections, and ends when the requests under way are answered, or after `graceMs` all the same. */
  close(graceMs: number): Promise<void>;
}

/** Serves a fetch function. Rejects with what the system says when the port is taken. @param port 0: any that is free */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = createServer();
  const underWay = new Set<ServerResponse>();
  // A connection that is kept for more requests would keep the server.
  const isLast = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader("connection", "close");
  };
  server.on("request", (_request, response) => {
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
    if (!server.listening) isLast(response);
  });
  const answer = getRequestListener(fetch);
  server.on("request", (request, response) => void answer(request, response));
  server.listen(port, host);
  await once(server, "listening");
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${taken}`,
    close: async (graceMs) => {
      const closed = once(server, "close");
      server.close();
      for (const response of underWay) isLast(response);
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
