import { expect, test } from 'vitest';
import { CreateStreamBody } from '../../../../cluster/contract/api/control-views.ts';

test('no stream gets the name that stands for all of them', () => {
  const isTaken = (id: string) => CreateStreamBody.safeParse({ title: 'News', id }).success;
  expect({ news: isTaken('news'), all: isTaken('all-streams') }).toEqual({ news: true, all: false });
});
