/** Asks edges of a stream's home, as for an object, for what is read into memory and not stored (R5). */
import { isAbsence, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { RegionId } from '../../../cluster/model/ids.ts';
import type { EdgeElsewhere, Elsewhere } from '../../../cluster/region/elsewhere.ts';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { answerOfError, askInLine, type Answer, type LinePorts } from './ask-in-line.ts';
import type { Crossings } from './crossings.ts';
import type { EdgeAsked, FetchAcross } from './fetch-across.ts';
import type { SilentSources } from './silent-sources.ts';
import { sourcesFor } from './sources.ts';

export interface AskedPorts extends Pick<LinePorts, 'roundTripMs'> {
  readonly clock: Clock;
  readonly elsewhere: Pick<Elsewhere, 'edges'>;
  readonly fetchAcross: FetchAcross;
  readonly crossings: Crossings;
  readonly silent: SilentSources;
}

export interface AskedFor {
  readonly home: RegionId;
  /** It decides which edges are asked. */
  readonly name: string;
  /** With which the sentence begins that says where it lies. */
  readonly what: string;
}

/** For all edges together. */
const withinMs = 5000;
/** A picture is made, and archives are listed, before an edge sends anything. */
const silentMs = 1500;

/** @throws TangazaError with a 404 where the home says that it has it not; `OVERLOADED`; `UNAVAILABLE` where no edge of it gives it within 5 s */
export async function askEdges<Body>(
  { clock, elsewhere, silent, roundTripMs }: Omit<AskedPorts, 'fetchAcross' | 'crossings'>,
  { home, name, what }: AskedFor,
  get: (asked: EdgeAsked, signal: AbortSignal) => Promise<Body>,
): Promise<Body> {
  const refusals: TangazaError[] = [];
  const ask: LinePorts<Body>['ask'] = async ({ httpUrl }, signal, onBegin): Promise<Answer<Body>> => {
    try {
      return { kind: 'given', body: await get({ httpUrl, onBegin }, signal) };
    } catch (error) {
      if (error instanceof TangazaError) refusals.push(error);
      return answerOfError(error);
    }
  };
  // That an edge has too few decoders for all pictures says nothing about its objects, so a refusal is not noted.
  const onFault: LinePorts['onFault'] = (edge, fault) => {
    if (fault.kind === 'silent') silent.note(edge, fault);
  };
  const edges = elsewhere.edges().filter(({ region }) => region === home);
  const isSilent = (edge: EdgeElsewhere): boolean => silent.isSilent(edge);
  const sources = sourcesFor(name, edges, { home, isSilent });
  using late = abortAfter(clock, withinMs);
  const line = { clock, roundTripMs, silentMs, ask, onFault };
  const body = await askInLine(line, sources, late.signal).then(
    (given) => given.body,
    () => undefined, // time is over
  );
  if (body !== undefined) return body;
  throw (
    refusals.find(isAbsence) ??
    refusals.find(({ code }) => code === 'OVERLOADED') ??
    new TangazaError('UNAVAILABLE', `${what} lies in ${home}, which does not answer now.`)
  );
}
