import type { ErrorDetails } from "../errors.ts";
import { isReplantError, messageOf, ReplantError } from "../errors.ts";
import type { Emit, StepKind } from "../model/events.ts";
import type { JournalRecord } from "../model/journal.ts";
import type { KeepRules, NaturalKeys } from "../model/keep.ts";
import type { Engine, RunLock } from "../ports/engine.ts";
import type { FollowUp } from "../ports/follow-up.ts";
import type { CatalogCache, Journal } from "../ports/journal.ts";
import type { Migrator } from "../ports/migrator.ts";
import type { RowPort } from "../ports/rows.ts";
import type { Seeder } from "../ports/seeder.ts";
import type { SqlSession } from "../ports/session.ts";
import type { BackupStore } from "../ports/store.ts";
import type { Clock } from "../ports/system.ts";

/** Everything that a run may touch. */
export interface Ports {
  readonly engine: Engine;
  readonly rows: RowPort;
  readonly migrator: Migrator;
  readonly seeder: Seeder;
  readonly store: BackupStore;
  readonly journal: Journal;
  readonly catalogs: CatalogCache;
  readonly clock: Clock;
  /** In the order in which they run. */
  readonly followUps: readonly FollowUp[];
  readonly emit: Emit;
  /** Aborted when the person wants out: the run stops at once, live stays. */
  readonly signal: AbortSignal;
}

/** What the configuration says about the project. */
export interface Project {
  /** `replant 0.1.0`, recorded in backups. */
  readonly tool: string;
  /** The project's uuid. */
  readonly id: string;
  readonly keep: KeepRules;
  readonly naturalKeys: NaturalKeys;
  /** Previous databases that stay for undo. */
  readonly previousKept: number;
  readonly backups: { readonly keepLast: number; readonly maxAgeDays: number };
}

/** One run: a command that changes something, under the lock of its database. */
export interface Run {
  readonly id: string;
  readonly command: string;
  readonly ports: Ports;
  readonly project: Project;
  readonly lock: RunLock;
  readonly startedAt: number;
  readonly warnings: string[];
}

export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export async function append(run: Run, record: JournalRecord): Promise<void> {
  await run.ports.journal.append(run.id, record);
}

export function warn(run: Run, text: string): void {
  run.warnings.push(text);
  run.ports.emit({ type: "notice", level: "warning", text });
}

/** What a step's work gives: its value, and words for the line that says it is done. */
export interface StepResult<Value> {
  readonly value: Value;
  readonly title?: string;
  readonly note?: string;
}

/**
 * One step: journalled before and after, told to whoever listens. An abort ends it at once, unless it must run to its end.
 * Errors get the step's account of the user's data when they have none.
 */
export async function step<Value>(
  run: Run,
  { kind, title, untouchable = false }: { kind: StepKind; title: string; untouchable?: boolean },
  work: () => Promise<StepResult<Value>>,
): Promise<Value> {
  const { clock, emit, signal } = run.ports;
  throwIfAborted(signal);
  const startedAt = clock.now();
  await append(run, { type: "step-begin", at: iso(startedAt), step: kind });
  emit({ type: "step-start", step: kind, title });
  try {
    const result = await (untouchable ? work() : untilAborted(signal, work()));
    await append(run, { type: "step-end", at: iso(clock.now()), step: kind });
    emit({
      type: "step-end",
      step: kind,
      title: result.title ?? title,
      durationMs: clock.now() - startedAt,
      note: result.note ?? null,
    });
    return result.value;
  } catch (error) {
    emit({ type: "step-failed", step: kind, title, durationMs: clock.now() - startedAt });
    throw error;
  }
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ReplantError("REPLANT_CANCELLED", "interrupted");
}

async function untilAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  throwIfAborted(signal);
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new ReplantError("REPLANT_CANCELLED", "interrupted"));
    signal.addEventListener("abort", stop, { once: true });
  });
  // After an abort the work ends by itself, when its database is dropped; nobody waits for it any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A database's name with a space in front, where names mean something to people: embedded ones are directories. */
export function nameOf(run: Pick<Run, "ports">, database: { readonly name: string }): string {
  return run.ports.engine.kind === "server" ? ` ${database.name}` : "";
}

/** Opens a session, and closes it whatever happens. */
export async function withSession<Value>(
  run: Pick<Run, "ports">,
  database: { readonly name: string; readonly id: string },
  work: (session: SqlSession) => Promise<Value>,
): Promise<Value> {
  const session = await run.ports.engine.connect(database);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** The error with details where it had none; what nobody expected becomes REPLANT_INTERNAL with its cause. */
export function describeFailure(error: unknown, details: ErrorDetails): ReplantError {
  if (isReplantError(error)) return error.with(details);
  return new ReplantError("REPLANT_INTERNAL", messageOf(error), { ...details, cause: error });
}
