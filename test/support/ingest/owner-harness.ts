/** A stream owner with a log, a queue and workers that the test commands: pure, and on a clock of the test's. */
import type {
  ClockRecord,
  IndexEntry,
  IndexRecord,
  SourceOffer,
} from '../../../cluster/contract/index-records.ts';
import type {
  AttachParams,
  FeedingSession,
  OpenPeriodParams,
  OpenPeriodReply,
} from '../../../cluster/contract/stream-actions.ts';
import type { SourceVideo } from '../../../cluster/contract/contribution.ts';
import type { TaskReport, TranscodeTask } from '../../../cluster/contract/transcode-task.ts';
import { Epoch, NodeId, PeriodId, RenditionName, SessionId } from '../../../cluster/model/ids.ts';
import { parseLadder } from '../../../actors/media/ladder/ladder.ts';
import { toSnapshot } from '../../../actors/media/timeline/snapshot.ts';
import type { FoldedTimeline } from '../../../actors/media/timeline/timeline.ts';
import { createOwner, decide } from '../../../actors/stream/owner/owner.ts';
import type { Command, Effect, OwnerSettings, OwnerState } from '../../../actors/stream/owner/owner-state.ts';
import { by, region, sha, stream } from '../ports/records.ts';

const rung = (height: number, maxrateBps: number) => ({
  height,
  maxrateBps,
  crf: 24,
  preset: 'veryfast',
  profile: 'high',
});
export const ladder = parseLadder('test', {
  rungs: [rung(480, 1_400_000), rung(360, 800_000), rung(240, 400_000)],
});

export const settings: OwnerSettings = {
  ladders: new Map([['default', ladder]]),
  fingerprint: 'test',
  endAfterMs: 60_000,
  dvrWindowMs: 60_000,
  retentionMs: 3_600_000,
  maxLogRecords: 10_000,
  aheadMs: () => 0,
};

export const sourceVideo: SourceVideo = {
  codec: 'h264',
  codecs: 'avc1.64001f',
  width: 1280,
  height: 720,
  sampleAspectRatio: [1, 1],
  frameRate: [30, 1],
  bitDepth: 8,
  bitrateBps: 2_500_000,
  init: { sha256: sha('a0'), bytes: 800 },
};
export const sourceAudio = {
  codecs: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
  samplesPerFrame: 1024,
  bitrateBps: 128_000,
  init: { sha256: sha('aa'), bytes: 700 },
};

const utcZeroMs = 1_700_000_000_000;
type LogMode = 'up' | 'held' | 'silent' | 'ackLost';
export type Answer = { readonly value: unknown } | { readonly code: string; readonly detail: string };

export interface HarnessOptions {
  /** What is known beyond `entries` (C7). */
  readonly beyond?: FoldedTimeline;
  readonly settings?: Partial<OwnerSettings>;
  readonly entries?: readonly IndexEntry[];
  readonly epoch?: number;
  readonly bootId?: string;
  /** Of the owner that gave the stream away. */
  readonly feeding?: readonly FeedingSession[];
}

export class OwnerHarness {
  nowMs = 1_000_000;
  /** `held`: appends wait; `silent`: nothing answers; `ackLost`: stored, but told as unavailable. */
  logMode: LogMode = 'up';
  /** So many free slots has this node's own worker, which takes tasks while the queue is silent. */
  ownSlots = 0;
  /** It takes no task. */
  isQueueFull = false;
  readonly log: IndexEntry[];
  readonly tasks: TranscodeTask[] = [];
  readonly effects: Effect[] = [];
  readonly answers = new Map<number, Answer>();
  readonly held: { readonly record: IndexRecord; readonly expectedSequence: number }[] = [];
  /** Checkpoints and archives, by key. */
  readonly stored = new Map<string, unknown>();
  isStoreDown = false;
  /** It answers nothing. */
  isStoreSilent = false;
  state: OwnerState;
  #replies = 0;

  constructor({
    settings: change,
    entries,
    epoch = 1,
    bootId = 'b1',
    feeding = [],
    beyond,
  }: HarnessOptions = {}) {
    const open: IndexRecord = { kind: 'open', ...by({ epoch, bootId, recordId: `open-${epoch}` }) };
    const before = entries ?? [];
    this.log = [...before, { sequence: (before.at(-1)?.sequence ?? 0) + 1, record: open }];
    const self = {
      stream,
      region,
      node: NodeId.parse('n1'),
      bootId: by({ bootId }).bootId,
      epoch: Epoch.parse(epoch),
    };
    this.state = createOwner(
      { self, settings: { ...settings, ...change }, reason: 'test', entries: this.log, feeding, beyond },
      this.now,
    );
    this.do({ kind: 'tick' });
  }

  get now() {
    return { utcMs: utcZeroMs + this.nowMs, runningMs: this.nowMs };
  }

