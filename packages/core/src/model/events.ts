/** The steps of a run, in the order in which a reset takes them. */
export type StepKind =
  | "inspect"
  | "recover"
  | "baseline"
  | "migrate"
  | "seed"
  | "candidate"
  | "fence"
  | "backup"
  | "replay"
  | "carry"
  | "verify"
  | "swap"
  | "follow-up"
  | "identity"
  | "clean";

/** What a run tells while it works; the CLI turns it into lines, a script may ignore it. */
export type RunEvent =
  | { readonly type: "step-start"; readonly step: StepKind; readonly title: string }
  /** `total` is null when it cannot be known. */
  | {
      readonly type: "progress";
      readonly step: StepKind;
      readonly done: number;
      readonly total: number | null;
      readonly unit: string;
    }
  | {
      readonly type: "step-end";
      readonly step: StepKind;
      readonly title: string;
      readonly durationMs: number;
      readonly note: string | null;
    }
  | { readonly type: "step-failed"; readonly step: StepKind; readonly title: string; readonly durationMs: number }
  | { readonly type: "notice"; readonly level: "info" | "warning"; readonly text: string };

export type Emit = (event: RunEvent) => void;
