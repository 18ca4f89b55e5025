import { expect, test } from 'vitest';
import { gistOf, skeletonOf } from '../../../../../actors/comments/text/skeleton.ts';
import { parseWordRules } from '../../../../../actors/comments/text/word-rules.ts';

const judge = parseWordRules('test', {
  rules: [
    { act: 'replace', words: ['darn', 'holy cow', '笨蛋'] },
    { act: 'hold', words: ['casino*', 'κόσμος'] },
    { act: 'refuse', words: ['c++ hater'] },
  ],
});

test.each([
  ['a word', 'Well, DARN it!', 'Well, **** it!'],
  [
    'a word in styled letters, full width, accents and joiners',
    '𝐝𝐚𝐫𝐧 ｄａｒｎ d\u0336a\u0336r\u0336n da\u200drn',
    '**** **** **** ****',
  ],
  ['words with other blanks between', 'holy \n cow.', '********.'],
  ['a word in a script without blanks', '你是笨蛋吗', '你是**吗'],
])('%s is replaced', (_name, text, shown) => {
  expect(judge(text)).toEqual({ kind: 'fine', text: shown });
});

test.each(['darning socks', 'the casin o', 'undarn', '😀 all good', 'c++ hate'])(
  '%s is left as it is',
  (text) => {
    expect(judge(text)).toEqual({ kind: 'fine', text });
  },
);

test('a comment is held or refused for its words, also those that only begin so', () => {
  expect(judge('best CASINOS here, darn')).toEqual({ kind: 'held', text: 'best CASINOS here, ****' });
  expect(judge('ΚΌΣΜΟΣ')).toEqual({ kind: 'held', text: 'ΚΌΣΜΟΣ' });
  expect(judge('no C++ HATER may say so')).toEqual({ kind: 'refused' });
});

test('a file with faults tells all of them', () => {
  const content = { rules: [{ act: 'hide', words: [''] }] };
  expect(() => parseWordRules('words.json', content)).toThrow(
    /^The words of words\.json cannot be used: rules\.0\.act: .*; rules\.0\.words\.0: /,
  );
  const empty = { rules: [{ act: 'hold', words: ['*', '\u200b.'] }] };
  expect(() => parseWordRules('words.json', empty)).toThrow('"*" has no letter');
});

test('without words everything is fine', () => {
  expect(parseWordRules('test', { rules: [] })('darn')).toEqual({ kind: 'fine', text: 'darn' });
});

// Against the longest text: what looks for each word on its own would not end in time.
test('many words cost little', () => {
  const words = Array.from({ length: 5000 }, (_, index) => `w${index.toString(36)} x`);
  const many = parseWordRules('test', { rules: [{ act: 'hold', words }] });
  expect(many('w '.repeat(250)).kind).toBe('fine');
});

test('a skeleton knows where each of its parts comes from', () => {
  expect(skeletonOf('e\u0301ﬁX')).toEqual({
    characters: ['e', 'f', 'i', 'x'],
    from: [0, 2, 2, 3, 4],
  });
  expect(gistOf('  Hello\n\u200b  WÖRLD ')).toBe('hello world');
});
