import { expect, test } from 'vitest';
import { prefersJson } from '../../../../../actors/edge-delivery/playback/frames.ts';

test.each([
  ['', false],
  ['*/*', false],
  ['video/mp4', false],
  ['application/json', true],
  ['application/json, video/mp4', false],
  ['application/json;q=0.9, video/mp4;q=0.8', true],
  ['application/json;q=0.5, video/*', false],
  ['APPLICATION/JSON', true],
  ['application/json;q=x', false],
])('Accept %j asks for JSON: %s', (accept, expected) => expect(prefersJson(accept)).toBe(expected));
