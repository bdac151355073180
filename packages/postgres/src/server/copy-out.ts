// oxlint-disable-next-line typescript/triple-slash-reference -- a package that compiles this file has no other way to these types
/// <reference path="./pg-copy-streams.d.ts" />
import { sqlState } from "@replant/core";
import type { Client } from "pg";
import { to } from "pg-copy-streams";

const ignore = (): void => {};

/**
 * Runs `COPY … TO STDOUT`; the socket is read only as fast as the consumer takes the chunks. When it returns early, `cancel` ends
 * the statement on the server and the rest is discarded, so that the session can be used again (an open transaction is aborted).
 */
export async function* copyOut(client: Client, sql: string, cancel: () => Promise<void>): AsyncGenerator<Uint8Array> {
  const stream = client.query(to(sql));
  let over = false;
  const settled = new Promise<void>((resolve) => {
    for (const event of ["end", "error", "close"]) {
      stream.on(event, () => {
        over = true;
        resolve();
      });
    }
  });
  try {
    // Destroying the stream would leave the rest of the server's answer in the socket for the next statement.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } finally {
    if (!over) {
      stream.resume();
      await cancel().catch(ignore);
      await settled;
      await absorbCancel(client);
    }
  }
}

/** A cancel request that comes after the COPY has ended would hit the next statement. This is the next statement. */
async function absorbCancel(client: Client): Promise<void> {
  await client.query("").catch((error: unknown) => {
    if (sqlState(error) !== "57014") throw error;
  });
}
