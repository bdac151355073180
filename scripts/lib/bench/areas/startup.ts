import type { Area } from "../area.ts";
import { inTurns, timeOf, type Way } from "../measure.ts";
import { floor } from "../paths.ts";
import { createDatabase, refill } from "../server.ts";

const bareNode = "node, an empty script";
const bareQuery = "node, pg, one query";

/** What a command costs before it does anything, and what a first look at the database costs. */
export const startupArea: Area = {
  name: "startup",
  measure: async (bench) => {
    const server = await bench.server();
    const ways: Way[] = [];
    const statuses: Way[] = [];
    for (const replant of bench.replants) {
      const database = `startup_${replant.name.replaceAll(/\W+/g, "_")}`;
      const env = { DATABASE_URL: server.url(database) };
      bench.tell(`a first reset with ${replant.name}`);
      await createDatabase(server, database);
      await timeOf(replant.program(["reset"], env));
      await server.on(database, refill);
      ways.push({ name: `${replant.name} --help`, program: replant.program(["--help"]) });
      statuses.push({ name: `${replant.name} status`, program: replant.program(["status"], env) });
    }
    const cwd = import.meta.dirname;
    return {
      title: "start-up",
      ways: await inTurns(
        [
          { name: bareNode, program: { entry: floor("empty.mjs"), cwd } },
          ...ways,
          { name: bareQuery, program: { entry: floor("query.mjs"), cwd, env: { DATABASE_URL: server.url() } } },
          ...statuses,
        ],
        bench,
      ),
      comparisons: [
        ...ways.map(({ name }) => ({ of: name, to: bareNode, aim: null })),
        ...statuses.map(({ name }) => ({ of: name, to: bareQuery, aim: "<= 1.3" })),
      ],
      missing: [],
    };
  },
};
