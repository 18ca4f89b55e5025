/** A real Cassandra of one node that wants a password and TLS, on 127.0.0.3, with certificates made for it. Nothing outlives the test process. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { loopbackOf } from '../../../scripts/demo/cassandra/place.ts';
import { specOfCassandra } from '../../../scripts/demo/cassandra/spec.ts';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { supervise } from '../../../scripts/demo/supervised-process.system.ts';
import { runTool } from '../media/run-tool.ts';
import { waitUntil } from '../wait.ts';

export interface GuardedCassandra extends AsyncDisposable {
  readonly dataCentre: string;
  readonly contactPoint: string;
  /** Of Cassandra's first user. */
  readonly user: string;
  readonly password: string;
  readonly files: {
    /** The authority that signed its certificate, which names its address. */
    readonly ca: string;
    /** Another one. */
    readonly otherCa: string;
    readonly password: string;
    readonly wrongPassword: string;
  };
}

export interface GuardedOptions {
  /** The address that its certificate names. */
  readonly certified: string;
}

const dataCentre = 'region-1';
const address = loopbackOf(2);
/** The role is made at the first start, by default 10 s after it. */
const atOnce = '-Dcassandra.superuser_setup_delay_ms=0';

/** @throws Error with the last lines of the log when it does not come up */
export async function startGuardedCassandra({ certified }: GuardedOptions): Promise<GuardedCassandra> {
  const dir = await mkdtemp(join(tmpdir(), 'tangaza-guarded-'));
  const ports = { native: await freePort(), storage: await freePort() };
  const logFile = join(dir, 'cassandra.log');
  const files = await makeFiles(dir, certified);
  const spec = specOfCassandra({ dataCentre, address, seeds: [address], ports, dir }, logFile);
  await appendFile(
    join(dir, 'conf/cassandra.yaml'),
    `authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: false
  keystore: '${files.keystore}'
  ssl_context_factory: { class_name: org.apache.cassandra.security.PEMBasedSslContextFactory }
`,
  );
  const process = supervise({ ...spec, args: () => [atOnce, ...spec.args()] }, systemClock);
  const dispose = async (): Promise<void> => {
    await process.stop();
    await rm(dir, { recursive: true, force: true });
  };
  process.start();
  const log = (): Promise<string> => readFile(logFile, 'utf8').catch(() => '');
  const isReady = async (): Promise<boolean> => {
    const said = await log();
    return (
      said.includes('Starting listening for CQL clients') && said.includes('Created default superuser role')
    );
  };
  try {
    await waitUntil('Cassandra takes clients, and has its first user', isReady, {
      withinMs: 120_000,
      everyMs: 200,
    });
  } catch (error) {
    const said = (await log()).split('\n').slice(-20).join('\n');
    await dispose();
    throw new Error(`Cassandra did not start:\n${said}`, { cause: error });
  }
  const contactPoint = `${address}:${ports.native}`;
  const user = 'cassandra';
  return { dataCentre, contactPoint, user, password: user, files, [Symbol.asyncDispose]: dispose };
}

async function makeFiles(dir: string, certified: string) {
  const at = (name: string): string => join(dir, name);
  const [ca, otherCa] = [at('ca.pem'), at('other-ca.pem')];
  await makeAuthority(ca, at('ca.key'));
  await makeAuthority(otherCa, at('other-ca.key'));
  await openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', at('node.key'));
  const subject = ['-subj', '/CN=cassandra', '-addext', `subjectAltName=IP:${certified}`];
  await openssl('req', '-new', '-key', at('node.key'), ...subject, '-out', at('node.csr'));
  const signed = [
    '-CA',
    ca,
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
  ];
  await openssl('x509', '-req', '-in', at('node.csr'), ...signed, '-out', at('node.pem'));
  const keystore = at('keystore.pem');
  await writeFile(
    keystore,
    (await readFile(at('node.key'), 'utf8')) + (await readFile(at('node.pem'), 'utf8')),
  );
  await writeFile(at('password'), 'cassandra\n');
  await writeFile(at('wrong-password'), 'guessed-secret\n');
  return { ca, otherCa, keystore, password: at('password'), wrongPassword: at('wrong-password') };
}

const makeAuthority = (certificate: string, key: string): Promise<void> =>
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=authority'],
    ...['-keyout', key, '-out', certificate],
  );

async function openssl(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runTool('openssl', args);
  if (exitCode !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
}
