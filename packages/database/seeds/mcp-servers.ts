import { defineSeed } from "@replant/seeds";

const servers = [
  {
    server_key: "github",
    name: "GitHub",
    description: "Repositories, issues and pull requests.",
    capabilities: { tools: ["search_code", "create_issue", "review_pull_request"], prompts: true, resources: true },
  },
  {
    server_key: "postgres",
    name: "PostgreSQL",
    description: "Read-only queries and schema descriptions.",
    capabilities: { tools: ["query", "describe_table"], prompts: true, resources: true, readOnly: true },
  },
  {
    server_key: "slack",
    name: "Slack",
    description: "Channels, threads and messages.",
    capabilities: { tools: ["post_message", "read_thread"], prompts: true, resources: true },
  },
  {
    server_key: "google-drive",
    name: "Google Drive",
    description: "Documents and spreadsheets.",
    capabilities: { tools: ["search_files", "read_file"], prompts: true, resources: true },
  },
  {
    server_key: "linear",
    name: "Linear",
    description: "Issues, cycles and projects.",
    capabilities: { tools: ["create_issue", "list_cycles"], prompts: true, resources: true },
  },
  {
    server_key: "filesystem",
    name: "Filesystem",
    description: "Files below the directories that were allowed.",
    capabilities: { tools: ["read_file", "write_file", "list_directory"], prompts: true, resources: true },
  },
];

export const seed = defineSeed({
  name: "mcp-servers",
  set: "system",
  description: "The MCP servers that organizations can switch on.",
  run: ({ upsert }) => upsert("mcp_servers", servers, { key: ["server_key"] }),
});
