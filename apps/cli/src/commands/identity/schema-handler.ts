import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { mappingOf, requireSection } from "../../identity/open.ts";
import { loadProject } from "../../project.ts";
import type { schemaFlags } from "./command.ts";

export async function handle(cli: Cli, { flags }: Input<typeof schemaFlags>): Promise<Outcome> {
  const loaded = await loadProject(cli);
  const { own } = await mappingOf(requireSection(loaded));
  const { prismaModels, schemaSql } = await import("@replant/identity-sync/postgres");
  const format = flags.format ?? "prisma";
  const schema = format === "sql" ? schemaSql(own) : prismaModels(own);
  return { document: { format, schema }, text: () => [], raw: `${schema.trimEnd()}\n` };
}
