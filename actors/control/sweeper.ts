/**
 * Makes room in the region's store: deletes what is too old and what no commit ever named (M5, expiry.ts).
 *
 * It goes stream by stream, so that only one stream's keys are in memory. It reads the log before it lists the
 * archives: an owner archives before it purges, so what leaves the log in between is in an archive already (C7). It
 * lists the media last: what was stored or committed since is younger than the ten minutes that an object may wait.
 */
import type { MemberDirectory } from '../../cluster/membership/member-directory.ts';
import { StreamId, type NodeId, type RegionId } from '../../cluster/model/ids.ts';
import type { Logger } from '../../cluster/observe/logger.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { IndexLog } from '../../cluster/log/index-log.ts';
import type { Clock } from '../../cluster/time/clock.ts';
import { applyEntry, emptyTimeline } from '../media/timeline/fold.ts';
import { fromSnapshot } from '../media/timeline/snapshot.ts';
import { archivePrefix, parseArchiveKey } from '../segment-store/archive-key.ts';
import { fateOf, streamOfMedia, sweep, uncommittedMs } from '../segment-store/expiry.ts';
import type { SegmentStore } from '../segment-store/segment-store.ts';
import { addNamedKeys, isLogWhole, isSweeper, splitArchives, type StoredArchive } from './sweep-plan.ts';

export interface SweeperPorts {
  readonly node: NodeId;
  readonly region: RegionId;
  readonly clock: Clock;
  readonly members: Pick<MemberDirectory, 'list'>;
  readonly log: IndexLog;
  readonly store: SegmentStore;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly retentionSeconds: number;
}

export interface SweepReport {
  readonly streams: number;
  /** Streams that kept every object, because nobody knows what they name (expiry.ts E1). */
  readonly unknown: number;
  readonly expired: number;
  readonly uncommitted: number;
  readonly archives: number;
  readonly bytes: number;
}

export const sweepEveryMs = 600_000;

type Naming =
  | { readonly kind: 'known'; readonly keys: ReadonlySet<string>; readonly expired: readonly StoredArchive[] }
  | { readonly kind: 'unknown'; readonly why: string };

export class Sweeper {
  readonly #ports: SweeperPorts;
  readonly #abort = new AbortController();
  readonly #objects;
  readonly #bytes;
  readonly #unknown;
  readonly #failures;
  #stopTimer: (() => void) | undefined;

