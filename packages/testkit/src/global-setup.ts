import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { PostgresMajor } from "./postgres-binaries.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { makeTempRoot } from "./temp-root.ts";

/**
 * vitest's global setup, run once per run: offers the shared servers and the root of temporary directories.
 * A server starts when the first test asks for its version, so that a run of unit tests starts none.
 * @returns the teardown, which ends all of it
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const tempRoot = await makeTempRoot();
  // For everything in the run that asks where temporary files go: workers, servers, commands.
  process.env["TMPDIR"] = tempRoot.directory;
  // Hundreds of processes read the same sources; each child that ends in order keeps what it stripped and compiled.
  process.env["NODE_COMPILE_CACHE"] = join(tempRoot.directory, "cache/replant/compiled");
  const servers = new Map<PostgresMajor, Promise<PostgresServer>>();
  const start = (major: PostgresMajor): Promise<PostgresServer> => {
    const server = servers.get(major) ?? startPostgres(major);
    servers.set(major, server);
    return server;
  };
  const broker = createServer((request, response) => {
    const major = request.url === "/15" ? 15 : 18;
    start(major).then(
      (server) => response.end(server.url()),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }).listen(0, "127.0.0.1");
  await once(broker, "listening");
  project.provide("tempRoot", tempRoot.directory);
  project.provide("postgresBroker", `http://127.0.0.1:${(broker.address() as AddressInfo).port}`);
  return async () => {
    broker.close();
    broker.closeAllConnections();
    await Promise.allSettled([...servers.values()].map(async (server) => (await server).stop()));
    await tempRoot.remove();
  };
}
