/** The audience of a region on this host in one SQLite file, which its nodes share (A14). */
import type { AudienceStore } from './audience-store.ts';
import type { ChangeStore } from './change-store.ts';
import type { StreamId, UserId } from '../../../cluster/model/ids.ts';
import { mostErasedStreams, type Erasure } from './moderation-store.ts';
import { DatabaseThread, type ThreadOptions } from './sqlite/database-thread.sqlite.ts';
import type { CallArgs } from './sqlite/calls.ts';

export type RegionalStore = AudienceStore & ChangeStore;

/**
 * Opens the file in a thread of its own. What it acknowledges survives `kill -9` and a power cut (open-database.sqlite.ts).
 *
 * @throws TangazaError `UNAVAILABLE` for a file that is damaged or of a newer version. What may pass, such as a full disk, is told to calls
 */
export async function openSqliteCommentStore(options: ThreadOptions): Promise<RegionalStore> {
  return new SqliteAudienceStore(await DatabaseThread.open(options), options.clock);
}

class SqliteAudienceStore implements RegionalStore {
  readonly #thread: DatabaseThread;
  /** By it changes are told: acts may bear times of another clock. */
  readonly #clock: ThreadOptions['clock'];

  constructor(thread: DatabaseThread, clock: ThreadOptions['clock']) {
    this.#thread = thread;
    this.#clock = clock;
  }

  add(...args: CallArgs['add']) {
    return this.#thread.ask('add', args);
  }

  get(...args: CallArgs['get']) {
    return this.#thread.ask('get', args);
  }

  newest(...args: CallArgs['newest']) {
    return this.#thread.ask('newest', args);
  }

  following(...args: CallArgs['following']) {
    return this.#thread.ask('following', args);
  }

  arrivedSince(...args: CallArgs['arrivedSince']) {
    return this.#thread.ask('arrivedSince', args);
  }

  setHidden(...args: Parameters<AudienceStore['setHidden']>) {
    return this.#thread.ask('setHidden', [...args, this.#clock.utcMs()]);
  }

  withdraw(...args: Parameters<AudienceStore['withdraw']>) {
    return this.#thread.ask('withdraw', [...args, this.#clock.utcMs()]);
  }

  mode(...args: CallArgs['mode']) {
    return this.#thread.ask('mode', args);
  }

  setMode(...args: CallArgs['setMode']) {
    return this.#thread.ask('setMode', args);
  }

  audit(...args: CallArgs['audit']) {
    return this.#thread.ask('audit', args);
  }

  thread(...args: CallArgs['thread']) {
    return this.#thread.ask('thread', args);
  }

  replies(...args: CallArgs['replies']) {
    return this.#thread.ask('replies', args);
  }

  like(...args: CallArgs['like']) {
    return this.#thread.ask('like', args);
  }

  likes(...args: CallArgs['likes']) {
    return this.#thread.ask('likes', args);
  }

  likedBy(...args: CallArgs['likedBy']) {
    return this.#thread.ask('likedBy', args);
  }

  lastActMs(...args: CallArgs['lastActMs']) {
    return this.#thread.ask('lastActMs', args);
  }

  ban(...args: CallArgs['ban']) {
    return this.#thread.ask('ban', args);
  }

  unban(...args: CallArgs['unban']) {
    return this.#thread.ask('unban', args);
  }

  banOf(...args: CallArgs['banOf']) {
    return this.#thread.ask('banOf', args);
  }

  bans(...args: CallArgs['bans']) {
    return this.#thread.ask('bans', args);
  }

  report(...args: Parameters<AudienceStore['report']>) {
    return this.#thread.ask('report', [...args, this.#clock.utcMs()]);
  }

  release(...args: Parameters<AudienceStore['release']>) {
    return this.#thread.ask('release', [...args, this.#clock.utcMs()]);
  }

  listed(...args: CallArgs['listed']) {
    return this.#thread.ask('listed', args);
  }

  audited(...args: CallArgs['audited']) {
    return this.#thread.ask('audited', args);
  }

  latestOf(...args: CallArgs['latestOf']) {
    return this.#thread.ask('latestOf', args);
  }

  keepReactions(...args: CallArgs['keepReactions']) {
    return this.#thread.ask('keepReactions', args);
  }

  reactions(...args: CallArgs['reactions']) {
    return this.#thread.ask('reactions', args);
  }

  changes(...args: CallArgs['changes']) {
    return this.#thread.ask('changes', args);
  }

  noteTaken(...args: CallArgs['noteTaken']) {
    return this.#thread.ask('noteTaken', args);
  }

  cursor(...args: CallArgs['cursor']) {
    return this.#thread.ask('cursor', args);
  }

  numberSome() {
    return this.#thread.ask('numberSome', []);
  }

  unerased(...args: CallArgs['unerased']) {
    return this.#thread.ask('unerased', args);
  }

  takeChanges(...args: CallArgs['takeChanges']) {
    return this.#thread.ask('takeChanges', args);
  }

  wholeTo(...args: CallArgs['wholeTo']) {
    return this.#thread.ask('wholeTo', args);
  }

  takenBy(...args: CallArgs['takenBy']) {
    return this.#thread.ask('takenBy', args);
  }

  lastChange() {
    return this.#thread.ask('lastChange', []);
  }

  behind(...args: CallArgs['behind']) {
    return this.#thread.ask('behind', args);
  }

  async eraseUser(user: UserId, atMs: number): Promise<Erasure> {
    const streams = new Set<StreamId>();
    for (let erased = 0; ;) {
      const more = await this.#thread.ask('eraseSome', [user, atMs, this.#clock.utcMs()]);
      if (more.comments === 0) return { comments: erased, streams: [...streams].slice(0, mostErasedStreams) };
      erased += more.comments;
      for (const stream of more.streams) streams.add(stream);
    }
  }

  close() {
    return this.#thread.close();
  }
}
