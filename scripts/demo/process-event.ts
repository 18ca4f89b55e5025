/** The events of a demo's processes, as their supervisor reports them. */
import { unreachable } from '../../cluster/model/unreachable.ts';

/** How a process ended: its exit code, the signal that killed it, or why it could not be started at all. */
export type Ending =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'notStarted'; readonly why: string };

export type ProcessEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number; readonly isAgain: boolean }
  | { readonly kind: 'line'; readonly name: string; readonly line: string }
  | {
      readonly kind: 'ended';
      readonly name: string;
      readonly how: Ending;
      /** The last lines that it wrote on stderr. */
      readonly lastWords: readonly string[];
      readonly next: AfterEnding;
    };

export type AfterEnding =
  | { readonly kind: 'startsAgain'; readonly inMs: number }
  | { readonly kind: 'wasStopped' }
  /** It cannot work with its settings, and is not started again. */
  | { readonly kind: 'refused' };

/** `exit code 1`, `signal SIGKILL` */
export function describeEnding(how: Ending): string {
  switch (how.kind) {
    case 'code':
      return `exit code ${how.code}`;
    case 'signal':
      return `signal ${how.signal}`;
    case 'notStarted':
      return how.why;
    default:
      return unreachable(how);
  }
}
