import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bodyMaxBytes } from "./body.ts";
import type { WebhookHandler, WebhookOptions } from "./handler.ts";
import { carefully, usedBody } from "./handler.ts";

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The handler for node:http and Express: `app.post(path, toNodeListener(handler))`, before any body parser but `express.raw()`.
 * Where one has read the body already, the answer is 400, and a warning says so.
 */
export function toNodeListener(handler: WebhookHandler, options: Pick<WebhookOptions, "warn"> = {}): NodeListener {
  const warn = carefully(options.warn);
  return (request, response) => {
    void reply(handler, { request, response, warn }).catch(() => {
      // The sender has gone in the middle of its message.
      response.destroy();
    });
  };
}

async function reply(
  handler: WebhookHandler,
  {
    request,
    response,
    warn,
  }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly warn: (message: string) => void;
  },
): Promise<void> {
  const body = await bodyOf(request);
  const answer = body === null ? usedBody(warn) : await handler(fetchRequest(request, body));
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
}

/** Null: somebody else has it. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  // What express.raw() leaves is what was sent.
  if ("body" in request && request.body instanceof Uint8Array) return Uint8Array.from(request.body);
  return request.readableDidRead ? null : readUpTo(request, bodyMaxBytes + 1);
}

/** The first bytes of a body; what comes behind them is thrown away, so that the sender gets to hear the answer. */
function readUpTo(request: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => resolve(Uint8Array.from(Buffer.concat(chunks)));
    request.on("data", (chunk: Buffer) => {
      if (size >= maxBytes) return;
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) done();
    });
    request.once("end", done);
    request.once("error", reject);
  });
}

function fetchRequest(request: IncomingMessage, body: Uint8Array<ArrayBuffer>): Request {
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]],
  );
  // Whatever is not POST gets the same answer, and some methods a Request does not take.
  const isPost = request.method === "POST";
  return new Request("http://localhost/", { method: isPost ? "POST" : "GET", headers, ...(isPost ? { body } : {}) });
}

export interface ListenOptions extends Pick<WebhookOptions, "warn"> {
  /** 0: any that is free. */
  readonly port: number;
  /** `/webhooks/clerk` */
  readonly path: string;
  /** Default: 127.0.0.1 */
  readonly host?: string;
}

export interface WebhookServer {
  /** With the path. */
  readonly url: string;
  /** Ends when the requests that are there are answered. */
  close(): Promise<void>;
}

/** A server for one handler and nothing else. The caller closes it. Rejects with what the system says when the port is taken. */
export async function listen(
  handler: WebhookHandler,
  { port, path, host = "127.0.0.1", ...options }: ListenOptions,
): Promise<WebhookServer> {
  const listener = toNodeListener(handler, options);
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] === path) listener(request, response);
    else response.writeHead(404).end();
  });
  server.listen(port, host);
  await once(server, "listening");
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}${path}`,
    close: async () => {
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
    },
  };
}
