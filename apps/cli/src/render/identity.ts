import type {
  Dependents,
  Drift,
  Drained,
  InboxCounts,
  Kind,
  ObjectHistory,
  Orphan,
  Pulled,
  QuickDrift,
  Reconciled,
  Remapped,
  SyncState,
} from "@replant/identity-sync";
import { labelled } from "./reports.ts";
import { age, amount, plural } from "./words.ts";

/** At most this many ids of a kind are printed; --json has all of them. */
const shownMax = 10;

const kindWords: Readonly<Record<Kind, string>> = {
  user: "user",
  organization: "organization",
  membership: "membership",
};

function countsText(counts: Readonly<Record<Kind, number>>): string {
  return (["user", "organization", "membership"] as const)
    .map((kind) => plural(counts[kind], kindWords[kind]))
    .join(", ");
}

/** What a listing found and changed, in one line. */
export function pullText({ counts, rowsChanged, ...rest }: Pulled | Reconciled): string {
  const orphans = "orphans" in rest && rest.orphans.length > 0 ? `, ${orphanText(rest)}` : "";
  return `${countsText(counts)}; ${rowsChanged === 0 ? "no row changed" : `${plural(rowsChanged, "row")} changed`}${orphans}`;
}

function orphanText({ orphans, became }: Pick<Reconciled, "orphans" | "became">): string {
  const words = { "soft-delete": "deleted softly", drop: "dropped", keep: "kept", fail: "left" } as const;
  return `${plural(orphans.length, "row")} that the provider does not have ${words[became]}`;
}

/** One line for each row that the provider does not have, with what hangs on it. */
export function orphanLines({ orphans }: Pick<Reconciled, "orphans">): string[] {
  return orphans.map(orphanLine);
}

function orphanLine({ kind, id, dependents }: Orphan): string {
  const hanging = dependents
    .filter(({ rows }) => rows > 0)
    .map(({ table, rows }) => `${plural(rows, "row")} of ${table}`);
  return `${kindWords[kind]} ${id} is gone${hanging.length === 0 ? "" : `; on it hang ${hanging.join(", ")}`}`;
}

export function pullLines(pulled: Pulled): string[] {
  const { instance, resumed } = pulled;
  return [
    labelled("instance", `${instance.id} (${instance.environment})`),
    labelled("pulled", pullText(pulled)),
    ...(resumed ? [labelled("", "an interrupted listing was gone on with")] : []),
  ];
}

export function reconcileLines(reconciled: Reconciled): string[] {
  return [...pullLines(reconciled), ...shown(orphanLines(reconciled)).map((line) => labelled("gone", line))];
}

export function driftLines({ equal, kinds }: Drift): string[] {
  return [
    ...kinds.flatMap(({ kind, inProvider, inDatabase, onlyProvider, onlyDatabase, different }) => [
      labelled(`${kindWords[kind]}s`, `${amount(inProvider)} there, ${amount(inDatabase)} here`),
      ...shown(onlyProvider).map((id) => labelled("", `only there: ${id}`)),
      ...shown(onlyDatabase).map((id) => labelled("", `only here: ${id}`)),
      ...shown(different.map(({ id, fields }) => `${id}: ${fields.join(", ")}`)).map((text) =>
        labelled("", `differs: ${text}`),
      ),
    ]),
    equal ? "nothing differs" : "live differs from the provider: replant identity reconcile",
  ];
}

export function quickDriftLines({ equal, kinds, usersChanged }: QuickDrift): string[] {
  return [
    ...kinds.map(({ kind, inProvider, inDatabase }) =>
      labelled(`${kindWords[kind]}s`, `${amount(inProvider)} there, ${amount(inDatabase)} here`),
    ),
    ...(usersChanged ? [labelled("", "a user was changed since the last state that is written")] : []),
    equal ? "nothing seems to differ" : "live differs from the provider: replant identity reconcile",
  ];
}

