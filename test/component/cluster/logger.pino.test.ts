/** The log on a real pipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const module = resolve(import.meta.dirname, '../../../cluster/observe/logger.pino.ts');

// Goal: a node whose supervisor was killed still ends. Method: nobody reads the child's stdout; it logs, and must exit.
test('a process whose log nobody reads any more goes on, and ends when it wants to', async () => {
  const program = `
    const { pinoLogger } = await import(${JSON.stringify(module)});
    const logger = pinoLogger({ level: 'info', node: 'n', region: 'r' });
    process.stdin.on('data', () => {
      for (let i = 0; i < 100; i += 1) logger.info({ i }, 'x'.repeat(1000));
      process.exit(7);
    });
    process.stderr.write('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(child, 'exit');
  await once(child.stderr, 'data');
  child.stdout.destroy();
  child.stdin.write('go');
  expect((await closed)[0]).toBe(7);
});
