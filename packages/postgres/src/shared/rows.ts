import type { RowPort } from "@replant/core";
import { carry, verifyCarried } from "./carry/index.ts";
import { binaryAboveBytes } from "./copy-form.ts";
import { differenceOf } from "./difference.ts";
import { fillBackup } from "./replay/fill.ts";
import { harvestRows } from "./replay/harvest.ts";
import { findOffenders } from "./replay/offenders.ts";
import { describeSelection, readSelection } from "./read-selection.ts";
import { recordSequences } from "./sequences.ts";
import { stageRows } from "./stage.ts";
import { countLargeObjects, countRows, countUnkept, findRow } from "./selection.ts";

export interface RowPortOptions {
  /** Rows with more bytes than this are backed up in COPY's binary form. Default: what fits text safely. */
  readonly binaryAboveBytes?: number;
}

/** The row port over any session: a server's and an embedded one's speak the same SQL. */
export function createRowPort(options: RowPortOptions = {}): RowPort {
  const aboveBytes = options.binaryAboveBytes ?? binaryAboveBytes;
  return {
    count: countRows,
    describe: (session, selection) => describeSelection(session, selection, aboveBytes),
    unkept: countUnkept,
    largeObjects: countLargeObjects,
    mark: async (session) => {
      const [row] = await session.query<{ mark: string }>("select pg_current_xact_id()::xid::text as mark");
      return row?.mark ?? "";
    },
    stage: stageRows,
    read: readSelection,
    sequences: recordSequences,
    carry,
    verify: verifyCarried,
    fill: fillBackup,
    harvest: harvestRows,
    offenders: findOffenders,
    find: findRow,
    difference: differenceOf,
  };
}

export const rowPort: RowPort = createRowPort();
