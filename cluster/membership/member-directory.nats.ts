/**
 * Members in a JetStream KV bucket, their beats as plain NATS messages.
 *
 * A record is written once for each boot and removed at a graceful stop, so its revision moves only when the cluster
 * does; beats cost the log nothing. Rejected: a KV entry with a TTL (facts 1: it never expires on <= 2.10).
 */
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjects } from '../contract/subjects.ts';
import type { BootId, NodeId } from '../model/ids.ts';
import type { Logger } from '../observe/logger.ts';
import type { Clock } from '../time/clock.ts';
import { Member, type MemberDirectory } from './member-directory.ts';

const beatMs = 1000;
/** A member unheard of for this long is not routed to. */
const silentAfterMs = 3500;

interface DirectoryOptions {
  readonly connection: NatsConnection;
  readonly self: Member;
  readonly clock: Clock;
  readonly logger: Logger;
}

export async function openNatsMemberDirectory(options: DirectoryOptions): Promise<MemberDirectory> {
  const kv = await new Kvm(options.connection).create(`${subjects.memberBucket}-${options.self.region}`, {
    history: 1,
    allow_direct: false,
  });
  const directory = new NatsMemberDirectory(kv, options);
  await directory.start();
  return directory;
}

class NatsMemberDirectory implements MemberDirectory {
  readonly #kv: KV;
  readonly #options: DirectoryOptions;
  readonly #members = new Map<string, Member>();
  /** Monotonic ms of the last beat, by `{node}/{bootId}`. */
  readonly #heardMs = new Map<string, number>();
  readonly #stops: (() => void | Promise<void>)[] = [];
  #revision = 0;

  constructor(kv: KV, options: DirectoryOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { self, connection, clock } = this.#options;
    this.#revision = await this.#kv.put(self.id, JSON.stringify(self));
    this.#members.set(self.id, self);
    const watch = await this.#kv.watch();
    this.#stops.push(() => watch.stop());
    void this.#follow(watch);
    const beats = connection.subscribe(`tz.${self.region}.beat.*`);
    this.#stops.push(() => beats.unsubscribe());
    void this.#listen(beats);
    const beat = (): void => {
      if (!connection.isClosed()) connection.publish(`tz.${self.region}.beat.${self.id}`, self.bootId);
      this.#hear(self.id, self.bootId);
    };
    beat();
    this.#stops.push(clock.every(beatMs, beat));
  }

  list(): ReturnType<MemberDirectory['list']> {
    const members = [...this.#members.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    return {
      revision: this.#revision,
      members: members.map((member) => ({ ...member, isAlive: this.isAlive(member.id, member.bootId) })),
    };
  }

  isAlive(node: NodeId, bootId: BootId): boolean {
    const heard = this.#heardMs.get(`${node}/${bootId}`);
    return heard !== undefined && this.#options.clock.monotonicMs() - heard < silentAfterMs;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.#kv.delete(this.#options.self.id).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'could not remove the member record');
    });
  }

  async #follow(
    watch: AsyncIterable<{ key: string; operation: string; revision: number; string(): string }>,
  ): Promise<void> {
    for await (const entry of watch) {
      this.#revision = Math.max(this.#revision, entry.revision);
      if (entry.operation !== 'PUT') {
        this.#members.delete(entry.key);
        continue;
      }
      const member = parseMember(entry.string());
      if (member === undefined)
        this.#options.logger.warn({ key: entry.key }, 'a member record cannot be read; ignored');
      else this.#members.set(member.id, member);
    }
  }

  async #listen(beats: AsyncIterable<{ subject: string; string(): string }>): Promise<void> {
    for await (const message of beats) this.#hear(message.subject.split('.').at(-1) ?? '', message.string());
  }

  #hear(node: string, bootId: string): void {
    // Only the last boot of a node is remembered, so the map is as bounded as the cluster.
    for (const key of this.#heardMs.keys()) if (key.startsWith(`${node}/`)) this.#heardMs.delete(key);
    this.#heardMs.set(`${node}/${bootId}`, this.#options.clock.monotonicMs());
  }
}

function parseMember(text: string): Member | undefined {
  try {
    return Member.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
