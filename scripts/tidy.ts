/*
 * What linters cannot see: who imports whom in the sources, side effects written down for every command, changesets that name real
 * packages. Prints each finding and exits 1 when there is one. Long files are listed, never a failure.
 */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const findings: string[] = [];
const read = (path: string): string => readFileSync(path, "utf8");

const layers = new Map<string, { folder: string; tag: string }>();
for (const folder of ["packages", "apps"].flatMap((group) => readdirSync(group).map((name) => join(group, name)))) {
  if (!existsSync(join(folder, "package.json"))) continue;
  const { name } = JSON.parse(read(join(folder, "package.json"))) as { name: string };
  const { tags } = JSON.parse(read(join(folder, "turbo.json"))) as { tags: string[] };
  layers.set(name, { folder, tag: tags[0] ?? "" });
}

const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  adapter: ["core"],
  config: ["core", "adapter"],
  test: ["core"],
  app: ["core", "adapter", "config", "app"],
};

for (const [name, { folder, tag }] of layers) {
  for (const file of globSync(`${folder}/src/**/*.ts`)) {
    if (file.includes("/generated/")) continue;
    for (const [, imported = ""] of read(file).matchAll(/(?:from|import\()\s*"(@replant\/[a-z-]+)/g)) {
      const layer = layers.get(imported)?.tag;
      const allowed = imported === name || (layer !== undefined && (mayImport[tag] ?? []).includes(layer));
      if (!allowed) findings.push(`${file}: a source of ${name} (${tag}) imports ${imported} (${layer ?? "unknown"})`);
    }
  }
}

for (const command of readdirSync("apps/cli/src/commands", { withFileTypes: true })) {
  if (!command.isDirectory()) continue;
  const page = join("apps/cli/src/commands", command.name, "SIDE_EFFECTS.md");
  if (!existsSync(page)) findings.push(`${page} is missing: what the command reads, writes and ends with`);
}

for (const file of globSync(".changeset/*.md")) {
  for (const [, name = ""] of read(file).matchAll(/^"(@replant\/[^"]+)":/gm)) {
    if (!layers.has(name)) findings.push(`${file} names ${name}, which does not exist`);
  }
}

const long = globSync("{packages,apps}/*/src/**/*.ts")
  .filter((file) => !file.includes("/generated/"))
  .map((file) => ({ file, lines: read(file).split("\n").length }))
  .filter(({ lines }) => lines > 300)
  .sort((a, b) => b.lines - a.lines);
for (const { file, lines } of long) console.log(`${lines} lines  ${file}`);
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exitCode = 1;
