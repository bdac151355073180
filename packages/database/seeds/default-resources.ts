import { defineSeed } from "@replant/seeds";

interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly mime_type: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const resources: Readonly<Record<string, readonly Resource[]>> = {
  github: [
    {
      uri: "github://repositories",
      name: "Repositories",
      description: "The repositories that the installation may read.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 300 },
    },
    {
      uri: "github://issues/open",
      name: "Open issues",
      description: "Open issues of all repositories, newest first.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 60, pageSize: 50 },
    },
  ],
  postgres: [
    {
      uri: "postgres://schema",
      name: "Schema",
      description: "Tables, columns and foreign keys.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 3600, schemas: ["public"] },
    },
    {
      uri: "postgres://statistics",
      name: "Statistics",
      description: "Row counts and sizes of the tables.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 900 },
    },
  ],
  slack: [
    {
      uri: "slack://channels",
      name: "Channels",
      description: "Public channels with topic and members.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 600 },
    },
    {
      uri: "slack://users",
      name: "People",
      description: "Names and time zones of the workspace's people.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 3600 },
    },
  ],
  "google-drive": [
    {
      uri: "gdrive://recent",
      name: "Recent files",
      description: "What was changed in the last seven days.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 300, days: 7 },
    },
    {
      uri: "gdrive://shared",
      name: "Shared with me",
      description: "Documents that others have shared.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 900 },
    },
  ],
  linear: [
    {
      uri: "linear://cycle/current",
      name: "Current cycle",
      description: "Issues of the cycle under way.",
      mime_type: "application/json",
      metadata: { refreshSeconds: 120 },
    },
    {
      uri: "linear://guide",
      name: "Labels and states",
      description: "What the team's labels and states mean.",
      mime_type: "text/markdown",
      metadata: { refreshSeconds: 86400, editable: true },
    },
  ],
  filesystem: [
    {
      uri: "file:///",
      name: "Allowed directories",
      description: "The directories that may be read.",
      mime_type: "application/json",
      metadata: {},
    },
    {
      uri: "file:///README.md",
      name: "Readme",
      description: "The readme of the first allowed directory.",
      mime_type: "text/markdown",
      metadata: { optional: true },
    },
  ],
};

export const seed = defineSeed({
  name: "default-resources",
  set: "system",
  description: "The resources that every organization finds at a server.",
  dependsOn: ["mcp-servers"],
  async run({ query, upsert }) {
    const servers = await query<{ id: string; server_key: string }>("SELECT id, server_key FROM mcp_servers");
    const rows = servers.flatMap(({ id, server_key }) =>
      (resources[server_key] ?? []).map((resource) => ({ mcp_server_id: id, ...resource })),
    );
    return upsert("default_resources", rows, { key: ["mcp_server_id", "uri"] });
  },
});
