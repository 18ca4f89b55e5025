import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { commentText } from '../../../../../actors/comments/text/comment-text.ts';

test.each([
  ['blanks around it', '  hello \n', 'hello'],
  ['letters in parts', 'cafe\u0301', 'caf\u00e9'],
  ['control characters', 'a\u0000b\u0007c\u007fd\u009be', 'abcde'],
  ['line breaks of all kinds', 'a\r\nb\rc\u2028d\u0085e\vf', 'a\nb\nc\nd\ne\nf'],
  ['a tab', 'a\tb', 'a b'],
  ['an override of direction', 'pay \u202egpj.exe\u202c now', 'pay gpj.exe now'],
  [
    'marks and isolates, which people need',
    '\u200fשלום\u200e \u2067abc\u2069',
    '\u200fשלום\u200e \u2067abc\u2069',
  ],
  ['blanks without width', 'b\u200ba\u2060d\ufeff!', 'bad!'],
  ['joiners of Persian and of emoji', 'می\u200cخواهم 👩\u200d💻', 'می\u200cخواهم 👩\u200d💻'],
  [
    'the flag of Scotland, made with tags',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
  ],
  ['marks piled up', `x${'\u0336'.repeat(40)}y`, `x${'\u0336'.repeat(8)}y`],
  ['HTML and script', '<b>hi</b><script>alert(1)</script>', '<b>hi</b><script>alert(1)</script>'],
  ['a query', "'; DROP TABLE comments; --", "'; DROP TABLE comments; --"],
  ['a noncharacter', 'a\ufffe\u{1ffff}b', 'ab'],
])('%s', (_name, sent, text) => {
  expect(commentText(sent)).toBe(text);
});

test.each([
  ['nothing', ''],
  ['blanks', ' \n\t\u00a0\u3000'],
  ['joiners alone', '\u200d\u200c'],
  ['fillers', '\u3164\u115f\u2800\uffa0'],
  ['marks that stand on nothing', '\u0301\ufe0f'],
  ['control characters alone', '\u0000\u0001'],
])('%s is no text', (_name, sent) => {
  expect(() => commentText(sent)).toThrow('Nothing of the text can be seen');
});

test('half a surrogate pair is refused', () => {
  for (const sent of ['a\ud83d', '\ude00b', 'a\ud83dc'])
    expect(() => commentText(sent)).toThrow('half a character');
});

test('500 characters are taken, of whatever size', () => {
  expect(commentText('😀'.repeat(500))).toHaveLength(1000);
  expect(() => commentText('a'.repeat(501))).toThrow('The text has 501 characters: at most 500 are taken.');
  expect(() => commentText(`${'😀'.repeat(499)}ab`)).toThrow('501 characters');
});

test('cleaning a text twice changes nothing', () => {
  const tricky = fc.constantFrom(
    ...Array.from('ae\u0301\u0300\u0336\u200b\u200d\u202e\r\n\t \u0000\u2028\u1100\u1161😀'),
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(tricky, fc.string({ unit: 'binary', maxLength: 2 })), { maxLength: 60 }),
      (parts) => {
        const sent = `.${parts.join('')}.`;
        if (!sent.isWellFormed()) return;
        const text = commentText(sent);
        expect(commentText(text)).toBe(text);
      },
    ),
  );
});
