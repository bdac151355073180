import type { BackupEntry, Catalog, Column, ForeignKey, KeepRules, Key, Table } from "../src/index.ts";
import { planBackup } from "../src/index.ts";

/** A column as `name type`, with `!` for NOT NULL and `=default` at the end: `id uuid! =gen_random_uuid()`. */
export function column(text: string): Column {
  const match = /^(\S+) ([^!=]+?)(!)?(?: =(.*))?$/.exec(text);
  if (match === null) throw new Error(`not a column: ${text}`);
  const type = match[2] ?? "";
  return {
    name: match[1] ?? "",
    type,
    baseType: type.replace(/\(.*\)/, ""),
    notNull: match[3] === "!",
    default: match[4] ?? null,
    identity: "none",
    generated: false,
    enumLabels: null,
  };
}

/** A table from its columns, unique keys (`a, b`; the first is the primary key) and foreign keys (`a -> users.id`). */
export function table(name: string, columns: string[], keys: string[], references: string[] = []): Table {
  return {
    schema: "public",
    name,
    columns: columns.map(column),
    keys: keys.map((key, index): Key => ({
      name: `${name}_key${index}`,
      columns: key.split(", "),
      primary: index === 0,
    })),
    foreignKeys: references.map((text): ForeignKey => {
      const [from = "", to = ""] = text.split(" -> ");
      const [target = "", targetColumns = ""] = to.split(".");
      return {
        name: `${name}_${from.replaceAll(", ", "_")}_fkey`,
        columns: from.split(", "),
        target: { schema: "public", name: target },
        targetColumns: targetColumns.split(", "),
      };
    }),
    rowEstimate: -1,
  };
}

export function catalog(...tables: Table[]): Catalog {
  return { tables };
}

const id = "id uuid! =gen_random_uuid()";

/** The heart of the reference workspace: kept organisations and services, seeded servers and prompts. */
export const omni = {
  organizations: table("organizations", [id, "clerk_id text!", "slug text"], ["id", "clerk_id"]),
  servers: table("mcp_servers", [id, "server_key text!", "name text!"], ["id", "server_key"]),
  prompts: table(
    "default_prompts",
    [id, "mcp_server_id uuid!", "name text!"],
    ["id", "mcp_server_id, name"],
    ["mcp_server_id -> mcp_servers.id"],
  ),
  services: table(
    "organization_services",
    [id, "organization_id uuid!", "mcp_server_id uuid!", "enabled boolean! =true"],
    ["id", "organization_id, mcp_server_id"],
    ["organization_id -> organizations.id", "mcp_server_id -> mcp_servers.id"],
  ),
};

/** What a backup of this database would hold, with as many rows in each part. */
export function entriesOf(live: Catalog, keep: KeepRules, rows = 1): BackupEntry[] {
  return planBackup(live, keep).map((selection, index) => ({
    id: `t${String(index + 1).padStart(4, "0")}`,
    role: selection.role,
    table: selection.table,
    columns: selection.table.columns.map((column) => column.name),
    copy: "text",
    rows,
    digest: "1",
    sizeBytes: 1,
    storedBytes: 1,
    sha256: "",
  }));
}
