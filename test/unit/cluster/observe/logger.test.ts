import { expect, test } from 'vitest';
import { pinoLogger } from '../../../../cluster/observe/logger.pino.ts';

function logged(write: (logger: ReturnType<typeof pinoLogger>) => void): string {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  write(pinoLogger({ level: 'info', node: 'n1', region: 'eu', destination }));
  return text;
}

test('a line is JSON with level, node, region and an RFC 3339 time', () => {
  const line = JSON.parse(logged((logger) => logger.child({ stream: 'demo' }).warn({ bytes: 3 }, 'slow')));
  expect(line).toMatchObject({
    level: 'warn',
    node: 'n1',
    region: 'eu',
    stream: 'demo',
    bytes: 3,
    msg: 'slow',
  });
  expect(new Date(line.time).toISOString()).toBe(line.time);
});

test('keys, tokens and secrets never come out, however deep', () => {
  const text = logged((logger) => {
    logger.info({ streamKey: 'hush', stream: { key: 'hush' }, config: { s3: { secretKey: 'hush' } } }, 'x');
    logger.child({ token: 'hush' }).info({ headers: { authorization: 'hush' } }, 'y');
  });
  expect(text).not.toContain('hush');
  expect(text).toContain('[secret]');
});

test('an error keeps its stack and code; lines below the level are dropped', () => {
  expect(logged((logger) => logger.error({ error: new TypeError('boom') }, 'x'))).toContain(
    'TypeError: boom',
  );
  expect(logged((logger) => logger.debug({}, 'x'))).toBe('');
});
