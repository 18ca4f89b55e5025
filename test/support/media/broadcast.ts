/** A live stream as its owner and workers would make it: objects in a store, records in a log, hashes that are true. */
import { hash } from 'node:crypto';
import { initKey, segmentKey } from '../../../actors/segment-store/segment-key.ts';
import type { SegmentStore } from '../../../actors/segment-store/segment-store.ts';
import type { CommittedMedia, IndexRecord } from '../../../cluster/contract/index-records.ts';
import type { InitSegment, Rendition } from '../../../cluster/contract/renditions.ts';
import { PeriodId, RenditionName, Sha256, StreamId } from '../../../cluster/model/ids.ts';
import type { IndexLog } from '../../../cluster/log/index-log.ts';
import { by, clockRecord, openRecord, passThroughOnly } from '../ports/records.ts';

export interface BroadcastOptions {
  readonly log: IndexLog;
  readonly store: SegmentStore;
  readonly id?: string;
  /** Bytes of each video segment. */
  readonly bytes?: number;
  /** Media of the caller's instead of filler: by rendition. */
  readonly media?: Readonly<
    Record<
      string,
      { readonly rendition: Rendition; readonly init: Uint8Array; readonly segments: readonly Uint8Array[] }
    >
  >;
}

const segment90k = 180_000;

/** Repeatable filler that does not compress to nothing. */
export function filler(bytes: number, seed: string): Uint8Array {
  const block = Buffer.concat([hash('sha512', seed, 'buffer'), hash('sha512', `${seed}+`, 'buffer')]);
  return Buffer.alloc(bytes, block);
}

const sha256 = (body: Uint8Array): Sha256 => Sha256.parse(hash('sha256', body));

export class Broadcast {
  readonly id: StreamId;
  readonly #options: BroadcastOptions;
  #tail = 0;
  #number = 0;
  #storedAs: PeriodId | undefined;
  period = PeriodId.parse(1);

  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.id = StreamId.parse(options.id ?? 'demo');
  }

  get nextStart90k(): number {
    return this.#number * segment90k;
  }

  /** Somebody else appended: the next record expects this tail. */
  expectTail(sequence: number): void {
    this.#tail = sequence;
  }

  /** Opens the stream and its period. */
  async open(): Promise<this> {
    await this.#append(openRecord());
    const renditions = await Promise.all(this.#renditions().map((one) => this.#withInit(one)));
    const inits = renditions.map(({ rendition }) => rendition);
    const clock = clockRecord({}, { renditions: inits, availabilityStartMs: 1_700_000_000_000 });
    this.period = PeriodId.parse(await this.#append(clock));
    for (const { rendition, init } of renditions) {
      await this.#options.store.putIfAbsent(initKey(this.#place(rendition.name), sha256(init)), init);
    }
    return this;
  }

  /** The same media goes on in another period, stored as before (M7). */
  async reopen(): Promise<this> {
    const renditions = await Promise.all(this.#renditions().map((one) => this.#withInit(one)));
    this.#storedAs ??= this.period;
    const clock = clockRecord(
      {},
      {
        renditions: renditions.map(({ rendition }) => rendition),
        availabilityStartMs: 1_700_000_000_000,
        mediaZero90k: this.nextStart90k,
        presentationZero90k: this.nextStart90k,
        storedAs: this.#storedAs,
      },
    );
    this.period = PeriodId.parse(await this.#append(clock));
    return this;
  }

  async commit(count = 1): Promise<this> {
    for (let index = 0; index < count; index++) await this.commitOne();
    return this;
  }

  /** @param absent renditions that are missing from it */
  async commitOne(absent: readonly string[] = []): Promise<void> {
    const renditions: Record<string, CommittedMedia> = {};
    for (const rendition of this.#renditions()) {
      renditions[rendition.name] = absent.includes(rendition.name)
        ? { absent: 'late' }
        : await this.#store(rendition);
    }
    const place = {
      number: this.#number,
      period: this.period,
      start90k: this.nextStart90k,
      duration90k: segment90k,
    };
    await this.#append({ kind: 'commit', ...by(), ...place, renditions });
    this.#number++;
  }

  async gap(): Promise<void> {
    const place = {
      number: this.#number,
      period: this.period,
      start90k: this.nextStart90k,
      duration90k: segment90k,
    };
    await this.#append({ kind: 'gap', ...by(), ...place, reason: 'test' });
    this.#number++;
  }

  async end(): Promise<void> {
    await this.#append({ kind: 'end', ...by(), reason: 'test' });
  }

  /** Public path of the video segment with that index. */
  segmentPath(index: number, rendition = 'h264-240p'): string {
    return `/live/${this.id}/${this.period}/${rendition}/${index * segment90k}.m4s`;
  }

  body(index: number, name: string): Uint8Array {
    return (
      this.#options.media?.[name]?.segments[index] ??
      filler(this.#options.bytes ?? 10_000, `${this.id} ${name} ${index}`)
    );
  }

  #renditions(): readonly Rendition[] {
    const { media } = this.#options;
    return media === undefined ? passThroughOnly : Object.values(media).map(({ rendition }) => rendition);
  }

  async #withInit(rendition: Rendition): Promise<{ rendition: Rendition; init: Uint8Array }> {
    const init = this.#options.media?.[rendition.name]?.init ?? filler(800, `init ${rendition.name}`);
    const facts: InitSegment = { sha256: sha256(init), bytes: init.byteLength };
    return { rendition: { ...rendition, init: facts }, init };
  }

  async #store(rendition: Rendition): Promise<CommittedMedia> {
    const body = this.body(this.#number, rendition.name);
    const cut = (index: number): number => {
      if (rendition.kind === 'video') return index * segment90k;
      return (
        Math.round((index * 2 * rendition.timescale) / rendition.samplesPerFrame) * rendition.samplesPerFrame
      );
    };
    const startTime = cut(this.#number);
    const media = {
      startTime,
      duration: cut(this.#number + 1) - startTime,
      sha256: sha256(body),
      bytes: body.byteLength,
      frames: 60,
    };
    await this.#options.store.putIfAbsent(
      segmentKey(this.#place(rendition.name), startTime, media.sha256),
      body,
    );
    return media;
  }

  #place(rendition: string) {
    return {
      stream: this.id,
      period: this.#storedAs ?? this.period,
      rendition: RenditionName.parse(rendition),
    };
  }

  async #append(record: IndexRecord): Promise<number> {
    this.#tail = await this.#options.log.append(this.id, record, this.#tail);
    return this.#tail;
  }
}
