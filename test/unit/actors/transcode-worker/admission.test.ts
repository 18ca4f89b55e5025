/** What a worker does with a task it was handed. */
import { expect, test } from 'vitest';
import { admit, type Delivery } from '../../../../actors/transcode-worker/admission.ts';
import { sampleTask } from '../../../support/ports/transcode-task.ts';

const task = sampleTask();
const delivery = (changes: Partial<Delivery> = {}): Delivery => ({
  task,
  deliveries: 1,
  fingerprint: task.fingerprint,
  ...changes,
});

test('a fresh task is run', () => {
  expect(admit(delivery())).toEqual({ kind: 'run' });
});

test('a task of another encoder is offered to others twice, then its owner is told', () => {
  const offer = (deliveries: number) => admit(delivery({ deliveries, fingerprint: 'ffmpeg-6/args-1/x' }));
  expect({ first: offer(1).kind, second: offer(2).kind }).toEqual({ first: 'giveBack', second: 'giveBack' });
  expect(offer(3)).toMatchObject({ kind: 'refuse', code: 'FINGERPRINT_DIFFERS' });
});

test('after two deliveries that came to nothing a task runs alone, and after six no more', () => {
  const kinds = [2, 3, 6, 7].map((deliveries) => admit(delivery({ deliveries })).kind);
  expect(kinds).toEqual(['run', 'runAlone', 'runAlone', 'refuse']);
});

test.each([
  [0, 1, 'run'],
  [1, 1, 'run'],
  [1, 2, 'runAlone'],
  [2, 1, 'runAlone'],
  [7, 1, 'runAlone'],
])('after %i deaths that its owner knows of, delivery %i of an attempt: %s', (deaths, deliveries, kind) => {
  expect(admit(delivery({ task: sampleTask({ deaths }), deliveries }))).toEqual({ kind });
});
