import type { SqlSession } from "@replant/core";
import { openSession } from "./session.ts";
import { parseServerUrl } from "./url.ts";

/** A session of an application, which a reset ends like every other one. */
export interface ServerSession extends SqlSession {
  /** False once the connection has ended, whoever ended it. Never true again: connect anew. */
  readonly alive: boolean;
}

/**
 * Connects to whatever the URL's name means now; the caller closes the session.
 * @param applicationName what the server calls the session
 * @throws ReplantError REPLANT_CONNECTION_FAILED with the server's error as cause | what `openServer` throws for the URL
 */
export async function connectTo(url: string, applicationName: string): Promise<ServerSession> {
  const address = parseServerUrl(url);
  return openSession(address, { database: address.database, applicationName });
}
