export { isBackupFile, writeBackupFile } from "./one-file.ts";
export * from "./store.ts";
