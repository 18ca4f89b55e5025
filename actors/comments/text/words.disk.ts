/** Reads the file of words that are not wanted. */
import { readFileSync } from 'node:fs';
import { parseWordRules, type WordRules } from './word-rules.ts';

/** @throws Error that names the file and its faults */
export function loadWordRules(file: string): WordRules {
  return parseWordRules(file, JSON.parse(readFileSync(file, 'utf8')));
}
