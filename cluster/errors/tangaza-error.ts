/** An error with a code of the catalogue. The code survives the wire, where Moleculer drops classes. */
import { catalogue, isErrorCode, type ErrorCode } from './catalogue.ts';

export class TangazaError extends Error {
  override readonly name = 'TangazaError';
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>>;

  /** @param detail says what is wrong, with which thing, and what the reader can do */
  constructor(
    code: ErrorCode,
    detail?: string,
    options: { data?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail ?? catalogue[code].title, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  /** Moleculer reads this when the error crosses the wire. */
  get type(): string {
    return this.code;
  }

  get retryable(): boolean {
    return catalogue[this.code].retry !== 'never';
  }
}

/** The catalogue code of an error, also of one that crossed the wire. Any other error is `INTERNAL`. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (typeof error !== 'object' || error === null) return 'INTERNAL';
  if ('code' in error && isErrorCode(error.code)) return error.code;
  return 'type' in error && isErrorCode(error.type) ? error.type : 'INTERNAL';
}

/** Whether an error says that something is not there: a 404. */
export const isAbsence = (error: unknown): boolean => catalogue[errorCodeOf(error)].status === 404;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
}

/** Makes the problem document (RFC 9457) of an error. The details of unknown errors stay inside the node. */
export function problemOf(error: unknown): Problem {
  const code = errorCodeOf(error);
  const { status, title } = catalogue[code];
  const type = `https://tangaza.dev/errors/${code.toLowerCase().replaceAll('_', '-')}`;
  const detail =
    code !== 'INTERNAL' && error instanceof Error && error.message !== title ? error.message : undefined;
  return { type, title, status, code, ...(detail === undefined ? {} : { detail }) };
}
