import type { Trio } from "./check.ts";
import type { OpenSessions } from "../../shared/sessions.ts";

export async function openTrio(open: OpenSessions): Promise<Trio> {
  const [live, scratch, candidate] = await open(3);
  if (live === undefined || scratch === undefined || candidate === undefined) throw new Error("three were asked for");
  return { live, scratch, candidate };
}
