/** nats-servers that run with the files of `config/nats/` as they are, and with certificates of the script beside them. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { startNats, type TestNats } from '../cluster/start-nats.ts';

const folder = resolve(import.meta.dirname, '../../../config/nats');
const run = promisify(execFile);

export interface Certificates extends AsyncDisposable {
  /** The folder in which `tls/` is. */
  readonly dir: string;
  /** The files of a client's certificate: `node`, `gateway`, or another one that `makeStranger` made. */
  of(name: string): { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  /** A certificate of the same authority for a name that no user has. */
  makeStranger(): Promise<void>;
}

/** Of an authority of its own. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-tls-'));
  await run('sh', [join(folder, 'make-certificates.sh'), 'localhost,127.0.0.1'], { cwd: dir });
  const file = (name: string): string => join(dir, 'tls', name);
  return {
    dir,
    of: (name) => ({ caFile: file('ca.pem'), certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) }),
    makeStranger: async () => {
      const request = `openssl req -new -key node.key -subj /CN=stranger | openssl x509 -req -CA ca.pem -CAkey ca.key -days 2 -out stranger.pem`;
      await run('sh', ['-c', `${request} && cp node.key stranger.key`], { cwd: join(dir, 'tls') });
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** With `one.conf`: in its own folder, on a free port. */
export const startOne = ({ dir }: Certificates): Promise<TestNats> =>
  startNats({ args: ['-c', join(folder, 'one.conf'), '-m', '-1'], cwd: dir, dir: join(dir, 'data') });

/** Three with `three.conf`; only addresses, ports and routes are those of this machine. */
export async function startThree({
  dir,
}: Certificates): Promise<AsyncDisposable & { readonly urls: string[] }> {
  await using stack = new AsyncDisposableStack();
  const names = ['nats-1', 'nats-2', 'nats-3'];
  const ports = await Promise.all(names.map(() => freePort()));
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(',');
  const servers = await Promise.all(
    names.map((name, index) => {
      const cwd = join(dir, name);
      mkdirSync(cwd);
      cpSync(join(dir, 'tls'), join(cwd, 'tls'), { recursive: true });
      const cluster = ['--cluster', `nats://127.0.0.1:${ports[index]}`, '--routes', routes];
      const args = ['-c', join(folder, 'three.conf'), '-n', name, '-m', '-1', ...cluster];
      return startNats({ args, cwd, dir: join(cwd, 'data') });
    }),
  );
  for (const server of servers) stack.use(server);
  const stop = stack.move();
  return {
    urls: servers.map(({ port }) => `tls://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}
