/** One cluster and three broadcasts for the tests of the whole pipeline: picture with sound, picture alone, sound alone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { controlClient } from '../cluster/control-client.ts';
import { startTestCluster, type TestCluster } from '../cluster/demo.ts';
import { fetchRendition, renditionNames, type DeliveredRendition } from './delivered-media.ts';
import { flashAndBeep, onlyInput, publish, x264, type FfmpegPublisher } from './ffmpeg-publisher.ts';
import { readPlaylist, waitForPlaylist } from './playlists.ts';

export const framesPerSecond = 25;
export const publishedSeconds = 62;
export const targetSeconds = 2;
export const rungs = ['h264-360p', 'h264-240p'];
const withinMs = 120_000;

export class Broadcasts {
  readonly cluster: TestCluster;
  readonly folder: string;
  /** Of the broadcast that has both. */
  readonly base: string;
  readonly #publisher: FfmpegPublisher;
  #whole: Promise<readonly DeliveredRendition[]> | undefined;

  private constructor(cluster: TestCluster, folder: string, publisher: FfmpegPublisher) {
    this.cluster = cluster;
    this.folder = folder;
    this.base = `${cluster.url}/live/demo/`;
    this.#publisher = publisher;
  }

  /** @param resources gets what is to be closed */
  static async start(resources: AsyncDisposableStack): Promise<Broadcasts> {
    const folder = await mkdtemp(join(tmpdir(), 'tangaza-media-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const cluster = resources.use(await startTestCluster());
    const publishTo = (key: string, input: readonly string[], more: readonly string[] = []) =>
      resources.use(
        publish(`${cluster.nodes[0]?.rtmp}/${key}`, input, x264(framesPerSecond, targetSeconds, more)),
      );
    const bFrames = ['-bf', '2', '-t', String(publishedSeconds)];
    const publisher = publishTo(cluster.stream.key, flashAndBeep(), bFrames);
    const api = controlClient(cluster.url, cluster.token);
    for (const [position, id] of (['picture', 'sound'] as const).entries()) {
      const { streamKey } = await api.create({ id, title: id });
      publishTo(streamKey, onlyInput(flashAndBeep(320, 180), position === 0 ? 0 : 1));
    }
    return new Broadcasts(cluster, folder, publisher);
  }

  liveUntil(seconds: number): Promise<unknown> {
    const isThere = ({ lastNumber }: { lastNumber: number }): boolean =>
      (lastNumber + 1) * targetSeconds >= seconds;
    return waitForPlaylist(`${this.base}${rungs[1]}.m3u8`, isThere, withinMs);
  }

  /** Waits until one of the live streams has something to play. @returns its first rendition */
  firstPlayable(id: string): Promise<string> {
    const at = `${this.cluster.url}/live/${id}/`;
    const look = async (): Promise<string> => {
      const [name = ''] = renditionNames(await (await fetch(`${at}main.m3u8`)).text());
      const { segments } = await readPlaylist(`${at}${name}.m3u8`);
      if (segments.length < 2) throw new Error(`${at}${name}.m3u8 has ${segments.length} segments`);
      return name;
    };
    return vi.waitFor(look, { timeout: withinMs, interval: 500 });
  }

  /** Every rung and the audio, once the broadcast is over. */
  whole(): Promise<readonly DeliveredRendition[]> {
    this.#whole ??= this.#fetchWhole();
    return this.#whole;
  }

  async #fetchWhole(): Promise<readonly DeliveredRendition[]> {
    const code = await this.#publisher.ended;
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${this.#publisher.output()}`);
    await this.liveUntil(publishedSeconds);
    const names = renditionNames(await (await fetch(`${this.base}main.m3u8`)).text());
    return Promise.all(names.map((name) => fetchRendition(this.base, name)));
  }
}
