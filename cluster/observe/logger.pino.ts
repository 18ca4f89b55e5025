/** The logger on pino: one JSON object a line on stdout, UTC in RFC 3339, secrets cut out by the names of their fields. */
import { pino, stdSerializers, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import type { Logger } from './logger.ts';

export interface PinoOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly node: string;
  readonly region: string;
  /** Default: stdout. */
  readonly destination?: DestinationStream;
}

const secretNames = [
  'key',
  'streamKey',
  'token',
  'operatorToken',
  'authorization',
  'secret',
  'secretKey',
  'accessKey',
  'password',
];
const redacted = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export function pinoLogger({ level, node, region, destination }: PinoOptions): Logger {
  const options = {
    level,
    base: { node, region },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err, err: stdSerializers.err },
    redact: { paths: redacted, censor: '[secret]' },
  };
  return wrap(destination === undefined ? pino(options) : pino(options, destination));
}

function wrap(logger: Pino): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
