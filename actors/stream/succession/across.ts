/**
 * Asks the other regions before a publisher's stream begins here (R7): whether it is on air there, and how far it ever came.
 *
 * J1. A stream that is on air in another region is refused with the address of its encoder there. Where that region cannot be asked, or does not
 *     answer in time, what it said last holds, or what this region's log has of it.
 * J2. A node says that it claims before it asks, and that this is over once its `open` is written, for itself alone. So of two regions that claim at once at least one
 *     hears of the other. The one that is first in rendezvous order for the stream goes on claiming, and all others withdraw. Each waits until no
 *     rival claims, 2 s at most, and asks once more: a rival that was through already is on air by then. Then it goes on.
 * J3. The new epoch lies above every epoch that any region knows, and the fold of the highest one is gone on with. A region that does not answer
 *     300 ms beyond the round trip of the link is not waited for: what it knows comes in later, by its higher epoch or behind ours (R6).
 */
import {
  claiming,
  streamFold,
  streamHeads,
  type StreamHeads,
} from '../../../cluster/contract/regions/claims.ts';
import type { IndexEntry, IndexRecord, OpenRecord } from '../../../cluster/contract/index-records.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import type { Epoch, NodeId, RegionId, StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Counter } from '../../../cluster/observe/metrics.ts';
import { order } from '../../../cluster/partition/rendezvous.ts';
import type { Elsewhere } from '../../../cluster/region/elsewhere.ts';
import type { OtherRegions } from '../../../cluster/region/other-regions.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import type { HomeFold } from '../../media/timeline/graft.ts';
import { fromSnapshot } from '../../media/timeline/snapshot.ts';
import type { ClaimsHeard } from './claims-heard.ts';
import type { StreamOnAir } from '../../../cluster/contract/regions/on-air.ts';
import { regionNamed } from '../../../cluster/model/region-words.ts';

export interface AcrossPorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly others: OtherRegions;
  readonly elsewhere: Elsewhere;
  readonly heard: Pick<ClaimsHeard, 'rivals' | 'note' | 'onOver'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How claims went, by `outcome`. */
  readonly outcomes: Counter;
}

/** What other regions know of a stream that begins here. */
export interface Across {
  readonly epochs: readonly Epoch[];
  /** The branch of the highest epoch, as its region knows it. */
  readonly branch: OpenRecord['from'];
  /** The fold of the region that knows the highest epoch, if this region's log may lack something of it. */
  readonly furthest: (log: readonly IndexEntry[]) => Promise<HomeFold | undefined>;
  /** To be called once the `open` is written, or the claim has failed. Only the first call counts. */
  readonly done: () => void;
}

export const acrossTimes = {
  askMs: 300,
  maxRoundTripMs: 1000,
  rivalMs: 2000,
  foldMs: 5000,
} as const;

interface Answer extends StreamHeads {
  readonly region: RegionId;
}

/**
 * @param tail of this region's log
 * @throws TangazaError `STREAM_BUSY` with `data.region` and `data.ingest` (J1)
 */
export async function askAcross(
  stream: StreamId,
  tail: IndexEntry | undefined,
  ports: AcrossPorts,
): Promise<Across> {
  const { node, others, outcomes } = ports;
  const isReached = (id: RegionId): boolean =>
    others.links().some(({ region, isUp }) => region === id && isUp);
  let isTold = false;
  const tell = (isOver: boolean): void => {
    if (isTold || !isOver) others.publish(claiming, { stream, isOver, node });
    isTold = !isOver;
  };
  const done = (): void => tell(true);
  try {
    refuseUnheard(stream, { tail, isHeard: isReached }, ports);
    const answers = await askOnceFree(stream, { tail, tell }, ports);
    outcomes.add(1, { outcome: 'begins' });
    const hint = ports.elsewhere.homeOf(stream);
    const epochs = [...answers.flatMap(({ head, home }) => [head?.epoch, home?.epoch]), hint?.epoch].filter(
      (epoch) => epoch !== undefined,
    );
    const [first] = furthestFirst(answers, 0);
    const branch =
      first === undefined
        ? undefined
        : { region: first.region, epoch: first.head.epoch, number: first.head.nextNumber };
    return { epochs, branch, furthest: (log) => furthest(stream, { answers, log }, ports), done };
  } catch (error) {
    done();
    if (errorCodeOf(error) === 'STREAM_BUSY') outcomes.add(1, { outcome: 'busy' });
    throw error;
  }
}

/** Refuses what was on air in a region that is not heard, by what that said last or by what this log has of it (J1). */
function refuseUnheard(
  stream: StreamId,
  {
    tail,
    isHeard,
  }: { readonly tail: IndexEntry | undefined; readonly isHeard: (region: RegionId) => boolean },
  { elsewhere, clock }: AcrossPorts,
): void {
  const told = elsewhere.homeOf(stream);
  const home = told?.isOnAir === true ? told : told === undefined ? relayedHome(tail, clock) : undefined;
  if (home === undefined || isHeard(home.region)) return;
  const { region, rtmpUrl, ageMs } = home;
  const seconds = Math.round(ageMs / 1000);
  const where = rtmpUrl === '' ? `in ${region}` : `to ${rtmpUrl}`;
  throw busy(
    stream,
    home,
    `It was on air in ${regionNamed(region)} ${seconds} s ago, and ${region} does not answer now. Publish ${where}, or again once ${region} is reached.`,
  );
}