export function drainLines({ applied, parked, ignored, failed }: Drained): string[] {
  return [
    labelled("applied", plural(applied, "message")),
    ...(parked === 0
      ? []
      : [labelled("parked", `${plural(parked, "membership")} without its user or organization yet`)]),
    ...(ignored === 0 ? [] : [labelled("ignored", plural(ignored, "message"))]),
    ...(failed === 0 ? [] : [labelled("dead", `${plural(failed, "message")} failed: replant identity status`)]),
  ];
}

export interface IdentityStatus {
  readonly state: SyncState;
  readonly inbox: InboxCounts;
  readonly rows: Readonly<Record<Kind, number>>;
}

export function identityStatusLines({ state, inbox, rows }: IdentityStatus, nowMs: number): string[] {
  const { instance, lastFull, pull, watermark } = state;
  const at = (ms: number): string => `${new Date(ms).toISOString()}, ${age(new Date(ms).toISOString(), nowMs)} ago`;
  const lag = inbox.oldestPendingAt === null ? "" : `, the oldest of ${at(inbox.oldestPendingAt)}`;
  return [
    labelled(
      "instance",
      instance === null ? "none yet: replant identity pull" : `${instance.id} (${instance.environment})`,
    ),
    labelled("rows", countsText(rows)),
    labelled(
      "inbox",
      `${amount(inbox.pending)} waiting${lag}, ${amount(inbox.parked)} parked, ${amount(inbox.dead)} dead`,
    ),
    labelled("listed", lastFull === null ? "never completely" : `${countsText(lastFull.counts)} at ${at(lastFull.at)}`),
    ...(pull === null ? [] : [labelled("open", `a listing of ${at(pull.startedAt)} was interrupted at ${pull.kind}s`)]),
    ...(watermark === null ? [] : [labelled("mark", `events before ${new Date(watermark).toISOString()} are no news`)]),
  ];
}

export interface ShownObject extends ObjectHistory {
  readonly kind: Kind;
  readonly id: string;
  readonly watermark: number | null;
  readonly dependents: readonly Dependents[];
}

/** One object: what it is, and why it is so. */
export function historyLines({
  kind,
  id,
  row,
  updatedAt,
  gone,
  parked,
  messages,
  dependents,
  watermark,
}: ShownObject): string[] {
  const at = (ms: number): string => new Date(ms).toISOString();
  const why = gone
    ? "the provider has deleted it: nothing brings it back"
    : parked
      ? "it waits for its user or its organization"
      : row === null
        ? "nothing is known of it"
        : updatedAt === null
          ? "its row was not written by a message or a listing: the next state counts, whatever its age"
          : "a newer state replaces it, an older one does not";
  return [
    `${kind} ${id}`,
    labelled(
      "row",
      row === null
        ? "none"
        : `${row.localId ?? "there"}${row.deletedAt === null ? "" : `, deleted softly at ${at(row.deletedAt)}`}`,
    ),
    ...(updatedAt === null ? [] : [labelled("state", `of ${at(updatedAt)}`)]),
    labelled("why", why),
    ...dependents.map(({ table, rows }) => labelled("on it", `${plural(rows, "row")} of ${table}`)),
    ...(watermark === null ? [] : [labelled("mark", `events before ${at(watermark)} are no news`)]),
    ...messages.map(({ id: message, type, status, receivedAt, error }) =>
      labelled("message", `${at(receivedAt)} ${type} ${status} ${message}${error === null ? "" : `: ${error}`}`),
    ),
    ...(messages.length === 0 ? [labelled("message", "none in the inbox")] : []),
  ];
}

export function remapLines({ from, to, users, organizations, unmatched }: Remapped): string[] {
  return [
    labelled("from", from ?? "no instance"),
    labelled("to", to),
    ...[...users, ...organizations].map((pair) => labelled("", `${pair.from} -> ${pair.to}  ${pair.key}`)),
    ...shown(unmatched).map((id) => labelled("only here", id)),
  ];
}

function shown(lines: readonly string[]): string[] {
  if (lines.length <= shownMax) return [...lines];
  return [...lines.slice(0, shownMax), `and ${amount(lines.length - shownMax)} more: --json has them`];
}
