import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { runNode, startNode, tempDir } from "../src/index.ts";
import { makeTempRoot, type TempRoot } from "../src/temp-root.ts";

const program = join(import.meta.dirname, "fixtures/own-root.ts");

async function made(): Promise<TempRoot> {
  const root = await makeTempRoot();
  onTestFinished(() => root.remove());
  return root;
}

test("a root is a new directory that others can pass through and not list, and goes with all in it", async () => {
  const [root, other] = [await made(), await made()];
  expect(other.directory).not.toBe(root.directory);
  expect(basename(root.directory)).toMatch(/^replant-test-/);
  expect(await realpath(root.directory)).toBe(root.directory);
  expect((await stat(root.directory)).mode & 0o777).toBe(0o711);
  await mkdir(join(root.directory, "a/b"), { recursive: true });
  await writeFile(join(root.directory, "a/b/file"), "x");
  await root.remove();
  await root.remove();
  expect(existsSync(root.directory)).toBe(false);
  expect(existsSync(other.directory)).toBe(true);
});

test("a process that works beside a root outlives it", async () => {
  const root = await made();
  const beside = `${root.directory}-beside`;
  await mkdir(beside);
  onTestFinished(() => rm(beside, { recursive: true }));
  const bystander = spawn(process.execPath, ["-e", "process.stdin.resume()"], { cwd: beside });
  const ended = new Promise((resolve) => bystander.once("exit", (code, signal) => resolve(signal ?? code)));
  await root.remove();
  expect(existsSync(beside)).toBe(true);
  bystander.stdin.end();
  expect(await ended).toBe(0);
});

test("removing a root ends what works in it", async () => {
  const { stdout, code, timedOut } = await runNode(program, ["remove"], { cwd: await tempDir() });
  expect({ code, timedOut }).toEqual({ code: 0, timedOut: false });
  expect(existsSync(stdout.trim())).toBe(false);
});

test("a root and what works in it end after the run that made it was killed", async () => {
  const run = startNode(program, ["wait"], { cwd: await tempDir() });
  await vi.waitFor(() => expect(run.seen().stdout).toContain("\n"), { timeout: 60_000 });
  const directory = run.seen().stdout.trim();
  expect(existsSync(directory)).toBe(true);
  run.child.kill("SIGKILL");
  // Its output is open as long as the process in the root lives.
  expect(await run.done).toMatchObject({ signal: "SIGKILL", timedOut: false });
  await vi.waitFor(() => expect(existsSync(directory)).toBe(false), { timeout: 60_000 });
});
