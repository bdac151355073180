import { requireWords } from "../../arguments.ts";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

export async function handle(cli: Cli, input: Input<typeof specs>): Promise<Outcome> {
  const [reference] = requireWords(cli, input, ["a backup"]);
  const [label = null] = input.further;
  return withProject(cli, { changes: false }, async ({ ports: { store } }) => {
    const id = await store.find(reference);
    await store.annotate(id, { label });
    return {
      document: { id, label },
      text: () => [label === null ? `  ${id} has no label now` : `  ${id} is called ${label} now`],
    };
  });
}
