/** What is fuzzed: the parsers and a session's core as functions, and a real listener with its sessions over sockets. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { IngestSession } from '../../actors/ingest/ingest-session.ts';
import type { IngestEvent } from '../../actors/ingest/ingest-events.ts';
import { ChunkReader } from '../../actors/ingest/rtmp/rtmp-chunks.ts';
import { parseCommand } from '../../actors/ingest/rtmp/rtmp-command.ts';
import { tagsOf } from '../../actors/ingest/rtmp/rtmp-tags.ts';
import { makeInit, makeOffer, openedPeriod } from '../../actors/ingest/feed/source-media.ts';
import { parseScriptTag } from '../../actors/media/flv/script-tag.ts';
import { isErrorCode } from '../../cluster/errors/catalogue.ts';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { PeriodId, RenditionName, SessionId, StreamId } from '../../cluster/model/ids.ts';
import type { Random } from '../simulation/random.ts';
import { IngestRig } from '../../test/support/ingest/ingest-rig.ts';
import { bytesOf, sessionOf, type Message } from './session.ts';

const chunkLimits = { maxMessageBytes: 1 << 20, maxBufferedBytes: 1 << 21, maxChunkStreams: 32 };

/** Runs it. A refusal with a reason is expected. @throws any other error */
function refusing(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TangazaError) || error.code === 'INTERNAL') throw error;
  }
}

/** Passes the bytes behind the handshake through the chunk reader, cut anywhere. */
export function fuzzChunks(bytes: Buffer, random: Random): void {
  const reader = new ChunkReader(chunkLimits, (message) => {
    refusing(() => void parseCommand(message.payload));
    refusing(() => void [...tagsOf(message)].length);
  });
  refusing(() => {
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + random.below(random.chance(0.5) ? 20 : 5000);
      reader.push(bytes.subarray(at, end));
      if (reader.bufferedBytes > chunkLimits.maxBufferedBytes)
        throw new Error('more is buffered than the limit');
      at = end;
    }
  });
}

const ids = {
  streamId: StreamId.parse('fuzz'),
  sessionId: SessionId.parse('00000000-0000-4000-8000-000000000000'),
};
const names = { video: RenditionName.parse('h264-source'), audio: RenditionName.parse('aac-source') };

/** Passes the messages through the core of a session, at about the pace of the wall clock, and builds the segments that follow. */
export function fuzzSession(messages: readonly Message[], random: Random): void {
  const session = new IngestSession();
  const opened = new Map<number, ReturnType<typeof openedPeriod>>();
  let clockMs = 0;
  const now = () => ({ monotonicMs: clockMs, runningMs: clockMs, utcMs: 1_700_000_000_000 + clockMs });
  const take = (events: readonly IngestEvent[]): void => {
    for (const event of events) {
      if (
        event.kind === 'refuse' &&
        (event.code === 'INTERNAL' || !isErrorCode(event.code) || event.detail === '')
      )
        throw new Error(`refused without a reason: ${event.code}: ${event.detail}`);
      if (event.kind === 'periodReady') {
        for (const track of [event.period.video?.track, event.period.audio?.track])
          if (track !== undefined) makeInit(track);
        opened.set(
          event.ordinal,
          openedPeriod(event.period, { period: PeriodId.parse(event.ordinal + 1), offset90k: 0, ...names }),
        );
        take(session.onPeriodOpened(event.ordinal, { offset90k: 0 }, now()));
      }
      if (event.kind !== 'segment' && event.kind !== 'tail') continue;
      const period = opened.get(event.ordinal);
      if (period !== undefined) refusing(() => void makeOffer({ ...ids, period }, event.segment));
    }
  };
  const paceMs = random.pick([14, 14, 14, 0, 100]) ?? 14;
  for (const { type, timestampMs, body } of messages) {
    const message = { type, streamId: 1, timestampMs: timestampMs >>> 0, payload: body };
    for (const tag of tagsOf(message)) {
      clockMs += paceMs;
      if (tag.kind === 'script') refusing(() => void parseScriptTag(tag.payload));
      take(session.onTag(tag, now()));
    }
    take(session.onTick(now()));
  }
  session.stats(now());
  take(session.close(now()));
}

/** Longer than any time-out of a connection whose peer has left. */
const hangsAfterMs = 30_000;

/** The way of leaving in which all that the peer sent arrives. */
const leavesInPeace = 2;

/** A real listener and its sessions. */
export class WireTarget implements AsyncDisposable {
  readonly #rig: IngestRig;

  private constructor(rig: IngestRig) {
    this.#rig = rig;
  }

  static async open(): Promise<WireTarget> {
    return new WireTarget(await IngestRig.start());
  }

  /** Sends everything and leaves, in one of three ways. @throws when nothing ends the connection, or our code fails */
  async send(bytes: Buffer, random: Random, way = random.below(3)): Promise<void> {
    const socket = connect({ port: this.#rig.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {}).resume();
    const closed = once(socket, 'close');
    for (let at = 0; at < bytes.length && !socket.destroyed;) {
      const end = at + 1 + random.below(random.chance(0.1) ? 50 : 60_000);
      if (!socket.write(bytes.subarray(at, end)))
        await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
      else if (random.chance(0.3)) await setImmediate();
      at = end;
    }
    if (way === 0) socket.resetAndDestroy();
    else if (way === 1) socket.destroySoon();
    else socket.end();
    const late = new AbortController();
    await Promise.race([closed, hanging(late.signal)]).finally(() => late.abort());
  }

  /**
   * Sends a session as it is: a fuzzer whose every session is refused would find nothing.
   *
   * @throws when nothing of it is offered to the owner
   */
  async takesHealthy(media: readonly Message[], random: Random): Promise<void> {
    const wire = { isInterleaved: false, isLax: false, hasDeltas: true, hasLongIds: false };
    await this.send(bytesOf(sessionOf(media, 'key-fuzz-healthy'), wire, random), random, leavesInPeace);
    await this.settled();
    if (this.#rig.owner.offersOf('fuzz-healthy').length === 0)
      throw new Error('a session that is not mutated makes no segment');
  }

  /** Waits until all that was sent is over. @throws what is wrong with the log, and when sessions do not end */
  async settled(): Promise<void> {
    const { sessions, lines } = this.#rig;
    const untilMs = performance.now() + hangsAfterMs;
    while (sessions.size > 0) {
      if (performance.now() > untilMs) throw new Error(`${sessions.size} sessions do not end`);
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    for (const { level, message, fields } of lines.splice(0)) {
      const codes = [fields['code'], fields['reason']];
      const isOurs =
        codes.includes('INTERNAL') ||
        (level === 'error' && 'error' in fields && fields['reason'] === undefined);
      if (isOurs) throw new Error(`${level}: ${message} ${JSON.stringify(fields)}`);
      if (message === 'RTMP connection refused' && (!isErrorCode(fields['code']) || fields['detail'] === ''))
        throw new Error(`refused without a reason: ${JSON.stringify(fields)}`);
      if (JSON.stringify(fields).includes('key-')) throw new Error(`a key is logged: ${message}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rig[Symbol.asyncDispose]();
  }
}

async function hanging(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, hangsAfterMs);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
  throw new Error(`the connection hangs for ${hangsAfterMs / 1000} s after its peer has left`);
}
