import { guardSignalsFrom } from "@replant/config";
import type { GuardSignals, Ports, TargetFacts } from "@replant/core";
import { assertMayReplace, isReplantError, type ReplantError } from "@replant/core";
import type { Cli } from "./cli.ts";
import type { LoadedProject, OpenProject } from "./project.ts";
import { connectProject, databaseOf, loadProject, locationOf } from "./project.ts";
import { readVersion } from "./version.ts";

/** An open project, and the guard that stands before its live database. */
export interface GuardedProject extends OpenProject {
  /** What `--yes=` names, or null. */
  readonly yes: string | null;
  /** Says no by throwing, once more with what the database says about itself; under the lock where core asks for it. */
  readonly authorise: (target: TargetFacts) => Promise<void>;
  /** What the guard would say to a command that changes live; null: it may. */
  readonly refusal: (target: TargetFacts) => ReplantError | null;
}

export interface Access {
  /** `yes`: what `--yes=` names. A command that changes live is stopped by the guard before anything connects. */
  readonly changes: boolean;
  readonly yes?: string | undefined;
  /** See `OpenOptions`. */
  readonly longLived?: boolean;
}

/**
 * Opens the project for one command: the first line of the output, the guard, the ports, and their end whatever happens.
 * @throws what `loadProject`, the guard and `work` throw
 */
export async function withProject<Value>(
  cli: Cli,
  { changes, yes, longLived = false }: Access,
  work: (project: GuardedProject) => Promise<Value>,
): Promise<Value> {
  const loaded = await loadProject(cli);
  const { resolved, config, root } = loaded;
  cli.trace.root = root;
  if (resolved.kind === "server") cli.redact.addUrl(resolved.url);
  const version = readVersion();
  cli.header({
    version,
    project: config.project,
    database: databaseOf(loaded),
    location: locationOf(loaded),
    source: resolved.source,
    embedded: resolved.kind === "embedded",
  });
  const signals = signalsOf(cli, { loaded, yes: yes ?? null });
  if (changes) assertMayReplace({ ...signals, environment: null });
  const opened = await connectProject(loaded, {
    env: cli.env,
    longLived,
    tool: `replant ${version}`,
    emit: cli.emit,
    signal: cli.interruption.signal,
  });
  const authorise = (target: TargetFacts): Promise<void> =>
    Promise.resolve(assertMayReplace({ ...signals, environment: target.environment }));
  try {
    return await work({
      ...opened,
      ports: cli.decorate(traced(opened.ports, cli)),
      yes: yes ?? null,
      authorise,
      refusal: (target) => refusalOf({ ...signals, environment: target.environment }),
    });
  } finally {
    await opened.close();
  }
}

function signalsOf(cli: Cli, { loaded, yes }: { loaded: LoadedProject; yes: string | null }): GuardSignals {
  const { resolved, config } = loaded;
  return {
    ...guardSignalsFrom({ env: cli.env, resolved, yes, productionNames: config.guard.productionNames }),
    database: databaseOf(loaded),
    location: locationOf(loaded),
    local: resolved.kind === "embedded" || resolved.address.local,
    environment: null,
  };
}

function refusalOf(signals: GuardSignals): ReplantError | null {
  try {
    assertMayReplace(signals);
    return null;
  } catch (error) {
    if (isReplantError(error)) return error;
    throw error;
  }
}

/** Learns which run is under way, so that a failure can name its log. */
function traced(ports: Ports, cli: Cli): Ports {
  const { journal } = ports;
  return {
    ...ports,
    journal: {
      ...journal,
      append: async (run, record) => {
        await journal.append(run, record);
        if (record.type === "begin") cli.trace.run = run;
      },
    },
  };
}
