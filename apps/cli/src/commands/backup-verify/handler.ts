import type { BackupStore, Clock } from "@replant/core";
import { isReplantError, ReplantError } from "@replant/core";
import type { Cli, Outcome } from "../../cli.ts";
import type { Input } from "../../command.ts";
import { plural } from "../../render/words.ts";
import { assertTogether } from "../../together.ts";
import { withProject } from "../../with-project.ts";
import type { flags as specs } from "./command.ts";

interface Verdict {
  readonly id: string;
  readonly damage: string | null;
}

export async function handle(cli: Cli, { flags, argument }: Input<typeof specs>): Promise<Outcome> {
  assertTogether({ ...flags, backup: argument !== null }, { all: ["backup"] });
  return withProject(cli, { changes: false }, async ({ ports: { store, clock } }) => {
    if (!flags.all) {
      const reader = await store.open(argument ?? "latest");
      // A backup outside of the store is none that could have a note there.
      const id = await store.find(argument ?? "latest").catch(() => null);
      if (id === null) await reader.verify();
      else await verifyOne(store, clock, id);
      return outcome([{ id: reader.manifest.id, damage: null }]);
    }
    const verdicts: Verdict[] = [];
    for (const { id } of await store.list()) {
      verdicts.push(await verdictOf(store, clock, id));
      cli.emit({ type: "progress", step: "verify", done: verdicts.length, total: null, unit: "backups" });
    }
    assertAllGood(verdicts);
    return outcome(verdicts);
  });
}

function outcome(verified: readonly Verdict[]): Outcome {
  return {
    document: { backups: verified },
    text: (style) =>
      verified.length === 0 ? ["  no backups"] : verified.map(({ id }) => `  ${style.good("whole")} ${id}`),
  };
}

/** Reads one to its end, and notes what was found. */
async function verifyOne(store: BackupStore, clock: Clock, id: string): Promise<void> {
  try {
    await (await store.open(id)).verify();
  } catch (error) {
    if (isReplantError(error) && error.code === "REPLANT_BACKUP_DAMAGED") {
      await store.annotate(id, { damage: error.details.why ?? error.message });
    }
    throw error;
  }
  await store.annotate(id, { damage: null, verifiedAt: new Date(clock.now()).toISOString() });
}

async function verdictOf(store: BackupStore, clock: Clock, id: string): Promise<Verdict> {
  try {
    await verifyOne(store, clock, id);
    return { id, damage: null };
  } catch (error) {
    if (!isReplantError(error)) throw error;
    return { id, damage: error.details.why ?? error.message };
  }
}

function assertAllGood(verdicts: readonly Verdict[]): void {
  const bad = verdicts.filter(({ damage }) => damage !== null);
  if (bad.length === 0) return;
  throw new ReplantError(
    "REPLANT_BACKUP_DAMAGED",
    `${bad.length} of ${plural(verdicts.length, "backup")} cannot be used`,
    {
      items: bad.map(({ id, damage }) => `${id}: ${damage}`),
      state: `${plural(verdicts.length - bad.length, "other backup")} were read to their end and are whole`,
      hint: "make a new one: replant backup; then remove those: replant backup remove <id>",
    },
  );
}
