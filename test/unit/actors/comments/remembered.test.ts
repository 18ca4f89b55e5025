import { expect, test } from 'vitest';
import { Remembered } from '../../../../actors/comments/remembered.ts';
import { JumpingClock } from '../../../support/ports/jumping-clock.ts';

function rig(most = 10) {
  const clock = new JumpingClock();
  const asked: string[] = [];
  const state = { answer: (key: string): Promise<string> => Promise.resolve(`${key}${asked.length}`) };
  const remembered = new Remembered<string, string>({
    clock,
    most,
    goodForMs: () => 1000,
    ask: (key) => {
      asked.push(key);
      return state.answer(key);
    },
  });
  return { clock, asked, state, remembered };
}

test('who asks again soon gets the last answer, and later a new one', async () => {
  const { clock, remembered } = rig();
  const answers = [await remembered.get('a'), await remembered.get('a')];
  clock.nowMs = 1000;
  expect([...answers, await remembered.get('a')]).toEqual(['a1', 'a1', 'a2']);
});

test('a question that is under way is asked once', async () => {
  const { asked, remembered } = rig();
  expect(await Promise.all([remembered.get('a'), remembered.get('a')])).toEqual(['a1', 'a1']);
  expect(asked).toEqual(['a']);
});

// Goal: nobody waits for what is asked for all the time. Method: an answer is asked for near the end of its time, while the next one does not come.
test('what is asked for near the end of its time is asked anew, and the one who asked does not wait', async () => {
  const { asked, clock, state, remembered } = rig();
  await remembered.get('a');
  const { promise, resolve } = Promise.withResolvers<string>();
  state.answer = () => promise;
  clock.nowMs = 700;
  const near = [await remembered.get('a'), await remembered.get('a')];
  expect({ near, asked }).toEqual({ near: ['a1', 'a1'], asked: ['a', 'a'] });
  resolve('new');
  await promise;
  clock.nowMs = 1100;
  expect({ next: await remembered.get('a'), asked }).toEqual({ next: 'new', asked: ['a', 'a'] });
});

test('what was prepared is asked once, and its failure is told to who asks', async () => {
  const { asked, state, remembered } = rig();
  remembered.prepare('a');
  expect({ answer: await remembered.get('a'), asked }).toEqual({ answer: 'a1', asked: ['a'] });
  state.answer = () => Promise.reject(new Error('gone'));
  remembered.prepare('b');
  await expect(remembered.get('b')).rejects.toThrow('gone');
});

test('while asking fails the last answer stays; where there is none, the failure is told', async () => {
  const { clock, state, remembered } = rig();
  await remembered.get('a');
  clock.nowMs = 5000;
  state.answer = () => Promise.reject(new Error('gone'));
  expect(await remembered.get('a')).toBe('a1');
  await expect(remembered.get('b')).rejects.toThrow('gone');
  state.answer = () => Promise.resolve('back');
  expect({ a: await remembered.get('a'), b: await remembered.get('b') }).toEqual({ a: 'back', b: 'back' });
});

test('what is told while a question is under way is newer than its answer', async () => {
  const { state, remembered } = rig();
  const { promise, resolve } = Promise.withResolvers<string>();
  state.answer = () => promise;
  const asking = remembered.get('a');
  remembered.set('a', 'told');
  resolve('old');
  await asking;
  expect(await remembered.get('a')).toBe('told');
});

test('of too many answers the oldest goes', async () => {
  const { asked, remembered } = rig(2);
  for (const key of ['a', 'b', 'c', 'c', 'a']) await remembered.get(key);
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
});
