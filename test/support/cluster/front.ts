/** The front of `config/front/`, as it is there, on a real nginx before edges of a test; with a certificate of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { runTool } from '../media/run-tool.ts';
import { waitUntil } from '../wait.ts';

const root = resolve(import.meta.dirname, '../../..');

export interface FrontReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Front extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** One HTTP/2 connection, as a viewer's browser has. */
  viewer(): Viewer;
}

export interface Viewer extends Disposable {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<FrontReply>;
}

/** @param edges their ports @param memory folder under which its own is made */
export async function startFront(edges: readonly number[], memory = tmpdir()): Promise<Front> {
  await using cleaning = new AsyncDisposableStack();
  const folder = await mkdtemp(join(memory, 'tangaza-front-'));
  cleaning.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755); // nginx that is started by root works as somebody else
  await cp(join(root, 'config/front'), folder, { recursive: true });
  const port = await freePort();
  await writeSite(join(folder, 'site'), port, edges);
  const ca = await readFile(join(folder, 'site/certificate.pem'));
  const child = spawn(
    join(root, '.toolchain/bin/nginx'),
    ['-p', `${folder}/`, '-c', 'nginx.conf', '-g', 'daemon off;'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  cleaning.defer(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const session = (): ClientHttp2Session => {
    const opened = connect(`https://127.0.0.1:${port}`, { ca, servername: 'live.example.com' });
    opened.on('error', () => {}); // each request says it, too
    return opened;
  };
  await untilListening(port, child);
  const all = cleaning.move();
  return {
    port,
    pid: child.pid ?? 0,
    viewer: () => {
      const own = session();
      return { get: (path, headers) => ask(own, path, headers), [Symbol.dispose]: () => own.destroy() };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** What an operator writes into `site/`: only ports and the certificate differ from the files that are there. */
async function writeSite(site: string, port: number, edges: readonly number[]): Promise<void> {
  const edit = async (name: string, change: (text: string) => string): Promise<void> => {
    const file = join(site, name);
    await writeFile(file, change(await readFile(file, 'utf8')));
  };
  await edit('server.conf', (text) =>
    text.replace(/^listen 443 /m, `listen 127.0.0.1:${port} `).replace(/^listen \[::\]:443 .*$/m, ''),
  );
  await edit('edges.conf', (text) => {
    const [line = ''] = text.match(/^server .*;$/m) ?? [];
    return edges.map((edge) => line.replace('127.0.0.1:8080', `127.0.0.1:${edge}`)).join('\n');
  });
  const { exitCode, stderr } = await runTool('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=live.example.com', '-addext', 'subjectAltName=DNS:live.example.com'],
    ...['-keyout', join(site, 'key.pem'), '-out', join(site, 'certificate.pem')],
  ]);
  if (exitCode !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
}

/** Until the port takes connections. @throws Error when nginx ends before */
async function untilListening(port: number, child: ChildProcess): Promise<void> {
  const isOpen = async (): Promise<boolean> => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return true;
    } finally {
      socket.destroy();
    }
  };
  await waitUntil(`port ${port} takes connections`, () => child.exitCode !== null || isOpen());
  if (child.exitCode !== null) throw new Error(`nginx ended with exit code ${child.exitCode}`);
}

function ask(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FrontReply> {
  return new Promise((resolve_, reject) => {
    const stream = session.request({ ':path': path, ...headers });
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
    stream.on('response', (received) => (head = received));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error(`${path}: the connection has ended`)));
    stream.on('end', () =>
      resolve_({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks) }),
    );
    stream.end();
  });
}
