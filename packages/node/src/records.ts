import type { ChainState, JournalRecord } from "@replant/core";

type Kind = "text" | "text or null" | "texts" | "summary";

/** What each record must hold besides `at`, so that a recovery never acts on half a record. */
const members: Readonly<Record<JournalRecord["type"], Readonly<Record<string, Kind>>>> = {
  begin: { command: "text", live: "text", liveId: "text or null", planHash: "text or null" },
  "step-begin": { step: "text" },
  "step-end": { step: "text" },
  database: { role: "text", name: "text", id: "text" },
  backup: { backup: "text" },
  swap: { liveId: "text or null", candidateId: "text" },
  end: { result: "text", code: "text or null", message: "text or null", summary: "summary" },
  recovered: { by: "text", outcome: "text", dropped: "texts" },
};

const isKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  "text or null": (value) => value === null || typeof value === "string",
  texts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  summary: (value) => typeof value === "object" && !Array.isArray(value),
};

/** A line of a journal; `null` when it is not a whole record of a type that this version knows. */
export function parseRecord(line: string): JournalRecord | null {
  const value = parseObject(line);
  if (value === null || typeof value["type"] !== "string" || typeof value["at"] !== "string") return null;
  if (!Object.hasOwn(members, value["type"])) return null;
  const wanted = Object.entries(members[value["type"] as JournalRecord["type"]]);
  return wanted.every(([name, kind]) => isKind[kind](value[name])) ? (value as unknown as JournalRecord) : null;
}

/** The chain of `chain.json`; `null` when the text is anything else. */
export function parseChain(text: string): ChainState | null {
  const value = parseObject(text);
  if (value === null || !isKind.texts(value["tasks"])) return null;
  if (!["run", "live", "backup"].every((name) => isKind.text(value[name]))) return null;
  const candidate = value["candidate"];
  const known = (value["tasks"] as string[]).every((task) => task === "backup" || task === "reset" || task === "seed");
  return known && (candidate === null || isDatabase(candidate)) ? (value as unknown as ChainState) : null;
}

function isDatabase(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return "name" in value && isKind.text(value.name) && "id" in value && isKind.text(value.id);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