  /** Records after the `open`. */
  get records(): readonly IndexRecord[] {
    return this.log.map((entry) => entry.record);
  }

  ofKind<K extends IndexRecord['kind']>(kind: K): readonly Extract<IndexRecord, { kind: K }>[] {
    return this.records.filter((record): record is Extract<IndexRecord, { kind: K }> => record.kind === kind);
  }

  counted(event: string): number {
    return this.effects.reduce(
      (sum, effect) => sum + (effect.kind === 'count' && effect.event === event ? effect.by : 0),
      0,
    );
  }

  has(kind: Effect['kind']): boolean {
    return this.effects.some((effect) => effect.kind === kind);
  }

  do(command: Command): void {
    const { state, effects } = decide(this.state, command, this.now);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
  }

  /** Lets time pass in ticks of 100 ms. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.nowMs += Math.min(100, ms - passed);
      this.do({ kind: 'tick' });
    }
  }

  attach(id = 's1', change: Partial<AttachParams> = {}): Answer | undefined {
    const sessionId = SessionId.parse(id);
    const params = {
      streamId: stream,
      sessionId,
      node: NodeId.parse('n1'),
      remoteAddress: '10.0.0.1',
      priority: 0,
      ladder: 'default',
    };
    return this.ask((reply) => ({ kind: 'attach', params: { ...params, ...change }, reply }));
  }

  openPeriod(id = 's1', change: Partial<OpenPeriodParams> = {}): Answer | undefined {
    const params: OpenPeriodParams = {
      streamId: stream,
      sessionId: SessionId.parse(id),
      epoch: this.state.self.epoch,
      sequenceHeaderHash: sha('5e'),
      connectionZeroMs: 0,
      wallZeroMs: this.now.utcMs,
      video: sourceVideo,
      audio: sourceAudio,
    };
    return this.ask((reply) => ({ kind: 'openPeriod', params: { ...params, ...change }, reply }));
  }

  /** Attaches and opens; returns the period. */
  begin(id = 's1', change: Partial<OpenPeriodParams> = {}): PeriodId {
    this.attach(id);
    const answer = this.openPeriod(id, change);
    return PeriodId.parse(valueOf<OpenPeriodReply>(answer).period);
  }

  /** The n-th segment of 2 s, 60 pictures. */
  segment(period: PeriodId, index: number, change: Partial<SourceOffer> = {}): SourceOffer {
    const start90k = index * 180_000;
    const hash = (index % 200).toString(16).padStart(4, '0');
    return {
      sessionId: SessionId.parse('s1'),
      period,
      start90k,
      duration90k: 180_000,
      video: {
        rendition: RenditionName.parse('h264-720p'),
        startTime: start90k,
        duration: 180_000,
        sha256: sha(`1${hash}`),
        bytes: 500_000,
        frames: 60,
      },
      audio: {
        rendition: RenditionName.parse('aac-128k'),
        startTime: index * 96_000,
        duration: 96_000,
        sha256: sha(`2${hash}`),
        bytes: 32_000,
        frames: 94,
      },
      times90k: Array.from({ length: 60 }, (_, picture) => picture * 3000),
      ...change,
    };
  }

  offer(offer: SourceOffer, epoch = this.state.self.epoch): Answer | undefined {
    return this.ask((reply) => ({ kind: 'offer', params: { streamId: stream, epoch, offer }, reply }));
  }

  started(task: TranscodeTask, worker = 'w1'): void {
    this.do({ kind: 'report', report: { kind: 'started', ...aboutTask(task, worker) } });
  }

  failed(task: TranscodeTask, worker = 'w1', code = 'TRANSCODE_FAILED', fingerprint = 'test'): void {
    this.do({
      kind: 'report',
      report: { kind: 'failed', ...aboutTask(task, worker), code, detail: 'test', fingerprint },
    });
  }

  returned(task: TranscodeTask, worker = 'w1'): void {
    this.do({ kind: 'report', report: { kind: 'returned', ...aboutTask(task, worker) } });
  }

  /** @param init tells outputs of different encoders apart */
  done(
    task: TranscodeTask,
    worker = 'w1',
    made: { readonly init?: string; readonly frames?: number } = {},
  ): void {
    this.do({ kind: 'report', report: doneReport(task, worker, made) });
  }

  /** Finishes every task that was emitted and not finished, in order. */
  finishTasks(from = 0): void {
    for (const task of this.tasks.slice(from)) this.done(task);
  }

  tasksOf(start90k: number, group?: string): readonly TranscodeTask[] {
    return this.tasks.filter(
      (task) => task.start90k === start90k && (group === undefined || task.group === group),
    );
  }

  /** Appends that waited go in, as if the log had been slow. */
  releaseHeld(): void {
    this.logMode = 'up';
    for (const { record, expectedSequence } of this.held.splice(0)) this.#append(record, expectedSequence);
  }

