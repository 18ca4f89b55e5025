/** An RTMP ingest on a disk store in a temporary folder, with an owner in memory that records what it is told. */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { IngestLimits } from '../../../actors/ingest/ingest-port.ts';
import { IngestSession } from '../../../actors/ingest/ingest-session.ts';
import { IngestSessions, type IngestSessionsPorts } from '../../../actors/ingest/ingest-sessions.ts';
import { defaultIngestLimits, openRtmpIngest } from '../../../actors/ingest/rtmp/rtmp-ingest.rtmp.ts';
import type { OwnerCalls } from '../../../actors/ingest/runner-ports.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { openDiskStore } from '../../../actors/segment-store/segment-store.disk.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import type { SourceOffer } from '../../../cluster/contract/index-records.ts';
import {
  AttachParams,
  DetachCall,
  InputCall,
  OfferParams,
  OpenPeriodParams,
  StandsStillParams,
  type AttachReply,
  type OpenPeriodReply,
  type StandsStillReply,
} from '../../../cluster/contract/stream-actions.ts';
import { type CloseSessionsParams } from '../../../cluster/contract/ingest-actions.ts';
import { TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { Epoch, NodeId, PeriodId, RenditionName, SessionId, StreamId } from '../../../cluster/model/ids.ts';
import { noMetrics } from '../../../cluster/observe/metrics.ts';
import { systemClock } from '../../../cluster/time/clock.system.ts';
import { recordingLogger, type LogLine } from './rtmp-recorder.ts';
import { waitForEvents } from '../wait.ts';

const videoName = RenditionName.parse('source');
const audioName = RenditionName.parse('aac-96k');
/** Where publishers are sent. */
export const otherIngest = 'rtmp://other.test/live';

/** One session for each stream, every period a new one, every offer taken; parameters are parsed as over the wire. */
export class RecordingOwner extends EventEmitter implements OwnerCalls {
  readonly attached: AttachParams[] = [];
  readonly periods: { readonly id: PeriodId; readonly params: OpenPeriodParams }[] = [];
  readonly offers: { readonly streamId: StreamId; readonly offer: SourceOffer; readonly epoch: number }[] =
    [];
  readonly inputs: InputCall[] = [];
  readonly detached: DetachCall[] = [];
  readonly closed: CloseSessionsParams[] = [];
  readonly looks: StandsStillParams[] = [];
  /** Called before every call but `attach` and `detach`; throws what the owner shall answer. */
  fault: (call: 'openPeriod' | 'offer' | 'input', epoch: number | undefined) => void = () => {};
  /** What input reports are answered with. */
  feedsElsewhere = false;
  /** An epoch that `attach` gives. */
  epoch = 1;
  /** Lets a newcomer supersede the session that is there. */
  supersedes = false;
  readonly #live = new Map<StreamId, SessionId>();

  attach(raw: AttachParams): Promise<AttachReply> {
    const params = AttachParams.parse(raw);
    const incumbent = this.#live.get(params.streamId);
    const isOther = incumbent !== undefined && incumbent !== params.sessionId;
    if (isOther && !this.supersedes) return Promise.reject(new TangazaError('STREAM_BUSY'));
    this.#live.set(params.streamId, params.sessionId);
    this.attached.push(params);
    this.emit('change');
    const epoch = Epoch.parse(this.epoch);
    return Promise.resolve(
      isOther ? { epoch, supersedes: { sessionId: incumbent, node: params.node } } : { epoch },
    );
  }

  openPeriod(raw: OpenPeriodParams): Promise<OpenPeriodReply> {
    const params = OpenPeriodParams.parse(raw);
    return this.#answer('openPeriod', params.epoch, () => {
      const id = PeriodId.parse(this.periods.length + 1);
      this.periods.push({ id, params });
      const video = params.video === undefined ? {} : { video: videoName };
      const audio = params.audio === undefined ? {} : { audio: audioName };
      return { period: id, offset90k: 0, ...video, ...audio };
    });
  }

  offer(raw: OfferParams): Promise<unknown> {
    const { streamId, offer, epoch } = OfferParams.parse(raw);
    return this.#answer('offer', epoch, () => {
      this.offers.push({ streamId, offer, epoch });
      return { state: 'accepted' };
    });
  }

  input(raw: InputCall): Promise<unknown> {
    const input = InputCall.parse(raw);
    return this.#answer('input', input.epoch, () => {
      this.inputs.push(input);
      return { sequence: this.offers.length, feedsElsewhere: this.feedsElsewhere };
    });
  }

  detach(raw: DetachCall): Promise<unknown> {
    const params = DetachCall.parse(raw);
    if (this.#live.get(params.streamId) === params.sessionId) this.#live.delete(params.streamId);
    this.detached.push(params);
    this.emit('change');
    return Promise.resolve();
  }

  standsStill(raw: StandsStillParams): Promise<StandsStillReply> {
    this.looks.push(StandsStillParams.parse(raw));
    this.emit('change');
    return Promise.resolve({});
  }

  closeSessions(_node: NodeId, params: CloseSessionsParams): Promise<unknown> {
    this.closed.push(params);
    return Promise.resolve();
  }

  /** Resolves when the condition holds, looked at after every call. */
  async until(holds: () => boolean): Promise<void> {
    await waitForEvents(holds.toString(), holds, () => once(this, 'change'));
  }

  offersOf(stream: string): readonly SourceOffer[] {
    return this.offers.filter(({ streamId }) => streamId === stream).map(({ offer }) => offer);
  }

  #answer<T>(call: 'openPeriod' | 'offer' | 'input', epoch: number | undefined, answer: () => T): Promise<T> {
    try {
      this.fault(call, epoch);
      return Promise.resolve(answer());
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    } finally {
      queueMicrotask(() => this.emit('change'));
    }
  }
}

