import { expect, test } from 'vitest';
import { reviewSettings, withoutUseless } from '../../../../scripts/demo/settings.ts';

test('settings that are right are nobody’s business', () => {
  expect(reviewSettings({ TANGAZA_RETENTION_SECONDS: '60', PATH: '/bin' }, 2)).toEqual({
    faults: [],
    warnings: [],
  });
});

test('a misspelt name is warned of, with the one that was meant, and is kept from the nodes', () => {
  const env = { TANGAZA_RETENTION_SECOND: '60', TANGAZA_NONSENSE: '1' };
  expect(reviewSettings(env, 2)).toEqual({
    faults: [],
    warnings: [
      'TANGAZA_RETENTION_SECOND: no such setting; TANGAZA_RETENTION_SECONDS is one; it is ignored',
      'TANGAZA_NONSENSE: no such setting; it is ignored',
    ],
  });
  expect(withoutUseless(env)).toMatchObject({
    TANGAZA_RETENTION_SECOND: undefined,
    TANGAZA_NONSENSE: undefined,
  });
});

test('what the demo sets itself is warned of, with what to use instead, and judged by nobody', () => {
  expect(reviewSettings({ TANGAZA_HTTP_PORT: 'eighty' }, 2)).toEqual({
    faults: [],
    warnings: ['TANGAZA_HTTP_PORT has no effect on a demo: use --port-base'],
  });
});

test('all wrong values are told, as a node would', () => {
  const { faults } = reviewSettings({ TANGAZA_CACHE_BYTES: '-1', TANGAZA_LOG_LEVEL: 'loud' }, 2);
  expect(faults).toEqual([
    expect.stringMatching(/^TANGAZA_CACHE_BYTES: /),
    expect.stringMatching(/^TANGAZA_LOG_LEVEL: /),
  ]);
});
