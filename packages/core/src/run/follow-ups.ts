import { isReplantError, messageOf } from "../errors.ts";
import type { FollowUpReport } from "../model/report.ts";
import type { FollowUp } from "../ports/follow-up.ts";
import type { Run } from "./context.ts";
import { step, warn } from "./context.ts";

/** Runs every follow-up on what is live now. Whatever becomes of them, an interruption included, the swap stands. */
export async function followUp(run: Run): Promise<FollowUpReport[]> {
  const reports: FollowUpReport[] = [];
  for (const followed of run.ports.followUps) {
    const { name } = followed;
    const report = await step(run, { kind: "follow-up", title: name }, async () => {
      const { state, text, items = [], data = null } = await followed.run(() => connectLive(run));
      const value: FollowUpReport = { name, state, text, items, data };
      return { value, title: `${name.padEnd(8)} ${text}` };
    }).catch((error: unknown): FollowUpReport => ({ name, ...failure(error) }));
    if (report.state === "failed") warn(run, `${name}: ${report.text}`);
    reports.push(report);
  }
  return reports;
}

async function connectLive({ ports: { engine } }: Run): ReturnType<Parameters<FollowUp["run"]>[0]> {
  const live = await engine.liveRef();
  if (live === null) throw new Error("nothing is live after a swap");
  return engine.connect(live);
}

function failure(error: unknown): Omit<FollowUpReport, "name"> {
  const { items = [], hint } = isReplantError(error) ? error.details : {};
  const code = isReplantError(error) ? ` (${error.code})` : "";
  return {
    state: "failed",
    text: `${messageOf(error)}${code}`,
    items: [...items, ...(hint === undefined ? [] : [hint])],
    data: null,
  };
}
