/** nats-servers that run with the files of `config/nats/` as they are, and with certificates of the script beside them. */
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { accessOptions } from '../../../cluster/nats/access.nats.ts';
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

export interface ServerOfThree {
  readonly url: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** The names of those who are connected to it. */
  clients(): Promise<readonly string[]>;
}

export interface Three extends AsyncDisposable {
  readonly servers: readonly ServerOfThree[];
}

/** Three with `three.conf`; only addresses, ports and routes are those of this machine. */
export async function startThree(certificates: Certificates): Promise<Three> {
  for (let left = startTries; ; left -= 1) {
    await using stack = new AsyncDisposableStack();
    const three = stack.use(await startOnce(certificates));
    if (!(await isPlaced(certificates, three)) && left > 1) continue;
    const stop = stack.move();
    return { servers: three.servers, [Symbol.asyncDispose]: () => stop.disposeAsync() };
  }
}

const startTries = 5;
const placedTries = 25;

/** Whether a stream of three copies can be made: nats-server 2.10.27 at times leaves one of three new servers out, and never mends that. */
async function isPlaced(certificates: Certificates, { servers }: Three): Promise<boolean> {
  const access = { servers: servers.map(({ url }) => url), tls: certificates.of('node') };
  const connection = await connect(accessOptions(access));
  try {
    const { streams } = await jetstreamManager(connection, { timeout: 1000, checkAPI: false });
    const probe = { name: 'PROBE', subjects: ['tz.eu.probe'], num_replicas: servers.length };
    for (let tries = 0; tries < placedTries; tries += 1) {
      const added = await streams.add(probe).catch(() => undefined);
      if (added !== undefined) return await streams.delete(probe.name);
      await delay(200);
    }
    return false;
  } finally {
    await connection.close();
  }
}

async function startOnce({ dir }: Certificates): Promise<Three> {
  await using stack = new AsyncDisposableStack();
  const names = ['nats-1', 'nats-2', 'nats-3'];
  const [ports, monitors] = await Promise.all([freePorts(names.length), freePorts(names.length)]);
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(',');
  const started = await Promise.all(
    names.map(async (name, index) => {
      const cwd = await mkdtemp(join(dir, name));
      cpSync(join(dir, 'tls'), join(cwd, 'tls'), { recursive: true });
      const cluster = ['--cluster', `nats://127.0.0.1:${ports[index]}`, '--routes', routes];
      const args = ['-c', join(folder, 'three.conf'), '-n', name, '-m', String(monitors[index]), ...cluster];
      return startNats({ args, cwd, dir: join(cwd, 'data') });
    }),
  );
  for (const server of started) stack.use(server);
  const stop = stack.move();
  return {
    servers: started.map((server, index) => ({
      url: `tls://127.0.0.1:${server.port}`,
      kill: () => server.kill(),
      clients: async () => {
        const answer = await fetch(`http://127.0.0.1:${monitors[index]}/connz`);
        return Connected.parse(await answer.json()).connections.flatMap(({ name }) => name ?? []);
      },
    })),
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

const Connected = z.object({ connections: z.array(z.object({ name: z.string().optional() })) });

const freePorts = (count: number): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: count }, () => freePort()));
