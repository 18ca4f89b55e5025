/** Reads the migrations of a folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMigration, type Migration } from './migrations.ts';

/** In order. @param folder `config/cassandra` */
export function readMigrations(folder: string): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cql'))
    .map((name) => parseMigration(name, readFileSync(join(folder, name), 'utf8')))
    .toSorted((a, b) => a.version - b.version);
}
