/** Numbers in paths and queries. On the wire they are digits; code and the OpenAPI document see numbers. */
import { z } from 'zod';
import { mustBe } from '../../errors/input-sentences.ts';

/** Each number has one spelling only, so that each object has one URL. */
export const wholeNumber = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,15})$/, mustBe('a whole number in digits, without leading zeros'))
    .transform(Number)
    .pipe(schema);

/** Takes at most six decimals and no exponent. */
export const seconds = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^[0-9]{1,9}(?:\.[0-9]{1,6})?$/, mustBe('a number of seconds, e.g. 600 or 2.5'))
    .transform(Number)
    .pipe(schema);
