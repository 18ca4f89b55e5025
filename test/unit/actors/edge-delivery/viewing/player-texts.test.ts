import { describe, expect, test } from 'vitest';
import { clockText, secondsOf } from '../../../../../actors/edge-delivery/viewing/clock-text.ts';
import {
  parentOrigin,
  playerOptions,
  readCommand,
} from '../../../../../actors/edge-delivery/viewing/embed-messages.ts';
import { keyAction } from '../../../../../actors/edge-delivery/viewing/keys.ts';
import { embedSnippet, shareLink, streamIdIn } from '../../../../../actors/edge-delivery/viewing/share.ts';

test.for([
  [0, '0:00'],
  [7.9, '0:07'],
  [725, '12:05'],
  [3753, '1:02:33'],
  [-3, '0:00'],
] as const)('%s s reads %s', ([seconds, text]) => expect(clockText(seconds)).toBe(text));

test.for<[string | null, number | undefined]>([
  ['90', 90],
  ['90.5', 90.5],
  ['1:30', 90],
  ['1:02:33', 3753],
  ['1h2m33s', 3753],
  ['90s', 90],
  ['0', 0],
  [null, undefined],
  ['', undefined],
  ['-5', undefined],
  ['soon', undefined],
  ['99999999999', undefined],
  ['1e9', undefined],
])('the time %s is %s s', ([text, seconds]) => expect(secondsOf(text)).toBe(seconds));

describe('a key', () => {
  const press = { hasModifier: false, target: 'other' } as const;

  test.for([
    [' ', 'toggle'],
    ['k', 'toggle'],
    ['K', 'toggle'],
    ['m', 'mute'],
    ['f', 'fullscreen'],
    ['l', 'live'],
    ['ArrowLeft', 'back'],
    ['ArrowRight', 'forward'],
    ['ArrowUp', 'louder'],
    ['ArrowDown', 'quieter'],
    ['x', undefined],
    ['constructor', undefined],
  ] as const)('%s: %s', ([key, action]) => expect(keyAction({ ...press, key })).toBe(action));

  test('does nothing while somebody types, or with a modifier', () => {
    expect(keyAction({ ...press, key: 'k', target: 'field' })).toBeUndefined();
    expect(keyAction({ ...press, key: 'f', hasModifier: true })).toBeUndefined();
  });

  test('that a focused control takes is left to it', () => {
    expect(keyAction({ ...press, key: ' ', target: 'pressable' })).toBeUndefined();
    expect(keyAction({ ...press, key: 'k', target: 'pressable' })).toBe('toggle');
    expect(keyAction({ ...press, key: 'ArrowLeft', target: 'slider' })).toBeUndefined();
    expect(keyAction({ ...press, key: ' ', target: 'slider' })).toBe('toggle');
  });
});

describe('an embedding page', () => {
  test.for<[unknown, unknown]>([
    [{ tangaza: 1, command: 'pause' }, { kind: 'pause' }],
    [
      { tangaza: 1, command: 'seek', seconds: 12.5 },
      { kind: 'seek', seconds: 12.5 },
    ],
    [{ tangaza: 1, command: 'seek', seconds: '12' }, undefined],
    [{ tangaza: 1, command: 'seek', seconds: Number.NaN }, undefined],
    [{ tangaza: 1, command: 'seek', seconds: -1 }, undefined],
    [{ tangaza: 2, command: 'pause' }, undefined],
    [{ command: 'pause' }, undefined],
    [{ tangaza: 1, command: 'constructor' }, undefined],
    ['pause', undefined],
    [null, undefined],
  ])('says %j: %j', ([message, command]) => expect(readCommand(message)).toEqual(command));

  const frame = { asked: null, ancestor: undefined, referrer: '', isFramed: true };

  test.for<[string, Partial<Parameters<typeof parentOrigin>[0]>, string | undefined]>([
    [
      'the one that it names',
      { asked: 'https://a.example/x', ancestor: 'https://b.example' },
      'https://a.example',
    ],
    ['nobody when it names none that can be', { asked: 'null', ancestor: 'https://b.example' }, undefined],
    ['nobody when it names everybody', { asked: '*', ancestor: 'https://b.example' }, undefined],
    ['the one that the browser names', { ancestor: 'https://b.example' }, 'https://b.example'],
    ['the one that led here', { referrer: 'https://c.example/page?x' }, 'https://c.example'],
    ['nobody in a sandbox', { ancestor: 'null' }, undefined],
    ['nobody when it is not framed', { isFramed: false, asked: 'https://a.example' }, undefined],
  ])('is %s', ([, facts, origin]) => expect(parentOrigin({ ...frame, ...facts })).toBe(origin));

  test('gives its wishes in the query', () => {
    const options = (query: string, isFramed = true) =>
      playerOptions(new URLSearchParams(query), { origin: 'https://us.example', isFramed });
    expect(options('')).toEqual({
      mayStart: true,
      isMuted: false,
      startSeconds: undefined,
      hasControls: true,
      poster: { kind: 'own' },
    });
    expect(options('autoplay=0&muted&start=90&controls=0&poster=0')).toEqual({
      mayStart: false,
      isMuted: true,
      startSeconds: 90,
      hasControls: false,
      poster: { kind: 'none' },
    });
    expect(options('autoplay&t=1:30&poster=https://a.example/p.jpg')).toMatchObject({
      mayStart: true,
      startSeconds: 90,
      poster: { kind: 'given', url: 'https://a.example/p.jpg' },
    });
    expect(options('poster=javascript:alert(1)').poster).toEqual({ kind: 'own' });
    expect(options('poster=https://a.example/p.jpg', false).poster).toEqual({ kind: 'own' });
    const ours = 'https://us.example/live/demo/thumbnail.jpg';
    expect(options(`poster=${ours}`, false).poster).toEqual({ kind: 'given', url: ours });
  });
});

test('a shared link names the time in whole seconds', () => {
  expect(shareLink('https://tv.example', 'news')).toBe('https://tv.example/watch/news');
  expect(shareLink('https://tv.example', 'news', 90.7)).toBe('https://tv.example/watch/news?t=90');
});

test('a title cannot break out of the snippet', () => {
  const snippet = embedSnippet('https://tv.example', 'news', '"><script>alert(1)</script>');
  expect(snippet).not.toContain('<script');
  expect(snippet).toContain('src="https://tv.example/embed/news?autoplay&amp;muted"');
});

test('the id of a page is in its path; a garbled one stays as it is, for the page must say that there is no such stream', () => {
  expect(['/watch/news', '/embed/ne%77s', '/watch/%ZZ', '/watch'].map(streamIdIn)).toEqual([
    'news',
    'news',
    '%ZZ',
    '',
  ]);
});
