import { expect, test } from 'vitest';
import { Minutes } from '../../../../../actors/comments/store/cassandra/minutes.cassandra.ts';
import { StreamId } from '../../../../../cluster/model/ids.ts';

const entry = { stream: StreamId.parse('demo'), kind: 'written', minute: 1 } as const;
const none = (): never => {
  throw new Error('nobody reads');
};

// Goal: a flood that begins costs one entry of its minute, and not one for each comment. Method: the database answers late.
test('comments that come at once enter their minute once, and after a failure it is entered anew', async () => {
  const answers: PromiseWithResolvers<string>[] = [];
  const runTogether = (): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    return answer.promise;
  };
  const minutes = new Minutes({ run: none, runTogether });
  const failing = [1, 2].map(() => minutes.enter(entry, 'eu'));
  answers[0]?.reject(new Error('it is away'));
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const entering = [1, 2, 3].map(() => minutes.enter(entry, 'eu'));
  answers[1]?.resolve('eu');
  await Promise.all(entering);
  await minutes.enter(entry, 'eu');
  expect({ entered: answers.length }).toEqual({ entered: 2 });
});
