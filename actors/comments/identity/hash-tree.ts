/**
 * One signature for many texts: a tree of hashes, of which only the root is signed. Each text has a proof, the hashes beside its way up to
 * the root (RFC 9162, 2.1).
 *
 * Leaves and what lies above them are hashed differently, so that none stands for the other.
 */
import { hash } from 'node:crypto';

/** The side on which the other hash lies, and that hash, in 44 characters. */
const step = /[lr][\w-]{43}/g;
/** Of as many texts as go together, and some more. */
const proofPattern = /^(?:[lr][\w-]{43}){1,8}$/;

interface Branch {
  readonly hash: string;
  /** Where its texts stand in the list. */
  readonly texts: readonly number[];
}

export interface HashTree {
  readonly root: string;
  /** For each text, in order. */
  readonly proofs: readonly string[];
}

/** @param texts at least one */
export function hashTree(texts: readonly string[]): HashTree {
  const proofs = texts.map(() => '');
  const extend = ({ texts: below }: Branch, side: 'l' | 'r', other: Branch): void => {
    for (const index of below) proofs[index] = `${proofs[index] ?? ''}${side}${other.hash}`;
  };
  const join = (left: Branch, right: Branch | undefined): Branch => {
    if (right === undefined) return left;
    extend(left, 'r', right);
    extend(right, 'l', left);
    return { hash: hashOfTwo(left.hash, right.hash), texts: [...left.texts, ...right.texts] };
  };
  let level: readonly Branch[] = texts.map((text, index) => ({ hash: hashOfText(text), texts: [index] }));
  while (level.length > 1)
    level = level.flatMap((left, index) => (index % 2 === 0 ? [join(left, level[index + 1])] : []));
  return { root: level[0]?.hash ?? '', proofs };
}

/** @returns the root of the tree in which the proof puts the text; undefined for what is no proof */
export function rootBy(text: string, proof: string): string | undefined {
  if (!proofPattern.test(proof)) return undefined;
  return (proof.match(step) ?? []).reduce((below, one) => {
    const beside = one.slice(1);
    return one.startsWith('l') ? hashOfTwo(beside, below) : hashOfTwo(below, beside);
  }, hashOfText(text));
}

const hashOfText = (text: string): string => hash('sha256', `text ${text}`, 'base64url');
const hashOfTwo = (left: string, right: string): string => hash('sha256', `two ${left}${right}`, 'base64url');
