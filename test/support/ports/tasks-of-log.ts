/** The tasks that an owner emitted for what its log has committed, to be run a second time. */
import { isPresent, type IndexEntry, type StoredMedia } from '../../../cluster/contract/index-records.ts';
import type { InitSegment, VideoRendition } from '../../../cluster/contract/renditions.ts';
import { TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import { StreamId } from '../../../cluster/model/ids.ts';

export interface CommittedTask {
  readonly task: TranscodeTask;
  /** By rendition: what the log says that the task gave. */
  readonly committed: Readonly<Record<string, StoredMedia>>;
}

export interface LoggedWork {
  readonly tasks: readonly CommittedTask[];
  /** By rendition: the period's reference. */
  readonly inits: Readonly<Record<string, InitSegment>>;
  readonly fingerprint: string;
}

/** Of the log's last period; without reference inits, so that the second run makes its own. */
export function workOf(stream: string, entries: readonly IndexEntry[]): LoggedWork {
  const opening = entries.findLast(({ record }) => record.kind === 'clock');
  if (opening?.record.kind !== 'clock') throw new Error('the log opens no period');
  const { sequence: period, record: clock } = opening;
  const records = entries.map(({ record }) => record);
  const commits = records.flatMap((record) =>
    record.kind === 'commit' && record.period === period ? [record] : [],
  );
  const sources = records.flatMap((record) =>
    record.kind === 'source' && record.period === period ? [record] : [],
  );
  const rungs = clock.renditions.filter((one) => one.kind === 'video');
  const encoded = rungs.filter(({ origin }) => origin.kind === 'encode');
  const tasks = commits.flatMap((commit) => {
    const source = sources.find(({ start90k }) => start90k === commit.start90k);
    if (source?.video === undefined) throw new Error(`no source of ${commit.start90k} in the log`);
    const { video, start90k, duration90k, times90k } = source;
    const rendition = rungs.find(({ name }) => name === video.rendition);
    if (rendition?.init === undefined) throw new Error(`no init of ${video.rendition} in the log`);
    const place = { stream: StreamId.parse(stream), period: source.period, rendition: video.rendition };
    const about = {
      attempt: 1,
      region: source.region,
      streamId: stream,
      period,
      epoch: source.epoch,
      owner: source.node,
      start90k,
      duration90k,
      times90k,
      sourceFrameRate: rendition.frameRate,
      inits: {},
      source: {
        key: segmentKey(place, video.startTime, video.sha256),
        initKey: initKey(place, rendition.init.sha256),
        sha256: video.sha256,
        bytes: video.bytes,
      },
      fingerprint: clock.fingerprint,
      budgetMs: 20_000,
    };
    const groups: readonly (readonly [string, readonly VideoRendition[]])[] = [
      ['lowest', encoded.slice(-1)],
      ['upper', encoded.slice(0, -1)],
    ];
    return groups.flatMap(([group, renditions]) => {
      const present = renditions.flatMap(({ name }) => {
        const media = commit.renditions[name];
        return isPresent(media) ? [[name, media] as const] : [];
      });
      if (present.length === 0) return [];
      const task = TranscodeTask.parse({
        ...about,
        taskId: `${stream}/${period}/${start90k}/${group}`,
        group,
        renditions,
      });
      return [{ task, committed: Object.fromEntries(present) }];
    });
  });
  const inits = Object.fromEntries(commits.flatMap((commit) => Object.entries(commit.inits ?? {})));
  return { tasks, inits, fingerprint: clock.fingerprint };
}