export interface RigOptions {
  readonly limits?: Partial<IngestLimits>;
  /** Wraps the disk store, to make it fail. */
  readonly wrapStore?: (store: SegmentStore) => SegmentStore;
  /** In place of a check that takes `key-{stream id}`. */
  readonly authenticate?: IngestSessionsPorts['authenticate'];
}

const keysNamedAfterStreams: IngestSessionsPorts['authenticate'] = (key) => {
  const id = StreamId.safeParse(key.slice(4));
  return key.startsWith('key-') && id.success
    ? Promise.resolve({ streamId: id.data, ladder: 'default' })
    : Promise.reject(new TangazaError('STREAM_KEY_UNKNOWN'));
};

/** Stream keys are `key-{stream id}`. */
export class IngestRig implements AsyncDisposable {
  readonly port: number;
  readonly owner: RecordingOwner;
  readonly sessions: IngestSessions;
  readonly store: SegmentStore;
  readonly lines: LogLine[];
  readonly stop: () => Promise<void>;
  /** Where the disk store lies. */
  readonly folder: string;

  private constructor(
    parts: Pick<IngestRig, 'port' | 'owner' | 'sessions' | 'store' | 'lines' | 'stop' | 'folder'>,
  ) {
    this.port = parts.port;
    this.owner = parts.owner;
    this.sessions = parts.sessions;
    this.store = parts.store;
    this.lines = parts.lines;
    this.stop = parts.stop;
    this.folder = parts.folder;
  }

  static async start({
    limits,
    wrapStore = (store) => store,
    authenticate = keysNamedAfterStreams,
  }: RigOptions = {}): Promise<IngestRig> {
    const folder = await mkdtemp(join(tmpdir(), 'tangaza-ingest-'));
    const lines: LogLine[] = [];
    const logger = recordingLogger(lines);
    const common = { clock: systemClock, metrics: noMetrics, logger };
    const store = await openDiskStore({ folder, reserveBytes: 0, ...common });
    const owner = new RecordingOwner();
    const sessions = new IngestSessions({
      ...common,
      node: NodeId.parse('node-1'),
      store: wrapStore(store),
      stream: owner,
      otherIngest: () => otherIngest,
      authenticate,
      newSessionId: () => SessionId.parse(randomUUID()),
      newSession: () => new IngestSession(),
    });
    const ingest = openRtmpIngest({
      host: '127.0.0.1',
      port: 0,
      limits: { ...defaultIngestLimits, ...limits },
      ...common,
    });
    const stopTicks = systemClock.every(100, () => sessions.tick());
    const { port } = await ingest.start(sessions);
    const stop = async (): Promise<void> => {
      await ingest.stop();
      await sessions.drain(4000);
      stopTicks();
    };
    return new IngestRig({ port, owner, sessions, store, lines, stop, folder });
  }

  /** Resolves when the stream's session has offered all it had and is detached. */
  async finished(stream: string, times = 1): Promise<readonly SourceOffer[]> {
    await this.owner.until(
      () => this.owner.detached.filter(({ streamId }) => streamId === stream).length >= times,
    );
    return this.owner.offersOf(stream);
  }

  /** Init segment and segments of a track, as one file that ffprobe reads. */
  async trackOf(stream: string, kind: 'video' | 'audio', period = 1): Promise<Buffer> {
    const rendition = kind === 'video' ? videoName : audioName;
    const place = { stream: StreamId.parse(stream), period: PeriodId.parse(period), rendition };
    const opened = this.owner.periods.find(({ id }) => id === period)?.params;
    const init = opened?.[kind]?.init;
    if (init === undefined) throw new Error(`period ${period} has no ${kind}`);
    const parts = [await this.store.get(initKey(place, init.sha256))];
    for (const offer of this.owner.offersOf(stream).filter((one) => one.period === period)) {
      const media = offer[kind];
      if (media !== undefined)
        parts.push(await this.store.get(segmentKey(place, media.startTime, media.sha256)));
    }
    return Buffer.concat(parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
