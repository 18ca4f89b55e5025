import { expect, test } from 'vitest';
import { voicesBy } from '../../../../../actors/comments/identity/voices.ts';
import { UserId } from '../../../../../cluster/model/ids.ts';
import { ada, bob, storedComment } from '../../../../support/audience/written.ts';

const guest = (id: UserId) => ({ id, name: 'Guest', kind: 'guest' }) as const;
const account = (name: string) => ({ id: UserId.parse(`a-${name}`), name, kind: 'account' }) as const;
const [first, second] = [storedComment(1000).id, storedComment(2000).id];
const voices = voicesBy('secret of a region');

test('guests of one network have one voice about a comment, and accounts one each', () => {
  const ofAda = voices.voiceOf(guest(ada), '192.0.2.7', first);
  expect({
    bob: voices.voiceOf(guest(bob), '192.0.2.7', first) === ofAda,
    elsewhere: voices.voiceOf(guest(ada), '192.0.2.8', first) === ofAda,
    account: voices.voiceOf(account('eve'), '192.0.2.7', first),
  }).toEqual({ bob: true, elsewhere: false, account: 'a-eve' });
});

test('a voice tells nothing about another comment, and nothing without the secret', () => {
  const voice = voices.voiceOf(guest(ada), '192.0.2.7', first);
  expect(voice).toMatch(/^n-[\w-]{22}$/);
  expect(voices.voiceOf(guest(ada), '192.0.2.7', second)).not.toBe(voice);
  expect(voicesBy('another secret').voiceOf(guest(ada), '192.0.2.7', first)).not.toBe(voice);
});
