/** The end of every exhaustive `switch`: a value that the types say cannot be. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
