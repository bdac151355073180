import type { SqlSession } from "../../../packages/core/src/index.ts";
import reference from "../../../replant.config.ts";

/** One row that must survive. */
export interface KeptRow {
  readonly table: string;
  readonly id: string;
  /** Every column but the reference to a server, as the database's own text. */
  readonly content: string;
  /** `2026-03-02 08:00:00.123457+00` */
  readonly createdAt: string;
  /** What the server that it refers to is called, whatever its id; null where it refers to none. */
  readonly server: string | null;
}

/** What the demo looks at in live. */
export interface Snapshot {
  readonly kept: readonly KeptRow[];
  /** Ids of the seeded servers by their key. */
  readonly servers: ReadonlyMap<string, string>;
  /** Users that were deleted softly: no rule keeps them. */
  readonly deletedUsers: number;
}

const rules = Object.entries(reference.keep ?? {});

/** The tables with a keep rule, in the order of the configuration. */
export const keptTables: readonly string[] = rules.map(([table]) => table);

/** Reads what the keep rules select. */
export async function takeSnapshot(session: SqlSession): Promise<Snapshot> {
  const kept: KeptRow[] = [];
  for (const [table, rule] of rules) {
    const where = rule === true ? "true" : typeof rule === "string" ? rule : (rule.where ?? "true");
    const rows = await session.query<Omit<KeptRow, "table">>(
      `select id::text, (to_jsonb(kept) - 'mcp_server_id')::text as content, created_at::text as "createdAt",
        (select server_key from mcp_servers s where s.id::text = to_jsonb(kept) ->> 'mcp_server_id') as server
       from ${table} kept where ${where} order by id`,
    );
    kept.push(...rows.map((row) => ({ table, ...row })));
  }
  const servers = await session.query<{ key: string; id: string }>(
    "select server_key as key, id::text from mcp_servers order by server_key",
  );
  const [users] = await session.query<{ deleted: string }>(
    "select count(*)::text as deleted from users where deleted_at is not null",
  );
  return {
    kept,
    servers: new Map(servers.map(({ key, id }) => [key, id])),
    deletedUsers: Number(users?.deleted),
  };
}

/** How many of the rows of `before` are in `after`, and in which respects they are the same there. */
export interface Comparison {
  readonly before: number;
  /** All rows there, those of `before` or not. */
  readonly after: number;
  /** There under the same id. */
  readonly found: number;
  /** Equal in every column but the reference to a server. */
  readonly equal: number;
  readonly sameTime: number;
  readonly references: number;
  /** References that lead to the server of the same key. */
  readonly sameServer: number;
}

/** Compares the rows of one table, or of all of them. */
export function compare(before: Snapshot, after: Snapshot, table?: string): Comparison {
  const rowsOf = ({ kept }: Snapshot): readonly KeptRow[] => kept.filter((row) => row.table === (table ?? row.table));
  const there = new Map(rowsOf(after).map((row) => [`${row.table} ${row.id}`, row]));
  const pairs = rowsOf(before).map((row) => ({ row, twin: there.get(`${row.table} ${row.id}`) }));
  const referring = pairs.filter(({ row }) => row.server !== null);
  return {
    before: pairs.length,
    after: there.size,
    found: pairs.filter(({ twin }) => twin !== undefined).length,
    equal: pairs.filter(({ row, twin }) => twin?.content === row.content).length,
    sameTime: pairs.filter(({ row, twin }) => twin?.createdAt === row.createdAt).length,
    references: referring.length,
    sameServer: referring.filter(({ row, twin }) => twin?.server === row.server).length,
  };
}
