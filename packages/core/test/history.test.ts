import { describe, expect, test } from "vitest";
import { blockingProblems, compareHistory } from "../src/index.ts";
import type { MigrationFile, MigrationRecord } from "../src/index.ts";

const file = (name: string, checksum = `sum-${name}`, equivalentChecksums: string[] = []): MigrationFile => ({
  name,
  checksum,
  path: `migrations/${name}/migration.sql`,
  equivalentChecksums,
});
const record = (
  name: string,
  state: MigrationRecord["state"] = "applied",
  checksum = `sum-${name}`,
): MigrationRecord => ({
  name,
  checksum,
  state,
});

const cases: {
  title: string;
  files: MigrationFile[];
  records: MigrationRecord[];
  applied: string[];
  pending: string[];
  problems: string[];
}[] = [
  { title: "nothing at all", files: [], records: [], applied: [], pending: [], problems: [] },
  {
    title: "a new database",
    files: [file("1"), file("2")],
    records: [],
    applied: [],
    pending: ["1", "2"],
    problems: [],
  },
  {
    title: "up to date",
    files: [file("1"), file("2")],
    records: [record("1"), record("2")],
    applied: ["1", "2"],
    pending: [],
    problems: [],
  },
  {
    title: "one behind",
    files: [file("1"), file("2")],
    records: [record("1")],
    applied: ["1"],
    pending: ["2"],
    problems: [],
  },
  {
    title: "edited after it was applied",
    files: [file("1", "other")],
    records: [record("1")],
    applied: ["1"],
    pending: [],
    problems: ["edited 1"],
  },
  {
    title: "recorded with the other line ends",
    files: [file("1", "with-lf", ["with-crlf"])],
    records: [record("1", "applied", "with-crlf")],
    applied: ["1"],
    pending: [],
    problems: [],
  },
  {
    title: "applied, and the file is gone",
    files: [file("2")],
    records: [record("1"), record("2")],
    applied: ["1", "2"],
    pending: [],
    problems: ["missing 1"],
  },
  {
    title: "failed: neither applied nor pending",
    files: [file("1"), file("2")],
    records: [record("1"), record("2", "failed")],
    applied: ["1"],
    pending: [],
    problems: ["failed 2"],
  },
  {
    title: "failed, and its file changed or went: failed is what counts",
    files: [file("1", "other")],
    records: [record("1", "failed"), record("2", "failed")],
    applied: [],
    pending: [],
    problems: ["failed 1", "failed 2"],
  },
  {
    title: "failed twice is named once",
    files: [file("1")],
    records: [record("1", "failed"), record("1", "failed")],
    applied: [],
    pending: [],
    problems: ["failed 1"],
  },
  {
    title: "rolled back: pending again, whatever its checksum",
    files: [file("1", "other")],
    records: [record("1", "rolled-back")],
    applied: [],
    pending: ["1"],
    problems: [],
  },
  {
    title: "rolled back, then applied",
    files: [file("1")],
    records: [record("1", "rolled-back", "old"), record("1")],
    applied: ["1"],
    pending: [],
    problems: [],
  },
  {
    title: "rolled back, and the file is gone: nothing to say",
    files: [],
    records: [record("1", "rolled-back")],
    applied: [],
    pending: [],
    problems: [],
  },
  {
    title: "applied, although an older record still stands as failed",
    files: [file("1")],
    records: [record("1", "failed"), record("1")],
    applied: ["1"],
    pending: [],
    problems: ["failed 1"],
  },
  {
    title: "pending before an applied one",
    files: [file("1"), file("2"), file("3"), file("4")],
    records: [record("1"), record("3")],
    applied: ["1", "3"],
    pending: ["2", "4"],
    problems: ["out-of-order 2"],
  },
  {
    title: "a failed one later in the order does not make pending ones out of order",
    files: [file("1"), file("2")],
    records: [record("2", "failed")],
    applied: [],
    pending: ["1"],
    problems: ["failed 2"],
  },
  {
    title: "several problems, each named",
    files: [file("1", "other"), file("2"), file("4")],
    records: [record("1"), record("3"), record("4")],
    applied: ["1", "3", "4"],
    pending: ["2"],
    problems: ["edited 1", "missing 3", "out-of-order 2"],
  },
];

describe("compareHistory", () => {
  test.each(cases)("$title", ({ files, records, applied, pending, problems }) => {
    const history = compareHistory(files, records);
    expect({
      applied: history.applied.map((migration) => migration.name),
      pending: history.pending.map((migration) => migration.name),
      problems: history.problems.map((problem) => `${problem.kind} ${problem.migration}`),
    }).toEqual({ applied, pending, problems });
  });

  test("an applied migration carries the checksum that the database recorded", () => {
    const history = compareHistory([file("1", "with-lf", ["with-crlf"])], [record("1", "applied", "with-crlf")]);
    expect(history.applied).toEqual([{ name: "1", checksum: "with-crlf" }]);
  });

  test("all but out-of-order stops an application, and every problem names its migration", () => {
    const { files, records } = cases.at(-1)!;
    const history = compareHistory(files, records);
    expect(blockingProblems(history).map((problem) => problem.kind)).toEqual(["edited", "missing"]);
    expect(history.problems.map((problem) => problem.text)).toEqual([
      "1: migrations/1/migration.sql was changed after it was applied",
      "3: applied, but its file is gone",
      "2: pending, although 4 is applied",
    ]);
  });
});
