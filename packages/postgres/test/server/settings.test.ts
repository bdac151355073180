import { serverUrl, sql } from "@replant/testkit";
import { expect, test } from "vitest";
import { assertSameSettings, readSettings, renderSettings } from "../../src/server/settings.ts";
import { candidateWith, freshRole, livePlace, quote, within } from "./workbench.ts";

test.each([15, 18] as const)(
  "every difference of settings is noticed and can be rendered, on PostgreSQL %i",
  async (major) => {
    const role = await freshRole(major);
    const { engine, live, name } = await livePlace(major);
    const server = await serverUrl(major);
    const other = await candidateWith(engine, "other");
    const check = assertSameSettings(live.id, other.id);
    await sql(server, check);
    const differences = [
      `alter database ${quote(name)} connection limit 3`,
      `alter database ${quote(name)} is_template true`,
      `revoke connect on database ${quote(name)} from public`,
      `grant create on database ${quote(name)} to ${role} with grant option`,
      `alter database ${quote(name)} set work_mem to '5MB'`,
      `alter database ${quote(name)} set work_mem to '6MB'`,
      `alter role ${role} in database ${quote(name)} set search_path to a, "B c", ''`,
      `alter role ${role} in database ${quote(name)} reset all`,
      `grant connect on database ${quote(name)} to public`,
      `alter database ${quote(name)} owner to ${role}`,
      `revoke all on database ${quote(name)} from ${role}`,
      `alter database ${quote(name)} owner to postgres`,
      `alter database ${quote(name)} reset all`,
    ];
    for (const difference of differences) {
      await sql(server, difference);
      await expect(sql(server, check)).rejects.toThrow("were not copied completely");
      const statements = await within(engine, other, async (session) => {
        const [wanted, current] = [await readSettings(session, live.id), await readSettings(session, other.id)];
        return renderSettings(other.name, { wanted: wanted!, current: current! });
      });
      await sql(server, ["begin", ...statements, check, "commit"].join("; "));
      await sql(server, check);
    }
    await sql(server, `alter database ${quote(name)} is_template false`);
  },
);
