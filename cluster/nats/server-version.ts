/** Decides whether a nats-server is recent enough: the rules of the index log were tried on this version (C1). */
const least = [2, 10, 27] as const;

/** @returns what to do about a server of this version; undefined when it is recent enough */
export function tooOld(version: string): string | undefined {
  const [, ...parts] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  const numbers = parts.map(Number);
  const differing = least.findIndex((wanted, index) => numbers[index] !== wanted);
  if (differing < 0 || (numbers[differing] ?? -1) > (least[differing] ?? 0)) return undefined;
  return `The NATS server is nats-server ${version}: upgrade it to ${least.join('.')} or newer.`;
}
