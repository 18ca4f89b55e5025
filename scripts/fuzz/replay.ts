/** Reports a finding of the fuzzer: what went wrong, and the command that shows it again. */
import type { FuzzFinding } from './fuzz.ts';

export const replayOf = (seed: number, { case: number, error }: FuzzFinding): string =>
  `${error}\nreplay: npm run -s tangaza -- fuzz --seed ${seed} --case ${number}`;