/** Where this log was relayed from, unless the broadcast ended there. */
function relayedHome(tail: IndexEntry | undefined, clock: Clock) {
  if (tail?.record.home === undefined || isEnd(tail.record)) return undefined;
  const { region, atMs } = tail.record;
  return { region, rtmpUrl: '', ageMs: Math.max(0, clock.utcMs() - atMs) };
}

/** Whether the broadcast is over with a record that was relayed last. A long backlog comes as one snapshot, its end included. */
const isEnd = (record: IndexRecord): boolean =>
  record.kind === 'end' || (record.kind === 'snapshot' && fromSnapshot(record.state)?.state === 'ended');

function refuseOnAir(stream: StreamId, answers: readonly Answer[]): void {
  const onAir = answers.flatMap(({ region, home }) => (home?.isOnAir === true ? [{ ...home, region }] : []));
  const [home] = onAir.toSorted((a, b) => b.epoch - a.epoch);
  if (home !== undefined) throw busy(stream, home, onAirThere(home));
}

const onAirThere = ({ region, rtmpUrl }: { region: RegionId; rtmpUrl: string }): string =>
  `It is on air in ${regionNamed(region)}. Publish to ${rtmpUrl}.`;

const busy = (
  stream: StreamId,
  { region, rtmpUrl }: Pick<StreamOnAir, 'rtmpUrl'> & { readonly region: RegionId },
  detail: string,
): TangazaError =>
  new TangazaError('STREAM_BUSY', `${stream}: ${detail}`, { data: { region, ingest: rtmpUrl } });

/** What the linked regions answer in time (J3). */
async function askAll(stream: StreamId, { others, logger }: AcrossPorts): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const asked = others
    .links()
    .filter(({ isUp }) => isUp)
    .map(async ({ region, roundTripMs = 0 }) => {
      const withinMs = acrossTimes.askMs + Math.min(Math.ceil(roundTripMs), acrossTimes.maxRoundTripMs);
      const options = { key: stream, withinMs };
      try {
        answers.push({ region, ...(await others.call(region, streamHeads, { stream }, options)) });
      } catch (error) {
        logger.warn(
          { stream, region, code: errorCodeOf(error) },
          'a region does not say what it knows of a stream',
        );
      }
    });
  await Promise.all(asked);
  return answers;
}

/** What other regions answer when none of them claims the stream any more (J2). @throws TangazaError `STREAM_BUSY` */
async function askOnceFree(
  stream: StreamId,
  { tail, tell }: { readonly tail: IndexEntry | undefined; readonly tell: (isOver: boolean) => void },
  ports: AcrossPorts,
): Promise<readonly Answer[]> {
  const { region: self, heard, logger, outcomes } = ports;
  const ask = async (): Promise<readonly Answer[]> => {
    tell(false);
    const answers = await askAll(stream, ports);
    refuseOnAir(stream, answers);
    refuseUnheard(stream, { tail, isHeard: (id) => answers.some(({ region }) => region === id) }, ports);
    return answers;
  };
  const answers = await ask();
  for (const { region, isClaiming } of answers) if (isClaiming) heard.note(region, stream);
  const rivals = heard.rivals(stream);
  if (rivals.length === 0) return answers;
  logger.info({ stream, rivals }, 'another region claims this stream as well: it may begin first');
  outcomes.add(1, { outcome: 'waited' });
  const claimants = [self, ...rivals].map((id) => ({ id, weight: 1 }));
  if (order(stream, claimants)[0]?.id !== self) tell(true);
  await noRival(stream, ports);
  return ask();
}

/** Waits until no other region claims the stream, 2 s at most. */
async function noRival(stream: StreamId, { heard, clock }: AcrossPorts): Promise<void> {
  const none = Promise.withResolvers<void>();
  const look = (): void => {
    if (heard.rivals(stream).length === 0) none.resolve();
  };
  const stop = heard.onOver(look);
  try {
    look();
    await within(none.promise, { clock, ms: acrossTimes.rivalMs, late: () => {} });
  } finally {
    stop();
  }
}

/** The fold of the region that knows the highest epoch; the home's own before one that relayed it (J3). It never throws. */
async function furthest(
  stream: StreamId,
  { answers, log }: { readonly answers: readonly Answer[]; readonly log: readonly IndexEntry[] },
  { others, logger }: AcrossPorts,
): Promise<HomeFold | undefined> {
  // The last record is this owner's own `open`.
  const known = Math.max(0, ...log.slice(0, -1).map(({ record }) => record.epoch));
  for (const { region } of furthestFirst(answers, known)) {
    try {
      const options = { key: stream, withinMs: acrossTimes.foldMs };
      const { fold } = await others.call(region, streamFold, { stream }, options);
      const timeline = fromSnapshot(fold);
      if (timeline?.bootId === undefined) continue;
      return { timeline, epoch: timeline.epoch, bootId: timeline.bootId };
    } catch (error) {
      logger.warn(
        { stream, region, code: errorCodeOf(error) },
        'could not read how far a stream came in another region; it begins behind what is known here',
      );
    }
  }
  return undefined;
}

/** Those that know no lower epoch; the home's own answer before one that relayed it. */
const furthestFirst = (answers: readonly Answer[], known: number) =>
  answers
    .flatMap(({ region, head, home }) =>
      head === undefined || head.epoch < known ? [] : [{ region, head, isHome: home !== undefined }],
    )
    .toSorted((a, b) => b.head.epoch - a.head.epoch || Number(b.isHome) - Number(a.isHome));
