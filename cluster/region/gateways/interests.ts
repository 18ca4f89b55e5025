/**
 * What the nodes of this region listen to of another one. Its gateways subscribe to that, and to nothing else (R2).
 *
 * Each node tells its whole list every 2 s, and what is new at once. A node that falls silent for 7 s is forgotten. Bounds: `maxSubjects` of a
 * node, `maxAll` of a region. What is beyond is left out, counted, and told to operators: such streams are relayed late, and what is said about
 * them does not come.
 */
import { z } from 'zod';
import { BootId, NodeId, RegionId } from '../../model/ids.ts';

export const tellEveryMs = 2000;
const lastsMs = 7000;
const maxSubjects = 5000;
const maxNodes = 500;
const maxAll = 20_000;

/** `name`, or `name.of` for an event of one stream. */
const Topic = z.string().regex(/^[a-z][a-z0-9-]{0,63}(?:\.[A-Za-z0-9_-]{1,64})?$/);

export const Interest = z.object({
  node: NodeId,
  bootId: BootId,
  other: RegionId,
  topics: z.array(Topic).max(maxSubjects),
  /** Whether it is all that the node listens to; else it is what came to it. */
  isWhole: z.boolean(),
});
export type Interest = z.infer<typeof Interest>;

/** @throws Error for an `of` that is no part of a subject */
export function topicOf(name: string, of: string | undefined): string {
  return Topic.parse(of === undefined ? name : `${name}.${of}`);
}

/** An event's name, and which key decides what gateway carries it: the stream, or its name where it concerns none. */
export function partsOf(topic: string): { readonly name: string; readonly key: string } {
  const at = topic.indexOf('.');
  return at < 0 ? { name: topic, key: topic } : { name: topic.slice(0, at), key: topic.slice(at + 1) };
}

/** What a message to the gateways may hold. */
export const boundedTopics = (topics: Iterable<string>): string[] => [...topics].slice(0, maxSubjects);

/** How many of these do not fit into a node's list. */
export const beyondBound = (topics: readonly string[]): number => Math.max(0, topics.length - maxSubjects);

/** What operators are told of topics that were left out. `byNode`: of this node's list; `byRegion`: of the lists of all nodes. */
export function leftOutWords(
  other: RegionId,
  { byNode, byRegion }: { readonly byNode: number; readonly byRegion: number },
): readonly string[] {
  const costs = `so streams of ${other} are late and their comments do not come`;
  return [
    ...(byNode === 0
      ? []
      : [
          `this node wants ${byNode} events of region ${other} more than a node may have (${maxSubjects}), ${costs}: spread viewers over more nodes`,
        ]),
    ...(byRegion === 0
      ? []
      : [
          `the nodes of this region want ${byRegion} events of region ${other} more than gateways carry (${maxAll}), ${costs}`,
        ]),
  ];
}

interface Told {
  readonly atMs: number;
  readonly bootId: BootId;
  readonly topics: ReadonlySet<string>;
}

/** Of one other region. */
export class Interests {
  readonly #told = new Map<NodeId, Told>();
  /** Of the list that was made last. */
  leftOut = 0;
  /** Changes with what is wanted, but for nodes that fall silent. */
  revision = 0;

  /** @returns those of the topics that are within the bound */
  note({ node, bootId, topics, isWhole }: Interest, nowMs: number): readonly string[] {
    const before = this.#told.get(node);
    const kept = isWhole || before?.bootId !== bootId ? [] : before.topics;
    const all = new Set(boundedTopics([...kept, ...topics]));
    if (before === undefined && this.#told.size >= maxNodes) return [];
    this.#told.set(node, { atMs: nowMs, bootId, topics: all });
    if (before?.topics.size !== all.size || !all.isSubsetOf(before.topics)) this.revision += 1;
    return topics.filter((topic) => all.has(topic));
  }

  forget(node: NodeId, bootId: BootId): void {
    if (this.#told.get(node)?.bootId !== bootId) return;
    this.#told.delete(node);
    this.revision += 1;
  }

  all(nowMs: number): ReadonlySet<string> {
    const all = new Set<string>();
    this.leftOut = 0;
    for (const [node, { atMs, topics }] of this.#told) {
      if (nowMs - atMs > lastsMs) this.#told.delete(node);
      else
        for (const topic of topics) {
          if (all.size < maxAll || all.has(topic)) all.add(topic);
          else this.leftOut += 1;
        }
    }
    return all;
  }
}
