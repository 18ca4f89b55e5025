/** Ends an exhaustive `switch`: throws for a value that the types exclude. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
