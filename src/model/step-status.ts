export type StepStatus = "proved" | "failed" | "not proved" | "skipped";
