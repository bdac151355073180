import { ReplantError } from "@replant/core";
import { nodeFiles } from "@replant/node";
import type { ServeEvent } from "@replant/postgres/embedded";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { embeddedOptions } from "../../project.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

const defaultPort = 5433;

export async function handle(cli: Cli, { flags }: Input<typeof specs>): Promise<Outcome> {
  return withProject(cli, { changes: false, longLived: true }, async ({ root, resolved, machineCache, ports }) => {
    if (resolved.kind !== "embedded") {
      throw new ReplantError("REPLANT_USAGE", "only the embedded database is served; this one is on a server already", {
        why: `the connection came from ${resolved.source}`,
        state: "nothing was touched",
      });
    }
    const { serveEmbedded } = await import("@replant/postgres/embedded");
    const say = (text: string): void => cli.emit({ type: "notice", level: "info", text });
    const serving = await serveEmbedded({
      ...embeddedOptions({ root, machineCache }, resolved),
      files: nodeFiles(),
      run: ports.clock.runId(),
      port: flags.port ?? defaultPort,
      onEvent: (event) => say(describe(event)),
    });
    const url = `postgres://localhost:${serving.port}/${resolved.name}`;
    say(`${url} until Ctrl-C`);
    say("one session for all: a transaction makes the others wait; no COPY FROM STDIN; no password, this machine only");
    const { signal } = cli.interruption;
    const stop = (): void => void serving.close();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await serving.ended;
    } finally {
      signal.removeEventListener("abort", stop);
      await serving.close();
    }
    return { document: { url }, text: () => ["  served no more"] };
  });
}

function describe(event: ServeEvent): string {
  return event.type === "serving"
    ? `serving ${event.generation}`
    : "another command has the database; connections were ended, new ones wait";
}
