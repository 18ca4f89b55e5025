/** Commands that are given what no command can use, as a process of their own. */
import { expect, test } from 'vitest';
import { freePort } from '../../../scripts/demo/free-port.system.ts';
import { runCli } from '../../support/cluster/cli.ts';

// As they once were: 1, with which `simulate` says that an invariant broke.
test.each([
  [['simulate', '--trace', '--seeds', '2'], '--trace is for one seed'],
  [['simulate', '--break', 'clock', '--regions', '2'], '--break clock is for one region'],
  [['simulate', '--break', 'dates'], 'is for several regions: add --regions 2'],
  [['nodes', '--url', 'localhost:8080'], '--url takes http://HOST:PORT or https://HOST'],
] as const)('%j is wrong use: code 2, and words that say why', async (args, words) => {
  expect(await runCli(args, 'token')).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
});

// As it once was: the driver's error with its stack, over nine lines.
test('migrate says in one line why no data centre answers', async () => {
  const at = `127.0.0.1:${await freePort()}`;
  const { code, stderr } = await runCli(['migrate'], '', { TANGAZA_CASSANDRA: `home/${at}` });
  expect({ code, lines: stderr.trim().split('\n') }).toEqual({
    code: 2,
    lines: expect.arrayContaining([
      expect.stringMatching(
        /^tangaza: data centre home does not answer at \S+ \(connect ECONNREFUSED \S+\): migrations are run when/,
      ),
    ]),
  });
  expect(stderr).not.toContain('TCPConnectWrap');
});
