/**
 * An error for what a user gave a command and the command cannot use. Only the user can change it, so the exit code is 2 and nobody tries
 * again.
 */
export class UnusableError extends Error {
  override readonly name: string = 'UnusableError';
}
