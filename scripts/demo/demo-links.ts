/** The links between a demo's regions, each direction through a proxy of its own: for whoever wants to cut them. */
import { openLinkProxy, type LinkProxy } from './link-proxy.system.ts';

export interface DemoLinks extends AsyncDisposable {
  /** For the demo's options. */
  readonly linkOf: (from: string, to: string, natsUrl: string) => Promise<string>;
  /** @throws Error when there is no such link */
  between(from: string, to: string): LinkProxy;
  readonly all: readonly LinkProxy[];
}

export function openDemoLinks(): DemoLinks {
  const links = new Map<string, LinkProxy>();
  return {
    linkOf: async (from, to, natsUrl) => {
      const { hostname: host, port } = new URL(natsUrl);
      const link = await openLinkProxy({ host, port: Number(port) });
      links.set(`${from} ${to}`, link);
      return `nats://127.0.0.1:${link.port}`;
    },
    between: (from, to) => {
      const link = links.get(`${from} ${to}`);
      if (link === undefined) throw new Error(`there is no link of ${from} to ${to}`);
      return link;
    },
    get all() {
      return [...links.values()];
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...links.values()].map((link) => link[Symbol.asyncDispose]()));
    },
  };
}
