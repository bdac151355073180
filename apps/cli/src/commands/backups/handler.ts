import type { Cli, Outcome } from "../../cli.ts";
import { backupsLines } from "../../render/listings.ts";
import { withProject } from "../../with-project.ts";

export async function handle(cli: Cli): Promise<Outcome> {
  return withProject(cli, { changes: false }, async ({ ports: { store, clock } }) => {
    const backups = await store.list();
    const { location } = store;
    const nowMs = clock.now();
    return { document: { location, backups }, text: (style) => backupsLines(backups, { style, location, nowMs }) };
  });
}
