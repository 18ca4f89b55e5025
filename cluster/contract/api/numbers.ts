/** Numbers in paths and queries: digits on the wire, numbers for whoever uses them and in the OpenAPI document. */
import { z } from 'zod';
import { mustBe } from '../../errors/input-sentences.ts';

/** One spelling for each number, so that one object has one URL. */
export const wholeNumber = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,15})$/, mustBe('a whole number in digits, without leading zeros'))
    .transform(Number)
    .pipe(schema);

/** At most six decimals, never an exponent. */
export const seconds = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^[0-9]{1,9}(?:\.[0-9]{1,6})?$/, mustBe('a number of seconds, e.g. 600 or 2.5'))
    .transform(Number)
    .pipe(schema);
