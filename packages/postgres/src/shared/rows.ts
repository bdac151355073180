import type { RowPort } from "@replant/core";
import { carry, verifyCarried } from "./carry/index.ts";
import { differenceOf } from "./difference.ts";
import { stageRows } from "./stage.ts";
import { countLargeObjects, countRows, countUnkept, describeSelection, readSelection } from "./selection.ts";

/** The row port over any session: a server's and an embedded one's speak the same SQL. */
export const rowPort: RowPort = {
  count: countRows,
  describe: describeSelection,
  unkept: countUnkept,
  largeObjects: countLargeObjects,
  stage: stageRows,
  read: readSelection,
  carry,
  verify: verifyCarried,
  difference: differenceOf,
};
