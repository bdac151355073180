export { commands } from "./commands/index.ts";
export { exitCodes, exitOfKind, type ExitCode } from "./exit.ts";
export { main, type MainOptions } from "./main.ts";
export {
  connectProject,
  loadProject,
  type LoadedProject,
  openProject,
  type OpenOptions,
  type OpenProject,
} from "./project.ts";
