/** Reads the ladders of a folder: every `NAME.json` is one. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseLadder, type Ladder } from './ladder.ts';

/** @throws Error that names the file and its faults */
export function loadLadders(folder: string): ReadonlyMap<string, Ladder> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => {
      const name = basename(file, '.json');
      return [name, parseLadder(name, JSON.parse(readFileSync(join(folder, file), 'utf8')))];
    }),
  );
}
