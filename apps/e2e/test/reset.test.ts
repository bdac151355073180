import { describe, expect, test } from "vitest";
import { addSyncedRows, keptRows, openTarget, preparedTarget, targetNames } from "./target.ts";

const serverIds = "select id from mcp_servers order by server_key";

describe.each(targetNames)("the 39 rows on %s", (name) => {
  test("a reset keeps each of them, on the right server, although every server id is new", async () => {
    const target = await openTarget(name);
    const first = await target.workspace.replant(["reset"]);
    expect(first).toMatchObject({ code: 0, stdout: "" });
    await addSyncedRows(target);
    const [before, idsBefore] = [await keptRows(target), await target.lines(serverIds)];
    expect(before).toHaveLength(39);

    const second = await target.workspace.replant(["reset", "--json"]);
    expect(second.code, second.stderr).toBe(0);
    expect(await keptRows(target)).toEqual(before);
    expect(await target.lines("select count(*) from users")).toEqual(["(8)"]);
    // The baseline is a template: its servers are new to live once, and have been since the first reset.
    expect(await target.lines("select count(*) from default_prompts")).not.toEqual(["(0)"]);
    const report = JSON.parse(second.stdout);
    expect(report.ok).toBe(true);
    expect(idsBefore).toHaveLength((await target.lines(serverIds)).length);
    expect(await target.leftovers()).toEqual([]);
  });

  test("also when every id of the seeds is another one", async () => {
    const target = await openTarget(name);
    expect((await target.workspace.replant(["reset"])).code).toBe(0);
    await addSyncedRows(target);
    const [before, idsBefore] = [await keptRows(target), await target.lines(serverIds)];
    // Without baselines everything is migrated and seeded again.
    expect((await target.workspace.replant(["clean", "--all"])).code).toBe(0);
    const result = await target.workspace.replant(["reset"]);
    expect(result.code, result.stderr).toBe(0);
    expect(await keptRows(target)).toEqual(before);
    const idsAfter = await target.lines(serverIds);
    expect(idsAfter.filter((id) => idsBefore.includes(id))).toEqual([]);
  });

  test("through backup, a forced reset and a restore", async () => {
    const target = await preparedTarget(name);
    const before = await keptRows(target);
    expect((await target.workspace.replant(["backup"])).code).toBe(0);
    const refused = await target.workspace.replant(["reset", "--force"]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("REPLANT_CONSENT_NEEDED");
    expect(await keptRows(target)).toEqual(before);
    expect((await target.workspace.replant(["reset", "--force", `--yes=${target.database}`])).code).toBe(0);
    expect(await keptRows(target)).toEqual([]);
    const restored = await target.workspace.replant(["restore"]);
    expect(restored.code, restored.stderr).toBe(0);
    expect(await keptRows(target)).toEqual(before);
  });

  test("through the chain of four tasks, with a write in the middle", async () => {
    const target = await preparedTarget(name);
    for (const task of ["backup", "reset", "seed"]) {
      const result = await target.workspace.replant([task, "--chain"]);
      expect(result.code, result.stderr).toBe(0);
    }
    await target.script("update organizations set name = 'Renamed meanwhile' where clerk_id = 'org_2'");
    const before = await keptRows(target);
    const last = await target.workspace.replant(["restore", "--chain"]);
    expect(last.code, last.stderr).toBe(0);
    expect(await keptRows(target)).toEqual(before);
    expect(await target.leftovers()).toEqual([]);
  });

  test("undo brings back what was there, says what differs, and can be undone", async () => {
    const target = await preparedTarget(name);
    await target.workspace.replant(["reset"]);
    await target.script(
      "update users set first_name = 'After' where clerk_id = 'user_1'; insert into users (clerk_id, email) values ('new', 'new@example.com')",
    );
    const after = await keptRows(target);
    const undone = await target.workspace.replant(["undo", "--json"]);
    expect(undone.code, undone.stderr).toBe(0);
    expect(await target.lines("select count(*) from users")).toEqual(["(9)"]);
    const { differences } = JSON.parse(undone.stdout);
    expect(differences).toContainEqual({
      table: { schema: "public", name: "users" },
      onlyLive: 1,
      onlyOther: 1,
      changed: 1,
    });
    expect((await target.workspace.replant(["undo"])).code).toBe(0);
    expect(await keptRows(target)).toEqual(after);
  });
});
