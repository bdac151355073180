export { commandTable, loadCommands } from "./commands/index.ts";
export { exitCodes, exitOfKind, type ExitCode } from "./exit.ts";
export { main } from "./main.ts";
export type { ShellOptions } from "./shell.ts";
export {
  connectProject,
  loadProject,
  type LoadedProject,
  openProject,
  type OpenOptions,
  type OpenProject,
} from "./project.ts";
