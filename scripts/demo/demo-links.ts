/** The links between a demo's regions, each direction through a proxy of its own: for whoever wants to cut them. */
import { openLinkProxy, type LinkProxy } from './link-proxy.system.ts';
import { openTunnels, type Tunnels } from './tunnels.http.ts';

/** What a demo asks of whoever stands between its regions. */
export interface LinksOfDemo {
  /** The URL by which the gateways of a region reach another region's NATS. */
  readonly natsOf: (from: string, to: string, natsUrl: string) => Promise<string>;
  /** The URL of the HTTP proxy by which the edges of a region reach those of others. */
  readonly tunnelsOf: (from: string) => Promise<string>;
  /** An edge of that region listens on this port. */
  readonly edgeIs: (region: string, port: number) => void;
}

export interface DemoLinks extends AsyncDisposable {
  /** For the demo's options. */
  readonly ofDemo: LinksOfDemo;
  /** @throws Error when there is no such link */
  between(from: string, to: string): LinkProxy;
  readonly all: readonly LinkProxy[];
}

export function openDemoLinks(): DemoLinks {
  const links = new Map<string, LinkProxy>();
  const tunnels: Tunnels[] = [];
  const regions = new Map<number, string>();
  return {
    ofDemo: {
      natsOf: async (from, to, natsUrl) => {
        const { hostname: host, port } = new URL(natsUrl);
        const link = await openLinkProxy({ host, port: Number(port) });
        links.set(`${from} ${to}`, link);
        return `nats://127.0.0.1:${link.port}`;
      },
      tunnelsOf: async (from) => {
        const opened = await openTunnels((port) => links.get(`${from} ${regions.get(port)}`));
        tunnels.push(opened);
        return opened.url;
      },
      edgeIs: (region, port) => void regions.set(port, region),
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
      await Promise.all([...links.values(), ...tunnels].map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
