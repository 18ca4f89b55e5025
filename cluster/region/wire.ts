/**
 * What crosses between regions, as JSON text, and how errors of the catalogue survive it (R2).
 *
 * Shapes are checked where something arrives. So a region that runs another version gets a clear refusal.
 */
import { z } from 'zod';
import type { RegionCall, RegionEvent } from '../contract/regions/crossing.ts';
import { isErrorCode, type ErrorCode } from '../errors/catalogue.ts';
import { errorCodeOf, TangazaError } from '../errors/tangaza-error.ts';

const maxDetail = 500;
/** Of an error's data, as JSON. What is longer is left out. */
const maxData = 2000;

/** What a call answers: a result, or an error with its code. */
export const Answer = z.union([
  z.object({ result: z.unknown() }),
  z.object({
    error: z.object({
      code: z.string().max(64),
      detail: z.string().max(maxDetail),
      data: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);
export type Answer = z.infer<typeof Answer>;

/** `undefined` is written as `null`. */
export const textOf = (value: unknown): string => JSON.stringify(value) ?? 'null';

export const bytesOf = (text: string): number => Buffer.byteLength(text);

/** @returns undefined for what is no JSON */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws TangazaError `BODY_TOO_LARGE` where the parameters are longer than the call allows */
export function paramsText<P, R>(call: RegionCall<P, R>, params: P): string {
  const text = textOf(params);
  const bytes = bytesOf(text);
  if (bytes <= call.maxBytes) return text;
  throw new TangazaError(
    'BODY_TOO_LARGE',
    `The call ${call.name} to another region has ${bytes} bytes, and ${call.maxBytes} may cross: send less.`,
  );
}

/** @throws TangazaError `BAD_REQUEST` where the other region asks in a shape that this one does not know */
export function readParams<P, R>(call: RegionCall<P, R>, json: unknown): P {
  const parsed = call.params.safeParse(json === null ? undefined : json);
  if (parsed.success) return parsed.data;
  throw new TangazaError(
    'BAD_REQUEST',
    `The parameters of ${call.name} have another shape here: do both regions run the same version? ${parsed.error.issues[0]?.message ?? ''}`,
  );
}

/** An answer as text. One that is too long becomes an error, as a part of it would mislead. */
export function answerText<P, R>(call: RegionCall<P, R>, answer: Answer): string {
  const text = textOf(answer);
  const bytes = bytesOf(text);
  if ('error' in answer || bytes <= call.maxResultBytes + textOf({ result: 0 }).length) return text;
  return textOf(
    refusalOf(
      new TangazaError(
        'INTERNAL',
        `The answer to ${call.name} has ${bytes} bytes, and ${call.maxResultBytes} may cross.`,
      ),
    ),
  );
}

/** The details of unknown errors stay inside of the region. */
export function refusalOf(error: unknown): Answer {
  const code = errorCodeOf(error);
  const isKnown = error instanceof Error && 'code' in error && isErrorCode(error.code);
  const detail = isKnown ? error.message.slice(0, maxDetail) : '';
  const data = error instanceof TangazaError ? error.data : {};
  const isTold = Object.keys(data).length > 0 && bytesOf(textOf(data)) <= maxData;
  return { error: { code, detail, ...(isTold ? { data } : {}) } };
}

/**
 * @returns what the other region answered
 * @throws TangazaError what its node threw; `INTERNAL` for an answer in another shape
 */
export function readAnswer<P, R>(call: RegionCall<P, R>, json: unknown): R {
  const answer = Answer.safeParse(json);
  if (!answer.success) throw unreadable(call.name);
  if ('error' in answer.data) throw thrownBy(answer.data.error);
  const result = call.result.safeParse(answer.data.result);
  if (!result.success) throw unreadable(call.name);
  return result.data;
}

const unreadable = (name: string): TangazaError =>
  new TangazaError(
    'INTERNAL',
    `The answer to ${name} has another shape here: do both regions run the same version?`,
  );

function thrownBy(error: {
  readonly code: string;
  readonly detail: string;
  readonly data?: Record<string, unknown> | undefined;
}): TangazaError {
  const code: ErrorCode = isErrorCode(error.code) ? error.code : 'INTERNAL';
  const options = error.data === undefined ? {} : { data: error.data };
  return new TangazaError(code, error.detail === '' ? undefined : error.detail, options);
}

/** @returns undefined where it is too long to be told */
export function eventText<E>(event: RegionEvent<E>, body: E): string | undefined {
  const text = textOf(body);
  return bytesOf(text) <= event.maxBytes ? text : undefined;
}

/** @returns undefined for an event in a shape that this node does not know */
export function readEvent<E>(event: RegionEvent<E>, text: string): E | undefined {
  if (bytesOf(text) > event.maxBytes) return undefined;
  const parsed = event.event.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : undefined;
}
