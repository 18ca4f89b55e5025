/**
 * What a client of NATS connects with: TLS, and who it is. Files are read at each connection, so that a new certificate or password counts at
 * the next one.
 */
import { readFileSync } from 'node:fs';
import {
  credsAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
} from '@nats-io/transport-node';

export interface NatsAccess {
  readonly servers: readonly string[];
  /** PEM files. Undefined for what Node.js knows by itself. */
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
  /** A credentials file as `nsc` writes it, or a user and a password in a line each. */
  readonly credentialsFile?: string | undefined;
}

interface AccessOptions {
  readonly servers: string[];
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly authenticator?: Authenticator;
}

/** Options of the client. With `tls://` in one URL nothing goes out unencrypted. */
export function accessOptions({ servers, tls, credentialsFile }: NatsAccess): AccessOptions {
  const wantsTls = tls !== undefined || servers.some((url) => url.startsWith('tls://'));
  const { caFile, certFile, keyFile } = tls ?? {};
  return {
    servers: [...servers],
    ...(wantsTls
      ? {
          tls: {
            ...(caFile === undefined ? {} : { caFile }),
            ...(certFile === undefined ? {} : { certFile }),
            ...(keyFile === undefined ? {} : { keyFile }),
          },
        }
      : {}),
    ...(credentialsFile === undefined ? {} : { authenticator: authenticatorOf(credentialsFile) }),
  };
}

function authenticatorOf(file: string): Authenticator {
  const lines = (): readonly string[] => readFileSync(file, 'utf8').split(/\r?\n/);
  if (readFileSync(file, 'utf8').includes('BEGIN NATS USER JWT'))
    return credsAuthenticator(() => readFileSync(file));
  return usernamePasswordAuthenticator(
    () => lines()[0]?.trim() ?? '',
    () => lines()[1]?.trim() ?? '',
  );
}
