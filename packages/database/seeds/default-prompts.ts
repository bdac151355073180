import { defineSeed } from "@replant/seeds";

interface Prompt {
  readonly name: string;
  readonly description: string;
  /** Names in double braces are replaced by the arguments. */
  readonly template: string;
}

const prompts: Readonly<Record<string, readonly Prompt[]>> = {
  github: [
    {
      name: "review-pull-request",
      description: "Reviews a pull request for correctness, tests and naming.",
      template:
        "Review pull request #{{number}} of {{repository}}. Say first whether it may be merged, then list findings by severity with file and line.",
    },
    {
      name: "summarize-issue",
      description: "Summarizes an issue and its discussion.",
      template: "Summarize issue #{{number}} of {{repository}}: the symptom, what was tried, what is still open.",
    },
    {
      name: "draft-release-notes",
      description: "Writes release notes from merged pull requests.",
      template:
        "Write release notes for {{repository}} from {{from}} to {{to}}. Group by feature, fix and internal; leave out version bumps.",
    },
    {
      name: "triage-new-issues",
      description: "Proposes labels and owners for new issues.",
      template:
        "For every open issue of {{repository}} without labels, propose labels and an owner, and say why in one sentence.",
    },
  ],
  postgres: [
    {
      name: "explain-query",
      description: "Explains a query plan in plain words.",
      template:
        "Explain the plan of this query, name its most expensive step and what would make it cheaper:\n\n{{sql}}",
    },
    {
      name: "describe-table",
      description: "Describes a table for a newcomer.",
      template: "Describe table {{table}}: what one row stands for, its keys, and which tables refer to it.",
    },
    {
      name: "find-slow-queries",
      description: "Looks for queries that need an index.",
      template:
        "List the {{limit}} slowest queries with calls and mean time, and propose an index where one would help.",
    },
    {
      name: "write-report-query",
      description: "Turns a question into a read-only query.",
      template: "Write one read-only query that answers: {{question}}. Say which tables you used and what you assumed.",
    },
  ],
  slack: [
    {
      name: "summarize-channel",
      description: "Summarizes what happened in a channel.",
      template: "Summarize #{{channel}} since {{since}}: decisions, open questions, who waits for whom.",
    },
    {
      name: "draft-announcement",
      description: "Drafts an announcement.",
      template: "Draft an announcement for #{{channel}} about {{topic}}. At most 80 words, one call to action.",
    },
    {
      name: "collect-standup",
      description: "Collects the daily standup.",
      template: "Collect today's updates from #{{channel}} into done, next and blocked, one line per person.",
    },
    {
      name: "find-decision",
      description: "Finds where something was decided.",
      template: "Find the thread in which {{topic}} was decided. Quote the deciding message with its date.",
    },
  ],
  "google-drive": [
    {
      name: "summarize-document",
      description: "Summarizes a document.",
      template: "Summarize {{document}} in five sentences for somebody who will not read it.",
    },
    {
      name: "compare-documents",
      description: "Compares two versions of a document.",
      template: "Compare {{before}} with {{after}}: what was added, removed and reworded in substance.",
    },
    {
      name: "extract-action-items",
      description: "Extracts action items from meeting notes.",
      template: "List the action items of {{document}} with owner and date; mark those without an owner.",
    },
    {
      name: "outline-proposal",
      description: "Outlines a proposal from notes.",
      template:
        "Outline a proposal about {{topic}} from the documents in {{folder}}: problem, options, recommendation, cost.",
    },
  ],
  linear: [
    {
      name: "plan-cycle",
      description: "Plans the next cycle.",
      template:
        "Plan the next cycle of team {{team}} from its backlog within {{points}} points. Say what was left out and why.",
    },
    {
      name: "write-issue",
      description: "Turns a report into an issue.",
      template: "Write an issue for team {{team}} from this report: {{report}}. Title, steps, expected, actual.",
    },
    {
      name: "find-stale-issues",
      description: "Finds issues that nobody works on.",
      template:
        "List issues of team {{team}} in progress without an update for {{days}} days, with a question for each assignee.",
    },
    {
      name: "summarize-project",
      description: "Summarizes the state of a project.",
      template: "Summarize project {{project}}: progress, risks, and what changed since last week.",
    },
  ],
  filesystem: [
    {
      name: "explain-file",
      description: "Explains a file.",
      template: "Explain {{path}}: its purpose, its main parts, and what a change to it would affect.",
    },
    {
      name: "find-duplicates",
      description: "Finds code that is there twice.",
      template: "Find code below {{directory}} that is there more than once and propose one home for each.",
    },
    {
      name: "write-readme",
      description: "Writes a readme for a directory.",
      template: "Write a readme for {{directory}}: what it is, how to run it, where to start reading.",
    },
    {
      name: "rename-consistently",
      description: "Plans a consistent renaming.",
      template: "List every place below {{directory}} where {{from}} has to become {{to}}, code and documents apart.",
    },
  ],
};

export const seed = defineSeed({
  name: "default-prompts",
  set: "system",
  description: "The prompts that every organization finds at a server.",
  dependsOn: ["mcp-servers"],
  async run({ query, upsert }) {
    const servers = await query<{ id: string; server_key: string }>("SELECT id, server_key FROM mcp_servers");
    const rows = servers.flatMap(({ id, server_key }) =>
      (prompts[server_key] ?? []).map((prompt) => ({
        mcp_server_id: id,
        ...prompt,
        arguments: argumentsOf(prompt.template),
      })),
    );
    return upsert("default_prompts", rows, { key: ["mcp_server_id", "name"] });
  },
});

function argumentsOf(template: string): { name: string; required: boolean }[] {
  const names = new Set(Array.from(template.matchAll(/{{(\w+)}}/g), ([, name = ""]) => name));
  return Array.from(names, (name) => ({ name, required: true }));
}
