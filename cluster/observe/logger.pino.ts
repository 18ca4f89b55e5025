/** The logger, on pino: one JSON object for each line on stdout, times in UTC (RFC 3339). Fields with the name of a secret are cut out. */
import { pino, stdSerializers, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import type { Logger } from './logger.ts';

export interface PinoOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly node: string;
  readonly region: string;
  /** By default stdout. */
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

/** How many bytes of lines a slow reader of stdout may have waiting. Further lines are dropped. */
const mostWaitingBytes = 1_048_576;

/**
 * Writes to stdout for as long as somebody reads it. Pino's own stream is not used: its flush at exit retries a closed pipe for ever, so a
 * node whose supervisor was killed never ended (seen in the demo; sonic-boom 4, `flushSync`).
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
