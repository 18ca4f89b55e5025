/** Gets objects from edges of other regions, over HTTP: no more bytes than are wanted, and in time (R5). */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { isErrorCode, type ErrorCode } from '../../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { abortAfter } from '../../../cluster/time/clock.ts';
import { archivesPath, objectPath } from './crossing-paths.ts';
import type { EdgeAsked, FetchAcross } from './fetch-across.ts';
import { hashHeader, mostArchives } from './object-door.ts';
import { makePass } from './object-pass.ts';

interface FetchOptions {
  readonly clock: Clock;
  /** The region that asks. */
  readonly region: RegionId;
  readonly passKey: Buffer;
}

const withinMs = 5000;
const mostProblemBytes = 4096;
const mostListBytes = 400_000;
const ofObjects = ['SEGMENT_NOT_FOUND'] as const;
const ofPictures = ['NOT_FOUND', 'STREAM_NOT_LIVE'] as const;
const Problem = z.object({ code: z.string() });
const Keys = z.array(z.string().max(200)).max(mostArchives);

export function httpFetchAcross(options: FetchOptions): FetchAcross {
  return {
    object: ({ key, ...asked }, signal) => get(options, { ...asked, path: objectPath(key) }, signal),
    picture: ({ stream, ...asked }, signal) =>
      get(options, { ...asked, path: `/live/${stream}/thumbnail.jpg`, absences: ofPictures }, signal),
    archives: async ({ stream, ...asked }, signal) => {
      const path = archivesPath(stream);
      const body = await get(options, { ...asked, path, mostBytes: mostListBytes }, signal);
      return Keys.parse(JSON.parse(new TextDecoder().decode(body)));
    },
  };
}

interface Asked extends EdgeAsked {
  readonly path: string;
  readonly mostBytes: number;
  /** The codes by which an edge says that it has not what is asked of it. */
  readonly absences?: readonly ErrorCode[];
}

async function get(
  { clock, region, passKey }: FetchOptions,
  { httpUrl, path, mostBytes, onBegin, absences = ofObjects }: Asked,
  signal: AbortSignal,
): Promise<Uint8Array> {
  using late = abortAfter(clock, withinMs);
  const authorization = makePass(passKey, region, path, clock.utcMs());
  const reply = await fetch(`${httpUrl}${path}`, {
    headers: { authorization },
    redirect: 'error',
    signal: AbortSignal.any([late.signal, signal]),
  });
  if (reply.status !== 200) throw await refusal(reply, httpUrl, absences);
  onBegin?.();
  const body = await read(reply, mostBytes);
  const told = reply.headers.get(hashHeader);
  if (told !== null && told !== hash('sha256', body))
    throw new TangazaError('UNAVAILABLE', `${httpUrl} sent other bytes of ${path} than it has.`);
  return body;
}

/** An absence only where the edge says so by its code: any other 404 may come from something that stands before it. */
async function refusal(
  reply: Response,
  httpUrl: string,
  absences: readonly ErrorCode[],
): Promise<TangazaError> {
  const text = await read(reply, mostProblemBytes)
    .then((body) => new TextDecoder().decode(body))
    .catch(() => '');
  const code = problemCode(text);
  return code !== undefined && absences.includes(code)
    ? new TangazaError(code)
    : new TangazaError(
        code === 'OVERLOADED' ? code : 'UNAVAILABLE',
        `${httpUrl} answers ${reply.status} ${code ?? ''}`.trimEnd(),
      );
}

function problemCode(text: string): ErrorCode | undefined {
  try {
    const problem = Problem.safeParse(JSON.parse(text));
    return problem.success && isErrorCode(problem.data.code) ? problem.data.code : undefined;
  } catch {
    return undefined;
  }
}

/** @throws TangazaError `UNAVAILABLE` for a body over the bound, which is not read to its end */
async function read(reply: Response, mostBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes)
      throw new TangazaError('UNAVAILABLE', `The reply has more than ${mostBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
