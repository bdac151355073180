import type { RowPort } from "@replant/core";
import { carry, verifyCarried } from "./carry/index.ts";
import { differenceOf } from "./difference.ts";
import { fillBackup } from "./replay/fill.ts";
import { harvestRows } from "./replay/harvest.ts";
import { findOffenders } from "./replay/offenders.ts";
import { stageRows } from "./stage.ts";
import { countRows, describeSelection, findRow, readSelection } from "./selection.ts";

/** The row port over any session: a server's and an embedded one's speak the same SQL. */
export const rowPort: RowPort = {
  count: countRows,
  describe: describeSelection,
  stage: stageRows,
  read: readSelection,
  carry,
  verify: verifyCarried,
  fill: fillBackup,
  harvest: harvestRows,
  offenders: findOffenders,
  find: findRow,
  difference: differenceOf,
};
