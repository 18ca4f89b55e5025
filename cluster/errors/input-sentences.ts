/**
 * Turns a fault that a schema finds into a sentence of our own: what the input must be, and what was given. A validator's own texts never
 * leave a node.
 */
import type { z } from 'zod';

type Fault = z.core.$ZodRawIssue;

const mostGiven = 80;

/** Shows a value briefly and on one line: `"x"`, `7`, `nothing`, `a list`. */
export function given(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length <= mostGiven ? text : `${text.slice(0, mostGiven)}… (${text.length} characters)`;
}

/** For a schema that has its own words for what it takes: `z.string().regex(…, mustBe('…'))`. */
export const mustBe = (words: string) => ({
  error: ({ input }: Fault): string => `must be ${words}; ${given(input)} was given`,
});

/** Passed as `safeParse(value, { error: sentenceOf })`: makes the sentence for every fault for which the schema has no words. */
export function sentenceOf(fault: Fault): string {
  return `${demandOf(fault)}; ${given(fault.input)} was given`;
}

/** Says what the input must be and leaves out what was given, for secrets. */
export function demandOf(fault: Fault): string {
  switch (fault.code) {
    case 'invalid_type':
      return `must be ${kinds[fault.expected] ?? fault.expected}`;
    case 'too_small':
      return `must ${boundOf(fault.origin, fault.inclusive === false ? 'more than' : 'at least', fault.minimum)}`;
    case 'too_big':
      return `must ${boundOf(fault.origin, fault.inclusive === false ? 'less than' : 'at most', fault.maximum)}`;
    case 'invalid_value':
      return `must be ${fault.values.map((value) => given(value)).join(' or ')}`;
    case 'unrecognized_keys':
      return `must not have ${fault.keys.map((key) => given(key)).join(', ')}: there is no such field`;
    case 'not_multiple_of':
      return `must be a multiple of ${fault.divisor}`;
    case 'invalid_format':
      return `must be ${formats[fault.format] ?? 'in the form that is described'}`;
    default:
      return 'must be as it is described';
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};
const formats: Readonly<Record<string, string>> = {
  url: 'a URL with its scheme, e.g. https://live.example.org',
  uuid: 'a UUID',
  datetime: 'a time in RFC 3339, e.g. 2026-11-30T12:00:00Z',
};

function boundOf(origin: string, relation: string, bound: number | bigint): string {
  const many = bound === 1 || bound === 1n ? '' : 's';
  if (origin === 'string') return `have ${relation} ${bound} character${many}`;
  return origin === 'array' || origin === 'set'
    ? `have ${relation} ${bound} element${many}`
    : `be ${relation} ${bound}`;
}
