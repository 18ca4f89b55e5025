/** Reads the files that the settings of Cassandra name: its password, and what TLS needs. Nothing of them is ever logged. */
import { readFileSync } from 'node:fs';
import type { CassandraConfig } from './cassandra.ts';
import { UnusableError } from './unusable.ts';

/** For the driver: PEM texts. */
export interface CassandraTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly isNameChecked: boolean;
}

export type ReadCassandraConfig = Omit<CassandraConfig, 'passwordFile' | 'tls'> & {
  readonly tls: CassandraTls | undefined;
};

/** @throws UnusableError that names the setting of a file that cannot be read */
export function readCassandraFiles({ passwordFile, tls, ...rest }: CassandraConfig): ReadCassandraConfig {
  const password = textOf('TANGAZA_CASSANDRA_PASSWORD_FILE', passwordFile)?.trim();
  return {
    ...rest,
    password: password ?? rest.password,
    tls:
      tls === undefined
        ? undefined
        : {
            ca: pemOf('TANGAZA_CASSANDRA_CA', tls.ca),
            cert: pemOf('TANGAZA_CASSANDRA_CERT', tls.cert),
            key: pemOf('TANGAZA_CASSANDRA_KEY', tls.key),
            isNameChecked: tls.isNameChecked,
          },
  };
}

function textOf(name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableError(`${name}: ${file} cannot be read: ${why}`, { cause: error });
  }
}

function pemOf(name: string, file: string | undefined): string | undefined {
  const text = textOf(name, file);
  if (text === undefined || text.includes('-----BEGIN ')) return text;
  throw new UnusableError(`${name}: ${file} is no PEM file: it has no line that begins with -----BEGIN`);
}
