/** Trees of hashes: each text has a proof that leads to the one root, and nothing else has (A6). */
import { expect, test } from 'vitest';
import { hashTree, rootBy } from '../../../../../actors/comments/identity/hash-tree.ts';

const textsOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `text ${index}`);

test.each([2, 3, 5, 7, 8, 31, 32, 33, 200])('of %i texts each leads to the root by its proof', (count) => {
  const texts = textsOf(count);
  const { root, proofs } = hashTree(texts);
  expect(texts.map((text, index) => rootBy(text, proofs[index] ?? ''))).toEqual(texts.map(() => root));
});

test('another text, or the proof of another one, leads elsewhere', () => {
  const texts = textsOf(5);
  const { root, proofs } = hashTree(texts);
  for (const [index, proof] of proofs.entries())
    for (const [other, text] of texts.entries())
      if (other !== index) expect(rootBy(text, proof)).not.toBe(root);
});

/**
 * *Goal*: a hash above the leaves stands for no text.
 * *Method*: what the two hashes of a root are made of is given as a text, with the rest of the proof.
 */
test('what lies above the leaves is no text', () => {
  const { root, proofs } = hashTree(textsOf(4));
  const [first = '', second = ''] = [proofs[0]?.slice(0, 44), proofs[0]?.slice(44)];
  const left = `${proofs[1]?.slice(1, 44) ?? ''}${first.slice(1)}`;
  for (const text of [left, `two ${left}`, `text ${left}`]) expect(rootBy(text, second)).not.toBe(root);
});

test('what is no proof leads nowhere', () => {
  const { proofs } = hashTree(textsOf(2));
  const [proof = ''] = proofs;
  for (const none of ['', 'l', proof.slice(1), `x${proof.slice(1)}`, `${proof}l`, proof.repeat(9)])
    expect(rootBy('text 0', none)).toBeUndefined();
});
