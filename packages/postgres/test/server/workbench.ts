import { randomBytes } from "node:crypto";
import type { Engine } from "@replant/core";
import { databaseUrl, dropDatabases, type PostgresMajor, serverUrl } from "@replant/testkit";
import { onTestFinished } from "vitest";
import { openServer, type ServerOptions } from "../../src/server/index.ts";

/** A place of this test alone: a name that no database has yet. All databases whose name begins with it go with the test. */
export interface Place {
  readonly name: string;
  readonly url: string;
  /** An engine that is closed when the test has finished. */
  readonly open: (options?: Partial<ServerOptions>) => Engine;
}

export async function freshPlace(major: PostgresMajor, prefix = "place"): Promise<Place> {
  const name = `${prefix}_${randomBytes(6).toString("hex")}`;
  const url = databaseUrl(await serverUrl(major), name);
  onTestFinished(() => dropDatabases(major, name));
  const open = (options: Partial<ServerOptions> = {}): Engine => {
    const engine = openServer({ url, ...options });
    onTestFinished(() => engine.close());
    return engine;
  };
  return { name, url, open };
}
