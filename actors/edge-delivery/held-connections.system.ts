/**
 * Counts how many connections of a port each network holds, by Linux's own tables: the HTTP library says that a connection has closed, and not
 * whose it was (*read in source*).
 *
 * A table of 100,000 lines comes in pieces, between which other work has its turn.
 */
import { createReadStream } from 'node:fs';

const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Established, and those that their other end has closed: both take a file of this process. */
const openStates: ReadonlySet<string> = new Set(['01', '08']);
const bitsOfWord = 8;

/** @returns connections by network (`networkOf`), an entry for each that has one; undefined where the system has no such tables */
export async function heldByNetwork(port: number): Promise<ReadonlyMap<string, number> | undefined> {
  const held = new Map<string, number>();
  for (const table of tables) {
    const isRead = await eachLine(table, (line) => {
      const network = networkIn(line, port);
      if (network !== undefined) held.set(network, (held.get(network) ?? 0) + 1);
    });
    if (!isRead && table === tables[0]) return undefined;
  }
  return held;
}

/**
 * The network at the other end of a connection of this port.
 *
 * @param line `0: 0100007F:1F90 0200007F:D431 01 …`: its own address and port, those of the other end, and its state. Addresses are written
 *   as words of 32 bits of a little-endian machine
 */
export function networkIn(line: string, port: number): string | undefined {
  const [, own, other, state] = line.trim().split(/\s+/, 4);
  if (own === undefined || other === undefined || state === undefined || !openStates.has(state))
    return undefined;
  if (Number.parseInt(own.slice(own.indexOf(':') + 1), 16) !== port) return undefined;
  const bytes = bytesOf(other.slice(0, other.indexOf(':')));
  const isMapped = bytes.length === 16 && bytes.slice(0, 12).join() === mappedBefore;
  if (bytes.length === 4 || isMapped) return bytes.slice(-4).join('.');
  const groups = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return `${groups.join(':')}::/64`;
}

const mappedBefore = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255].join();

function bytesOf(hex: string): readonly number[] {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += bitsOfWord)
    for (let at = word + bitsOfWord - 2; at >= word; at -= 2)
      bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  return bytes;
}

/** @returns whether it was read to its end */
async function eachLine(file: string, take: (line: string) => void): Promise<boolean> {
  let rest = '';
  try {
    for await (const piece of createReadStream(file, 'latin1')) {
      const lines = `${rest}${String(piece)}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    }
    return true;
  } catch {
    return false;
  }
}
