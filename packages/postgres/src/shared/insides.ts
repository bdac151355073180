import type { SqlSession } from "@replant/core";

/** Installed extensions, `name version`, sorted. */
export async function readExtensions(session: SqlSession): Promise<string[]> {
  const rows = await session.query<{ label: string }>(
    `select extname || ' ' || extversion as label from pg_extension order by extname collate "C"`,
  );
  return rows.map(({ label }) => label);
}

/** What the database says about itself in `replant.mark`; null where it says nothing. `production` refuses every reset. */
export async function readEnvironment(session: SqlSession): Promise<string | null> {
  const [table] = await session.query<{ there: boolean }>("select to_regclass('replant.mark') is not null as there");
  if (table?.there !== true) return null;
  const [row] = await session.query<{ environment: string | null }>(
    "select environment::text from replant.mark limit 1",
  );
  return row?.environment ?? null;
}
