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

/** A name, empty where the line belongs to the one above, and what is said under it. */
type Fact = readonly [name: string, text: string];

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
  const orphans = "orphans" in rest && rest.orphans.length > 0 ? `; gone: ${orphanText(rest)}` : "";
  return `${countsText(counts)}; ${rowsChanged === 0 ? "no row changed" : `${plural(rowsChanged, "row")} changed`}${orphans}`;
}

function orphanText({ orphans, became }: Pick<Reconciled, "orphans" | "became">): string {
  const words = { "soft-delete": "deleted softly", drop: "dropped", keep: "kept", fail: "left" } as const;
  return `${plural(orphans.length, "row")}, ${words[became]}`;
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
  return column(pullFacts(pulled));
}

function pullFacts({ instance, counts, rowsChanged, resumed }: Pulled): Fact[] {
  return [
    ["instance", instanceText(instance)],
    ["listed", countsText(counts)],
    ...(resumed ? [below("an interrupted listing was gone on with")] : []),
    ["changed", rowsChanged === 0 ? "no row" : plural(rowsChanged, "row")],
  ];
}

export function reconcileLines(reconciled: Reconciled): string[] {
  const { orphans } = reconciled;
  return column([
    ...pullFacts(reconciled),
    ...(orphans.length === 0 ? [] : [["gone", orphanText(reconciled)] as const]),
    ...shown(orphanLines(reconciled)).map(below),
  ]);
}

export function driftLines({ equal, kinds }: Drift): string[] {
  const facts = kinds.flatMap(({ onlyProvider, onlyDatabase, different, ...counted }): Fact[] => [
    countFact(counted),
    ...shown(onlyProvider.map((id) => `only at the provider: ${id}`)).map(below),
    ...shown(onlyDatabase.map((id) => `only in live: ${id}`)).map(below),
    ...shown(different.map(({ id, fields }) => `${id} differs in ${fields.join(", ")}`)).map(below),
  ]);
  return [...column(facts), equal ? "nothing differs" : differs];
}

export function quickDriftLines({ equal, kinds, usersChanged }: QuickDrift): string[] {
  const facts = [
    ...kinds.map(countFact),
    ...(usersChanged ? [["", "a user was changed since the last state that is written"] as const] : []),
  ];
  return [...column(facts), equal ? "nothing seems to differ; all is compared by: replant identity drift" : differs];
}

const differs = "live differs from the provider: replant identity reconcile";

function countFact({ kind, inProvider, inDatabase }: QuickDrift["kinds"][number]): Fact {
  return [`${kindWords[kind]}s`, `${amount(inProvider)} at the provider, ${amount(inDatabase)} in live`];
}

export function drainLines({ applied, parked, ignored, failed }: Drained): string[] {
  return column([
    ["applied", plural(applied, "message")],
    ...(parked === 0
      ? []
      : [["parked", `${plural(parked, "membership")} without its user or organization yet`] as const]),
    ...(ignored === 0 ? [] : [["ignored", plural(ignored, "message")] as const]),
    ...(failed === 0
      ? []
      : [
          ["dead", plural(failed, "message")] as const,
          ["", "once the cause is corrected: replant identity replay --dead"] as const,
        ]),
  ]);
}

export interface IdentityStatus {
  readonly state: SyncState;
  readonly inbox: InboxCounts;
  readonly rows: Readonly<Record<Kind, number>>;
}

export function identityStatusLines({ state, inbox, rows }: IdentityStatus, nowMs: number): string[] {
  const { instance, lastFull, pull, watermark } = state;
  const { pending, parked, dead, oldestPendingAt } = inbox;
  const at = (ms: number): string => `${age(iso(ms), nowMs)} (${iso(ms)})`;
  return column([
    ["instance", instance === null ? "none yet: replant identity pull" : instanceText(instance)],
    ["rows", countsText(rows)],
    ["inbox", `${amount(pending)} waiting, ${amount(parked)} parked, ${amount(dead)} dead`],
    ...(oldestPendingAt === null ? [] : [below(`the oldest came ${at(oldestPendingAt)}`)]),
    ...(dead === 0 ? [] : [below("once the cause is corrected: replant identity replay --dead")]),
    ["listed", lastFull === null ? "never completely: replant identity pull" : at(lastFull.at)],
    ...(lastFull === null ? [] : [below(countsText(lastFull.counts))]),
    ...(pull === null
      ? []
      : [
          ["open", `interrupted at ${kindWords[pull.kind]}s, begun ${at(pull.startedAt)}`] as const,
          below("replant identity pull goes on with it"),
        ]),
    ...(watermark === null ? [] : [watermarkFact(watermark)]),
  ]);
}

export interface ShownObject extends ObjectHistory {
  readonly kind: Kind;
  readonly id: string;
  readonly watermark: number | null;
  readonly dependents: readonly Dependents[];
}

/** One object: what it is, and why it is so. */
export function historyLines(shownObject: ShownObject): string[] {
  const { kind, id, row, updatedAt, messages, dependents, watermark } = shownObject;
  const deleted = row === null || row.deletedAt === null ? "" : `, deleted softly at ${iso(row.deletedAt)}`;
  return column([
    [kindWords[kind], id],
    ["row", row === null ? "none" : `${row.localId ?? "there"}${deleted}`],
    ...(updatedAt === null ? [] : [["state", `of ${iso(updatedAt)}`] as const]),
    ["why", whyText(shownObject)],
    ...dependents.map(({ table, rows }): Fact => ["on it", `${plural(rows, "row")} of ${table}`]),
    ...(watermark === null ? [] : [watermarkFact(watermark)]),
    ...messages.flatMap((message): Fact[] => [
      ["message", `${iso(message.receivedAt)} ${message.type} ${message.status}`],
      below(message.id),
      ...(message.error === null ? [] : [below(message.error)]),
    ]),
    ...(messages.length === 0 ? [["message", "none in the inbox"] as const] : []),
  ]);
}

function whyText({ gone, parked, row, updatedAt }: ShownObject): string {
  if (gone) return "the provider has deleted it: nothing brings it back";
  if (parked) return "it waits for its user or its organization";
  if (row === null) return "nothing is known of it";
  if (updatedAt === null) return "no message and no listing has written it: the next state counts";
  return "a newer state replaces it, an older one does not";
}

/** `written`: false for a dry run. */
export function remapLines(
  { from, to, users, organizations, unmatched }: Remapped,
  { written }: { written: boolean },
): string[] {
  const pairs = [...users, ...organizations];
  const facts = [
    ["from", from ?? "no instance"] as const,
    ["to", to] as const,
    ...pairs.flatMap((pair) => [below(pair.key), below(`  ${pair.from} -> ${pair.to}`)]),
    ...shown(unmatched).map((id, index): Fact => [index === 0 ? "unmatched" : "", id]),
    ...(unmatched.length === 0 ? [] : [below("the next reconcile deletes these by its rule")]),
  ];
  return [...column(facts), ...(written ? [] : ["nothing was written; without --dry-run it is"])];
}

function instanceText({ id, environment }: { readonly id: string; readonly environment: string }): string {
  return `${id} (${environment})`;
}

function watermarkFact(watermark: number): Fact {
  return ["watermark", `events before ${iso(watermark)} are no news`];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function below(text: string): Fact {
  return ["", text];
}

/** Facts under each other, their texts in one column. */
function column(facts: readonly Fact[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, text]) => labelled(name, text, width));
}

function shown(lines: readonly string[]): string[] {
  if (lines.length <= shownMax) return [...lines];
  return [...lines.slice(0, shownMax), `and ${amount(lines.length - shownMax)} more: --json has them`];
}