  constructor(ports: SweeperPorts) {
    this.#ports = ports;
    const { metrics } = ports;
    this.#objects = metrics.counter({
      name: 'tangaza_sweep_deleted_objects_total',
      help: 'Objects that the sweeper deleted from the store: expired, uncommitted, archive.',
      labels: ['fate'],
    });
    this.#bytes = metrics.counter({
      name: 'tangaza_sweep_deleted_bytes_total',
      help: 'Bytes of media that the sweeper deleted.',
    });
    this.#unknown = metrics.gauge({
      name: 'tangaza_sweep_unknown_streams',
      help: 'Streams that the last sweep left alone, as their log or an archive could not be read.',
    });
    this.#failures = metrics.counter({
      name: 'tangaza_sweep_failures_total',
      help: 'Sweeps that the store ended.',
    });
  }

  start(): void {
    this.#stopTimer ??= this.#ports.clock.every(sweepEveryMs, () => this.#turn());
  }

  stop(): void {
    this.#stopTimer?.();
    this.#abort.abort();
  }

  async #turn(): Promise<void> {
    const { node, region, members, logger } = this.#ports;
    if (!isSweeper(node, region, members.list().members)) return;
    try {
      const report = await this.sweepAll();
      logger.info(report, 'the store was swept');
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#failures.add(1);
      logger.warn({ err: error }, 'could not sweep the store; the next sweep goes on');
    }
  }

  /** Sweeps every stream that has something in the store. @throws as the store's `list` and `delete` */
  async sweepAll(): Promise<SweepReport> {
    let report: SweepReport = { streams: 0, unknown: 0, expired: 0, uncommitted: 0, archives: 0, bytes: 0 };
    for (const stream of await this.#streams()) report = await this.#sweepStream(stream, report);
    this.#unknown.set(report.unknown);
    return report;
  }

  async #streams(): Promise<ReadonlySet<StreamId>> {
    const streams = new Set<StreamId>();
    let last: string | undefined;
    for await (const { key } of this.#ports.store.list('', this.#abort.signal)) {
      const name = streamOfMedia(key);
      if (name === undefined || name === last) continue;
      last = name;
      const id = StreamId.safeParse(name);
      if (id.success) streams.add(id.data);
    }
    return streams;
  }

  async #sweepStream(stream: StreamId, before: SweepReport): Promise<SweepReport> {
    const { store, clock, retentionSeconds, logger } = this.#ports;
    const { signal } = this.#abort;
    const naming = await this.#namedBy(stream);
    if (naming.kind === 'unknown') {
      logger.warn(
        { stream, why: naming.why },
        'this stream keeps all its objects, because nobody knows what its log names',
      );
      return { ...before, streams: before.streams + 1, unknown: before.unknown + 1 };
    }
    const rules = {
      nowMs: clock.utcMs(),
      retentionMs: retentionSeconds * 1000,
      uncommittedMs,
      committedKeys: (name: string) => (name === stream ? naming.keys : undefined),
    };
    const result = await sweep(store, (object) => fateOf(object, rules), { prefix: `${stream}/`, signal });
    await store.delete(
      naming.expired.map(({ key }) => key),
      signal,
    );
    const { expired, uncommitted } = result.deleted;
    this.#objects.add(expired, { fate: 'expired' });
    this.#objects.add(uncommitted, { fate: 'uncommitted' });
    this.#objects.add(naming.expired.length, { fate: 'archive' });
    this.#bytes.add(result.deletedBytes);
    return {
      streams: before.streams + 1,
      unknown: before.unknown,
      expired: before.expired + expired,
      uncommitted: before.uncommitted + uncommitted,
      archives: before.archives + naming.expired.length,
      bytes: before.bytes + result.deletedBytes,
    };
  }

  /** What the stream's log and its archives name, or why nobody knows. */
  async #namedBy(stream: StreamId): Promise<Naming> {
    const { log, clock, retentionSeconds } = this.#ports;
    const entries = await log.read(stream).catch(() => undefined);
    if (entries === undefined) return { kind: 'unknown', why: 'the log cannot be read' };
    const timeline = entries.reduce(applyEntry, emptyTimeline());
    const archives = await this.#listArchives(stream);
    if (!isLogWhole(timeline, archives))
      return { kind: 'unknown', why: 'the log is empty or ends before an archive' };
    const { kept, expired } = splitArchives(archives, {
      nowMs: clock.utcMs(),
      retentionMs: retentionSeconds * 1000,
    });
    const keys = new Set<string>();
    addNamedKeys(keys, stream, timeline);
    for (const { key } of kept) {
      if (!(await this.#addArchive(keys, stream, key)))
        return { kind: 'unknown', why: `${key} cannot be read` };
    }
    return { kind: 'known', keys, expired };
  }

  async #listArchives(stream: StreamId): Promise<readonly StoredArchive[]> {
    const archives: StoredArchive[] = [];
    for await (const { key, storedAtMs } of this.#ports.store.list(
      archivePrefix(stream),
      this.#abort.signal,
    )) {
      const name = parseArchiveKey(key);
      if (name !== undefined) archives.push({ ...name, storedAtMs });
    }
    return archives;
  }

  async #addArchive(keys: Set<string>, stream: StreamId, key: string): Promise<boolean> {
    try {
      const body = await this.#ports.store.get(key, this.#abort.signal);
      const timeline = fromSnapshot(JSON.parse(new TextDecoder().decode(body)));
      if (timeline !== undefined) addNamedKeys(keys, stream, timeline);
      return timeline !== undefined;
    } catch {
      return false;
    }
  }
}
