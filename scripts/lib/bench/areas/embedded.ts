import { cp, rm } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { nodeFiles } from "../../../../packages/node/src/index.ts";
import { generationShelf } from "../../../../packages/postgres/src/embedded/generations.ts";
import { dataDirectory } from "../../../../packages/postgres/src/embedded/marks.ts";
import { onLive } from "../../live.ts";
import type { Area } from "../area.ts";
import { keptRows, seededRows } from "../database.ts";
import { inTurns, timeOf, type Way } from "../measure.ts";
import { benchDirectory, floor, repository } from "../paths.ts";
import type { Replant } from "../replant.ts";
import { countKept, refill } from "../server.ts";

const boot = "PGlite, boot of the same directory";
const pglite = "@electric-sql/pglite";

/** A warm reset of the embedded database against what opening it costs. */
export const embeddedArea: Area = {
  name: "embedded",
  measure: async (bench) => {
    const ways: Way[] = [];
    for (const replant of bench.replants) {
      bench.tell(`a first reset with ${replant.name}`);
      const program = replant.program(["reset"]);
      await timeOf(program);
      await onLive(replant.project, refill);
      ways.push({ name: replant.name, program, count: () => onLive(replant.project, countKept) });
    }
    return {
      title: `embedded, warm reset: ${seededRows} seeded rows, ${keptRows} rows to keep`,
      ways: await inTurns([await bootWay(bench.replants[0]), ...ways], bench),
      comparisons: ways.map(({ name }) => ({ of: name, to: boot, aim: "<= 1.5" })),
      missing: [],
    };
  },
};

/** Boots a copy of live, so that nothing but Replant ever opens live itself. */
async function bootWay(replant: Replant | undefined): Promise<Way> {
  if (replant === undefined) throw new Error("nothing has made an embedded database");
  const copy = join(benchDirectory, "boot");
  await rm(copy, { recursive: true, force: true });
  const shelf = generationShelf(nodeFiles(), join(replant.project, ".replant/pg/app"));
  const live = await onLive(replant.project, async (_, ref) => dataDirectory(shelf, ref.name));
  await cp(live, copy, { recursive: true });
  const manifest = findPackageJSON(pglite, join(repository, "packages/postgres/package.json"));
  if (manifest === undefined) throw new Error("PGlite is not installed");
  const args = [copy, join(dirname(manifest), "dist/index.js")];
  return { name: boot, program: { entry: floor("boot.mjs"), args, cwd: benchDirectory } };
}
