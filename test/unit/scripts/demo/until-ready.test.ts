/** How a demo waits for its parts. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../../cluster/time/clock.system.ts';
import type { Answer } from '../../../../scripts/demo/answers.system.ts';
import { untilReady } from '../../../../scripts/demo/parts/until-ready.ts';

// As it once was: an edge holds whoever asks for a stream that begins, and so Ctrl-C did nothing for ten seconds.
test('who waits for an answer that is held back stops as soon as it is told to', async () => {
  const stop = new AbortController();
  const asked = Promise.withResolvers<undefined>();
  const ask = (): Promise<Answer> => {
    asked.resolve(undefined);
    return new Promise(() => {});
  };
  const site = { options: { dataDir: '/d' }, clock: systemClock, signal: stop.signal };
  const waiting = untilReady({ name: 'publisher', ask }, site);
  await asked.promise;
  stop.abort(new Error('Ctrl-C'));
  await expect(waiting).rejects.toThrow('Ctrl-C');
});
