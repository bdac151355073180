export { engineContract, type EnginePlace } from "./contracts/engine.ts";
export {
  connect,
  createDatabase,
  databaseNames,
  databaseUrl,
  dropDatabases,
  serverUrl,
  sql,
  type TestDatabase,
} from "./databases.ts";
export type { PostgresMajor } from "./postgres-binaries.ts";
export { type PostgresServer, type PostgresServerOptions, startPostgres } from "./postgres-server.ts";
export {
  killedWhen,
  killGroup,
  type NodeOptions,
  type NodeOutput,
  type NodeResult,
  runNode,
  type RunningNode,
  startNode,
} from "./process.ts";
export { cacheHome, imageDirectory, tempDir, writeTree } from "./temp.ts";
export { makeWorkspace, type Workspace, workspaceConfig, type WorkspaceOptions } from "./workspace.ts";
