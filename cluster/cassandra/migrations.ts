/**
 * Decides which migrations are to be run. A migration is a file `NNN-name.cql`; its statements can be run twice with the same result.
 *
 * A migration that was run never changes: who needs another schema adds one.
 */
import { createHash } from 'node:crypto';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
  /** Of its statements. */
  readonly sha256: string;
}

/** One that was run on a database. */
export type Applied = Pick<Migration, 'version' | 'name' | 'sha256'>;

export type Plan =
  | { readonly kind: 'run'; readonly migrations: readonly Migration[] }
  /** The database was made by a later version of Tangaza. */
  | { readonly kind: 'newer'; readonly version: number }
  /** A migration that was run has other statements here. */
  | { readonly kind: 'changed'; readonly migration: Applied };

/** @throws Error for a name that is none of a migration's, or for a file without statements */
export function parseMigration(file: string, text: string): Migration {
  const [, number = '', name = ''] = /^(\d{3})-([a-z0-9-]+)\.cql$/.exec(file) ?? [];
  if (number === '') throw new Error(`${file} is not named like a migration: 001-name.cql`);
  const statements = text
    .replaceAll(/^\s*--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  if (statements.length === 0) throw new Error(`${file} has no statement`);
  const sha256 = createHash('sha256').update(statements.join(';\n')).digest('hex');
  return { version: Number(number), name, statements, sha256 };
}

/** @param known all that there are here, in any order */
export function planOf(known: readonly Migration[], applied: readonly Applied[]): Plan {
  const newest = newestOf(known);
  const version = newestOf(applied);
  if (version > newest) return { kind: 'newer', version };
  const shaOf = new Map(known.map((one) => [one.version, one.sha256]));
  const changed = applied.find((one) => shaOf.get(one.version) !== one.sha256);
  if (changed !== undefined) return { kind: 'changed', migration: changed };
  const done = new Set(applied.map((one) => one.version));
  const left = known.filter((one) => !done.has(one.version)).toSorted((a, b) => a.version - b.version);
  return { kind: 'run', migrations: left };
}

/** 0 for none. */
export const newestOf = (migrations: readonly Pick<Migration, 'version'>[]): number =>
  Math.max(0, ...migrations.map(({ version }) => version));

/** What is wrong with a schema for a node that wants to use it; undefined where nothing is. */
export function unfitFor(known: readonly Migration[], applied: readonly Applied[]): string | undefined {
  const plan = planOf(known, applied);
  switch (plan.kind) {
    case 'newer':
      return `the schema of the database is of version ${plan.version}, and this Tangaza knows ${newestOf(known)}: use a later Tangaza`;
    case 'changed':
      return `migration ${plan.migration.version} (${plan.migration.name}) was run with other statements than this Tangaza has: use the one that ran it`;
    case 'run':
      return plan.migrations.length === 0
        ? undefined
        : `the schema of the database is of version ${newestOf(applied)}, and this Tangaza needs ${newestOf(known)}: run tangaza migrate`;
    default:
      return undefined;
  }
}

/**
 * A statement for one keyspace. `{id}` becomes an id that follows from the keyspace and the table: of two clients that create a table at
 * once, both create the same one. One id for all keyspaces would not do, as Cassandra takes an id once.
 */
export function statementFor(keyspace: string, statement: string): string {
  const [, table = ''] = /^CREATE TABLE (?:IF NOT EXISTS )?(\w+)/.exec(statement) ?? [];
  const hex = createHash('sha256').update(`${keyspace}.${table}`).digest('hex');
  const id = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return statement.replaceAll('{id}', id.join('-'));
}

/** The database is not as a migration needs it. Only an operator can change that. */
export class UnusableCluster extends Error {
  override readonly name = 'UnusableCluster';
}
