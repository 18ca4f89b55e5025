import { expect, test } from 'vitest';
import { regionNamed } from '../../../../cluster/model/region-words.ts';

test.each([
  ['eu', 'region eu'],
  ['region-2', 'region-2'],
  ['regional', 'region regional'],
])('a sentence calls the region %s %s', (id, words) => {
  expect(regionNamed(id)).toBe(words);
});
