import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { killedWhen, runNode, startNode, tempDir } from "../src/index.ts";

const program = join(import.meta.dirname, "fixtures", "program.ts");

/** False also for a killed process that nobody has reaped yet. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function expectGroupGone(stdout: string): Promise<void> {
  const pid = Number(/child (\d+)/.exec(stdout)?.[1]);
  expect(pid).toBeGreaterThan(0);
  await vi.waitFor(() => expect(isGone(pid)).toBe(true), { timeout: 30_000 });
}

test("a program gets its arguments, directory and variables, and nothing else of the environment", async () => {
  process.env["DATABASE_URL"] = "postgresql://not-for-you";
  const cwd = await tempDir();
  const result = await runNode(program, ["describe", "--flag", "a b"], { cwd, env: { GIVEN: "1", HOME: undefined } });
  delete process.env["DATABASE_URL"];
  expect(result).toMatchObject({ code: 7, signal: null, stderr: "to stderr\n", timedOut: false });
  const seen = JSON.parse(result.stdout) as { cwd: string; rest: string[]; env: Record<string, string> };
  expect(seen).toMatchObject({ cwd, rest: ["--flag", "a b"] });
  expect(
    Object.keys(seen.env).filter((name) => !["PATH", "TMPDIR", "LANG", "NODE_COMPILE_CACHE"].includes(name)),
  ).toEqual(["GIVEN"]);
});

test("a program's input is empty, or not there at all", async () => {
  const cwd = await tempDir();
  const empty = await runNode(program, ["describe"], { cwd });
  const closed = await runNode(program, ["describe"], { cwd, stdin: "closed" });
  expect(closed).toMatchObject({ code: 7, stderr: "to stderr\n" });
  expect([empty, closed].map(({ stdout }) => JSON.parse(stdout))).toMatchObject([
    { inputIsReadOnly: true },
    { inputIsReadOnly: false },
  ]);
});

test("a program that takes too long is killed with its group", async () => {
  const result = await runNode(program, ["tick"], { cwd: await tempDir(), timeoutMs: 2000 });
  expect(result).toMatchObject({ code: null, signal: "SIGKILL", timedOut: true });
  await expectGroupGone(result.stdout);
});

test("a program is killed at the moment its output says so", async () => {
  const result = await runNode(program, ["tick"], {
    cwd: await tempDir(),
    killAt: ({ stdout }) => stdout.includes("tick 3\n"),
  });
  expect(result).toMatchObject({ code: null, signal: "SIGKILL", timedOut: false });
  expect(result.stdout).toContain("tick 3\n");
  await expectGroupGone(result.stdout);
});

test("a moment that never comes lets the program end by itself", async () => {
  const cwd = await tempDir();
  expect(await runNode(program, ["describe"], { cwd, killAt: () => false })).toMatchObject({ code: 7, signal: null });
  const running = startNode(program, ["describe"], { cwd });
  expect(await killedWhen(running.child, () => false)).toBe(false);
  expect((await running.done).code).toBe(7);
});

test("a predicate that fails kills the program and says why", async () => {
  const running = startNode(program, ["tick"], {
    cwd: await tempDir(),
    killAt: () => Promise.reject(new Error("the query failed")),
  });
  await expect(running.done).rejects.toThrow("the query failed");
  await vi.waitFor(() => expect(running.child.signalCode).toBe("SIGKILL"), { timeout: 30_000 });
});
