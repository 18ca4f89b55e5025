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
  return wrap(pino(options, destination ?? stdout()));
}

/** Lines that a reader of stdout may fall behind; more are dropped. */
const mostWaitingBytes = 1_048_576;

/**
 * Stdout for as long as somebody reads it. Not pino's own: whose flush at exit tries a closed pipe again for ever, so that
 * a node whose supervisor was killed never ended (found in the demo; sonic-boom 4, `flushSync`).
 */
function stdout(): DestinationStream {
  const stream = process.stdout;
  let isOpen = true;
  stream.on('error', () => {
    isOpen = false;
  });
  return {
    write: (line) => {
      if (isOpen && stream.writableLength < mostWaitingBytes) stream.write(line);
    },
  };
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
