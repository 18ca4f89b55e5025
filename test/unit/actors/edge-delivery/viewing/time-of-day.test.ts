import { expect, test } from 'vitest';
import { timeOfDay } from '../../../../../actors/edge-delivery/viewing/time-of-day.ts';

test('a time of day has 24 hours, two digits each, on the clock of the viewer', () => {
  const at = new Date('2026-11-30T21:05:00Z');
  expect({ utc: timeOfDay(at, 'UTC'), nairobi: timeOfDay(at, 'Africa/Nairobi') }).toEqual({
    utc: '21:05',
    nairobi: '00:05',
  });
});
