/** Inputs that only the action has; all others are settings. action.yml is made from both. */
export const actionInputs = {
  command: {
    default: "check",
    text: "What to do. Today there is check.",
  },
  comment: {
    default: "always",
    text: "The comment on the pull request: always, on-failure (an earlier one is still written over), or never.",
  },
  "github-token": {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
    default: "${{ github.token }}",
    text: "Writes the comment and nothing else; the job needs pull-requests: write. Without it the report is in the job's summary.",
  },
  matrix: {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
    default: "${{ toJSON(matrix) }}",
    text: "Leave it: it gives each leg of a matrix a comment of its own.",
  },
} as const satisfies Readonly<Record<string, { readonly default: string; readonly text: string }>>;
