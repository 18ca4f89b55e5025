/** What a command was given cannot be used, and only its user can change that: exit code 2, and nobody tries it again. */
export class UnusableError extends Error {
  override readonly name: string = 'UnusableError';
}
