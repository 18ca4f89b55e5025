import { expect, test } from 'vitest';
import type { z } from 'zod';
import { FramesQuery } from '../../../../cluster/contract/api/edge-routes.ts';
import { PageQuery } from '../../../../cluster/contract/api/control-routes.ts';
import {
  CreateStreamBody,
  DrainBody,
  UpdateStreamBody,
} from '../../../../cluster/contract/api/control-views.ts';
import { given, sentenceOf } from '../../../../cluster/errors/input-sentences.ts';

const frame = { deviceType: 'tv', offsetSeconds: '0' };
const faults: readonly (readonly [schema: z.ZodType, value: unknown, sentence: string])[] = [
  [
    FramesQuery,
    { ...frame, deviceType: 'fridge' },
    'must be "phone" or "tablet" or "desktop" or "tv"; "fridge" was given',
  ],
  [FramesQuery, { deviceType: 'tv' }, 'must be a text; nothing was given'],
  [
    FramesQuery,
    { ...frame, offsetSeconds: '-5' },
    'must be a number of seconds, e.g. 600 or 2.5; "-5" was given',
  ],
  [FramesQuery, { ...frame, durationSeconds: '900' }, 'must be at most 60; 900 was given'],
  [FramesQuery, { ...frame, durationSeconds: '0' }, 'must be more than 0; 0 was given'],
  [PageQuery, { limit: '201' }, 'must be at most 200; 201 was given'],
  [PageQuery, { limit: '0' }, 'must be at least 1; 0 was given'],
  [PageQuery, { limit: '1e1' }, 'must be a whole number in digits, without leading zeros; "1e1" was given'],
  [PageQuery, { cursor: 'abc' }, 'must be the nextCursor of a page before, or left out; "abc" was given'],
  [CreateStreamBody, { title: '' }, 'must have at least 1 character; "" was given'],
  [CreateStreamBody, { title: 7 }, 'must be a text; 7 was given'],
  [
    CreateStreamBody,
    { title: 'a', more: 1 },
    'must not have "more": there is no such field; an object was given',
  ],
  [CreateStreamBody, [], 'must be an object; a list was given'],
  [
    CreateStreamBody,
    { title: 'a', id: 'A B' },
    'must be 1 to 64 lower-case letters, digits, - and _, the first one a letter or a digit; "A B" was given',
  ],
  [DrainBody, { force: 'yes' }, 'must be true or false; "yes" was given'],
];

test.each(faults)('%# %j', (schema, value, sentence) => {
  const { error } = schema.safeParse(value, { error: sentenceOf });
  expect(error?.issues.map(({ message }) => message)).toEqual([sentence]);
});

test('a change of nothing says what could be changed', () => {
  const { error } = UpdateStreamBody.safeParse({}, { error: sentenceOf });
  expect(error?.issues[0]?.message).toBe('must name something to change: title or ladder');
});

test('what was given is told short and on one line', () => {
  expect(given('a\nb')).toBe('"a\\nb"');
  expect(given('x'.repeat(5000))).toHaveLength(80 + '… (5002 characters)'.length);
});
