import type { BackupSummary, JournalRecord, MigrationStatus, SeedInfo, StatusReport } from "@replant/core";
import { labelled } from "./reports.ts";
import type { Style } from "./style.ts";
import { age, amount, bytes, plural } from "./words.ts";

export function backupsLines(
  backups: readonly BackupSummary[],
  { style, location, nowMs }: { style: Style; location: string; nowMs: number },
): string[] {
  if (backups.length === 0) return [`  no backups in ${location}`];
  return [
    ...backups.map((backup) => {
      const mark = backup.latest ? style.good("latest") : "      ";
      const name = backup.label === null ? backup.id : `${backup.id} (${backup.label})`;
      if (backup.damage !== null) return `  ${mark} ${name}  ${style.bad("damaged")}: ${backup.damage}`;
      const size = `${plural(backup.keptRows, "row")}, ${plural(backup.tables, "table")}, ${bytes(backup.storedBytes)}`;
      const verified = backup.verifiedAt === null ? "not verified" : `verified ${age(backup.verifiedAt, nowMs)}`;
      const migration = backup.lastMigration === null ? "" : `, at ${backup.lastMigration}`;
      return `  ${mark} ${name}  ${size}  ${age(backup.createdAt, nowMs)}, ${verified}  ${style.faint(`of ${backup.database}${migration}`)}`;
    }),
    `  in ${location}`,
  ];
}

export function seedListLines(seeds: readonly SeedInfo[]): string[] {
  if (seeds.length === 0) return ["  no seeds"];
  return seeds.map(({ name, set, dependsOn, description, where }) => {
    const after = dependsOn.length === 0 ? "" : `  after ${dependsOn.join(", ")}`;
    return `  ${name} (${set})${description === null ? "" : `  ${description}`}${after}  ${where}`;
  });
}

export function migrationLines({ applied, pending, problems }: MigrationStatus, style: Style): string[] {
  return [
    labelled("applied", amount(applied.length)),
    ...(pending.length === 0 ? [labelled("pending", "none")] : pending.map((name) => labelled("pending", name))),
    ...problems.map((problem) => labelled(style.bad("problem "), problem)),
  ];
}

export function statusLines(report: StatusReport, { style, nowMs }: { style: Style; nowMs: number }): string[] {
  const { target, managed, lastRun, unfinished, backups, migrations } = report;
  const live =
    target.live === null
      ? "does not exist yet"
      : `${target.database}  ${bytes(target.sizeBytes)}, Postgres ${target.serverVersion}${othersText(target.sessions.length)}`;
  const good = backups.filter(({ damage }) => damage === null);
  const latest = good[0];
  return [
    labelled("live", live),
    ...managed.map(({ role, name, sizeBytes, createdAt, fingerprint }) => {
      const key = role === "baseline" && fingerprint !== null ? `  ${fingerprint.slice(0, 8)}` : "";
      return labelled(role, `${name}${key}  ${bytes(sizeBytes)}, ${age(createdAt, nowMs)}`);
    }),
    labelled(
      "backups",
      latest === undefined
        ? "none"
        : `${amount(backups.length)}, latest ${latest.id} (${plural(latest.keptRows, "row")}, ${age(latest.createdAt, nowMs)})`,
    ),
    ...(good.length === backups.length ? [] : [labelled("", style.bad(`${backups.length - good.length} damaged`))]),
    ...(migrations === null ? [] : migrationLines(migrations, style)),
    labelled("last run", lastRun === null ? "none" : runText(lastRun.run, lastRun.records, nowMs)),
    ...(unfinished === null ? [] : [`  ${style.careful("!")} ${unfinished}`]),
    ...(target.swapBlockers.length === 0
      ? []
      : target.swapBlockers.map((why) => `  ${style.careful("!")} no atomic swap here: ${why}`)),
  ];
}

function othersText(sessions: number): string {
  return sessions === 0 ? "" : `, ${plural(sessions, "connection")} of others`;
}

function runText(run: string, records: readonly JournalRecord[], nowMs: number): string {
  const begin = records.find((record) => record.type === "begin");
  const end = records.findLast((record) => record.type === "end" || record.type === "recovered");
  const command = begin?.type === "begin" ? begin.command : "unknown";
  const when = begin === undefined ? "" : `, ${age(begin.at, nowMs)}`;
  const how =
    end === undefined
      ? "not ended"
      : end.type === "recovered"
        ? end.outcome === "completed"
          ? "stopped after its swap"
          : "stopped, nothing changed"
        : end.result === "ok"
          ? "ok"
          : `${end.result}${end.code === null ? "" : ` (${end.code})`}`;
  return `${command}: ${how}${when}  ${run}`;
}
