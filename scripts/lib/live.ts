import { openProject } from "../../apps/cli/src/project.ts";
import type { DatabaseRef, SqlSession } from "../../packages/core/src/index.ts";

/** Works in a session of a project's live database, embedded ones too. No command may use that database meanwhile. */
export async function onLive<Value>(
  directory: string,
  work: (session: SqlSession, live: DatabaseRef) => Promise<Value>,
): Promise<Value> {
  const project = await openProject({ cwd: directory, env: {} });
  try {
    const live = await project.ports.engine.liveRef();
    if (live === null) throw new Error("there is no live database");
    const session = await project.ports.engine.connect(live);
    try {
      return await work(session, live);
    } finally {
      await session.close();
    }
  } finally {
    await project.close();
  }
}