  /** Another owner's record, behind this one's back. */
  intrude(record: IndexRecord): void {
    this.log.push({ sequence: (this.log.at(-1)?.sequence ?? 0) + 1, record });
  }

  /** Its fold, as an edge would tell it. */
  snapshot(): unknown {
    return JSON.parse(JSON.stringify(toSnapshot(this.state.timeline)));
  }

  clock(): ClockRecord {
    const clock = this.ofKind('clock').at(-1);
    if (clock === undefined) throw new Error('no period was opened');
    return clock;
  }

  ask(question: (reply: number) => Command): Answer | undefined {
    this.#replies += 1;
    const reply = this.#replies;
    this.do(question(reply));
    return this.answers.get(reply);
  }

  #perform(effect: Effect): void {
    this.effects.push(effect);
    switch (effect.kind) {
      case 'append':
        return this.#append(effect.record, effect.expectedSequence);
      case 'readTail':
        return this.do(
          this.logMode === 'silent'
            ? { kind: 'tailUnreadable' }
            : { kind: 'tailRead', tail: this.log.at(-1), askedAt: effect.askedAt },
        );
      case 'purge': {
        const kept = this.log.filter((entry) => entry.sequence >= effect.belowSequence);
        this.log.splice(0, this.log.length, ...kept);
        return undefined;
      }
      case 'publishTask': {
        const { taskId, attempt } = effect.task;
        if (this.isQueueFull) return this.do({ kind: 'taskRefused', taskId, attempt, code: 'OVERLOADED' });
        if (this.logMode === 'silent' && this.ownSlots === 0)
          return this.do({ kind: 'taskRefused', taskId, attempt, code: 'LOG_UNAVAILABLE' });
        if (this.logMode === 'silent') this.ownSlots -= 1;
        this.tasks.push(effect.task);
        return this.do({ kind: 'taskPublished', taskId, attempt });
      }
      case 'reply':
        return void this.answers.set(effect.to, { value: effect.value });
      case 'refuse':
        return void this.answers.set(effect.to, { code: effect.code, detail: effect.detail });
      case 'archive':
        this.stored.set(effect.key, effect.body);
        return this.do({ kind: 'archived', firstNumber: effect.firstNumber });
      case 'checkpoint':
        return this.#checkpoint(effect);
      default:
        return undefined;
    }
  }

  #checkpoint({ key, body, made, supersedes }: Extract<Effect, { kind: 'checkpoint' }>): void {
    if (this.isStoreSilent) return undefined;
    if (this.isStoreDown) return this.do({ kind: 'checkpointFailed' });
    const isFree = !this.stored.has(key);
    if (isFree) this.stored.set(key, body);
    if (supersedes !== undefined) this.stored.delete(supersedes);
    return this.do({ kind: 'checkpointed', made, key: isFree ? key : undefined });
  }

  #append(record: IndexRecord, expectedSequence: number): void {
    const { recordId } = record;
    if (this.logMode === 'silent')
      return this.do({ kind: 'appendFailed', recordId, code: 'LOG_UNAVAILABLE' });
    if (this.logMode === 'held') return void this.held.push({ record, expectedSequence });
    const tail = this.log.at(-1)?.sequence ?? 0;
    if (tail !== expectedSequence) return this.do({ kind: 'appendFailed', recordId, code: 'FENCED' });
    this.log.push({ sequence: tail + 1, record });
    if (this.logMode === 'up') return this.do({ kind: 'appended', recordId, sequence: tail + 1 });
    this.logMode = 'up';
    return this.do({ kind: 'appendFailed', recordId, code: 'LOG_UNAVAILABLE' });
  }
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the test knows what it asked for
export function valueOf<T>(answer: Answer | undefined): T {
  if (answer === undefined || !('value' in answer))
    throw new Error(`not answered: ${JSON.stringify(answer)}`);
  return answer.value as T;
}

export function codeOf(answer: Answer | undefined): string | undefined {
  return answer !== undefined && 'code' in answer ? answer.code : undefined;
}

function aboutTask(task: TranscodeTask, worker: string) {
  const { streamId, taskId, attempt, epoch } = task;
  return { streamId, taskId, attempt, worker: NodeId.parse(worker), epoch };
}

/** What a worker reports of a finished task. */
export function doneReport(
  task: TranscodeTask,
  worker = 'w1',
  { init = 'f0', frames = task.times90k.length }: { readonly init?: string; readonly frames?: number } = {},
): TaskReport {
  const outputs = Object.fromEntries(
    task.renditions.map(({ name }, index) => [
      name,
      {
        startTime: task.start90k,
        duration: task.duration90k,
        sha256: sha(`3${index}`),
        bytes: 100_000,
        frames,
        init: { sha256: sha(init), bytes: 700 },
      },
    ]),
  );
  return { kind: 'done', ...aboutTask(task, worker), outputs, encodeMs: 300 };
}
