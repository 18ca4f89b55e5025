/** Watches a node that leaves, as the cluster reports it, also when the node that is asked is the one that leaves. */
import { ClusterView } from '../../cluster/contract/api/control-views.ts';
import { callApi, isRefused, type ApiOptions } from './api.ts';

type ClusterNode = ClusterView['nodes'][number];

/** How many other nodes are asked at once when the one asked so far does not answer. */
const maxOthers = 8;

export class LeavingNode {
  readonly #id: string;
  #options: ApiOptions;
  #bootId: string | undefined;
  /** The URLs of the nodes that stay. */
  #others: readonly string[] = [];

  /** @param options `url` is asked as long as it answers, then the nodes that it named */
  constructor(id: string, options: ApiOptions) {
    this.#id = id;
    this.#options = options;
  }

  /**
   * @returns the node; undefined when it is gone, or lives another life than at the first look
   * @throws Error when no node answers
   */
  async look(): Promise<ClusterNode | undefined> {
    const view = await this.#ask().catch((error: unknown) => {
      if (this.#wasAlone && isRefused(error)) return undefined;
      throw error;
    });
    const now = view?.nodes.find(({ id }) => id === this.#id);
    this.#bootId ??= now?.bootId;
    if (view !== undefined) this.#others = othersOf(view, this.#id);
    return now?.bootId === this.#bootId ? now : undefined;
  }

  /** True for the last node of its cluster: it has left when its port is closed, as no other node can say so. */
  get #wasAlone(): boolean {
    return this.#bootId !== undefined && this.#others.length === 0;
  }

  async #ask(): Promise<ClusterView> {
    try {
      return await askAt(this.#options);
    } catch (error) {
      const asked = this.#others.map(async (url) => {
        const options = { ...this.#options, url };
        return { options, view: await askAt(options) };
      });
      const answered = await Promise.any(asked).catch(() => {
        throw error;
      });
      this.#options = answered.options;
      return answered.view;
    }
  }
}

function askAt(options: ApiOptions): Promise<ClusterView> {
  return callApi(options, { path: '/v1/cluster' }, ClusterView);
}

function othersOf({ nodes }: ClusterView, leaving: string): readonly string[] {
  return nodes
    .filter(({ id, state }) => id !== leaving && state !== 'dead')
    .map(({ http }) => http)
    .slice(0, maxOthers);
}
