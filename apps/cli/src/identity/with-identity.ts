import { ReplantError } from "@replant/core";
import type { IdentityMapping, SyncStore } from "@replant/identity-sync";
import type { Cli } from "../cli.ts";
import { withProject, type GuardedProject } from "../with-project.ts";
import type { ProviderAccess } from "./open.ts";
import { mappingOf, openProvider, openStore, requireSection } from "./open.ts";

export interface OpenIdentity {
  readonly project: GuardedProject;
  readonly mapping: IdentityMapping;
  readonly store: SyncStore;
  readonly access: ProviderAccess;
}

/**
 * Opens live and the identity provider for one command. `changes`: it writes into live, so the guard is asked.
 * @throws ReplantError REPLANT_CONFIG_INVALID | REPLANT_CONNECTION_FAILED, what the guard and `work` throw
 */
export async function withIdentity<Value>(
  cli: Cli,
  { changes, yes, longLived = false }: { changes: boolean; yes?: string | undefined; longLived?: boolean },
  work: (identity: OpenIdentity) => Promise<Value>,
): Promise<Value> {
  return withProject(cli, { changes, yes, longLived }, async (project) => {
    const mapping = await mappingOf(requireSection(project));
    const { engine } = project.ports;
    if (changes) await project.authorise(await engine.probe());
    const access = await openProvider(project, {
      env: cli.env,
      signal: cli.interruption.signal,
      onWait: (text) => cli.emit({ type: "notice", level: "info", text }),
    });
    const live = async (): Promise<Awaited<ReturnType<typeof engine.connect>>> => {
      const ref = await engine.liveRef();
      if (ref !== null) return engine.connect(ref);
      throw new ReplantError("REPLANT_CONNECTION_FAILED", "there is no live database yet", {
        state: "nothing was touched",
        hint: "replant reset makes one",
      });
    };
    const store = await openStore(project, { connect: live, mapping });
    try {
      return await work({ project, mapping, store, access });
    } finally {
      await store.close();
    }
  });
}
