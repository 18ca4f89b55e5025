/** The command lines and environments of a demo's processes. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessSpec } from './supervised-process.system.ts';
import { publisherArguments } from './test-publisher.ts';

const root = join(import.meta.dirname, '../..');
const host = '127.0.0.1';
const usualStopMs = 10_000;
/** The exit code of `tangaza node` when it cannot work with its settings. */
const refusedCode = 2;

interface SpecOptions {
  readonly dataDir: string;
  readonly stopWithinMs?: number;
}

interface Server {
  readonly dataDir: string;
  readonly port: number;
}

interface StoreKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

export const logFileOf = ({ dataDir }: Pick<SpecOptions, 'dataDir'>, name: string): string =>
  join(dataDir, 'logs', `${name}.log`);

export function specOfNats(options: SpecOptions, region: string, { dataDir, port }: Server): ProcessSpec {
  const name = `${region}-nats`;
  return {
    name,
    command: tool('nats-server'),
    args: () => ['-a', host, '-p', String(port), '-js', '-sd', join(dataDir, 'nats'), '-n', name],
    stopTurn: 'last',
    ...commonOf(options, name),
  };
}

export function specOfObjectStore(
  options: SpecOptions,
  region: string,
  { dataDir, port, accessKey, secretKey }: Server & StoreKeys,
): ProcessSpec {
  const name = `${region}-s3`;
  const folder = join(dataDir, 's3');
  mkdirSync(folder, { recursive: true });
  return {
    name,
    command: tool('versitygw'),
    args: () => ['--port', `${host}:${port}`, 'posix', folder],
    stopTurn: 'last',
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    ...commonOf(options, name),
  };
}

export function storeEnv(port: number, { accessKey, secretKey }: StoreKeys): Record<string, string> {
  return {
    TANGAZA_STORE: 's3',
    TANGAZA_S3_ENDPOINT: `http://${host}:${port}`,
    TANGAZA_S3_ACCESS_KEY: accessKey,
    TANGAZA_S3_SECRET_KEY: secretKey,
  };
}

/** @param before what stands before its command */
export function specOfNode(
  options: SpecOptions,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  before: readonly string[] = [],
): ProcessSpec {
  const [command, ...args] = [...before, process.execPath, join(root, 'scripts/tangaza.ts'), 'node'];
  return {
    name,
    command: command ?? process.execPath,
    args: () => args,
    env,
    refusedCode,
    ...commonOf(options, name),
  };
}

/** Publishes to each of the URLs, like an encoder that must survive the loss of one of its nodes (C2). */
export function publisherSpec(options: SpecOptions, urls: readonly string[]): ProcessSpec {
  const args = publisherArguments({ urls, width: 1280, height: 720, framesPerSecond: 25, bitrateKbps: 2500 });
  return {
    name: 'publisher',
    command: 'ffmpeg',
    args: () => args,
    logFile: logFileOf(options, 'publisher'),
    stopTimeoutMs: 3000,
    stopTurn: 'first',
  };
}

function commonOf(options: SpecOptions, name: string): Pick<ProcessSpec, 'logFile' | 'stopTimeoutMs'> {
  return { logFile: logFileOf(options, name), stopTimeoutMs: options.stopWithinMs ?? usualStopMs };
}

/** A tool that set-up installed here, or the one on PATH. */
function tool(name: string): string {
  const own = join(root, '.toolchain/bin', name);
  return existsSync(own) ? own : name;
}
