/** Types of judge.js, which is plain JavaScript, as any Node >= 18 runs it. */

/** From `least` to `most`; `isWhole`, or with a fraction. */
export interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

export interface UsageOption {
  /** As help shows it: `--data <dir>`. */
  readonly flags: string;
  readonly long: string;
  readonly short?: string;
  readonly takesValue: boolean;
  readonly choices?: readonly string[];
  readonly number?: NumberRule;
}

export interface UsageArgument {
  readonly name: string;
  readonly isRequired: boolean;
  readonly choices?: readonly string[];
}

export interface Usage {
  readonly name: string;
  readonly help: string;
  readonly options: readonly UsageOption[];
  readonly arguments: readonly UsageArgument[];
  readonly commands: readonly Usage[];
}

export type Verdict =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'wrong'; readonly text: string }
  /** Rightly used, as far as that is known before it runs. */
  | { readonly kind: 'run' };

export function judge(usage: Usage, args: readonly string[], version: string): Verdict;

/** @returns one sentence; undefined when the text is such a number */
export function numberFault(text: string, rule: NumberRule): string | undefined;
