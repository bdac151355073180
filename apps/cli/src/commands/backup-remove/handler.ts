import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { requireConsent } from "../../consent.ts";
import { databaseOf } from "../../project.ts";
import { plural } from "../../render/words.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [first] = requireWords(cli, input, ["a backup"]);
  const yes = input.flags.yes ?? null;
  return withProject(cli, { changes: false }, async (project) => {
    const { store } = project.ports;
    const ids = new Set<string>();
    for (const reference of [first, ...input.further]) ids.add(await store.find(reference));
    const newest = (await store.list()).find(({ damage }) => damage === null)?.id;
    const what = `${plural(ids.size, "backup")} would be gone for good`;
    await (newest !== undefined && ids.has(newest)
      ? requireConsent(cli, { database: newest, of: "backup", what: `${what}, the newest good one too`, yes })
      : requireConsent(cli, { database: databaseOf(project), what, yes }));
    for (const id of ids) await store.remove(id);
    return { document: { removed: [...ids] }, text: () => [...ids].map((id) => `  removed ${id}`) };
  });
}
