/** The comments panel of a node's page in a real Chromium, with an audience that the test scripts. */
import type { Browser } from 'playwright-core';
import { startTestCluster, type TestCluster } from '../../support/cluster/demo.ts';
import { launchChromium } from '../../support/cluster/foreign-players.ts';
import { openPage, type OpenPage, type Size } from '../page-checks.ts';
import { commentOf, ScriptedAudience, type Script } from './scripted-audience.ts';

export interface Watching extends OpenPage {
  readonly audience: ScriptedAudience;
}

interface Where {
  readonly size?: Size;
  readonly path?: string;
}

/** One node with its pages, and a browser. */
export class ScriptedPanel implements AsyncDisposable {
  readonly browser: Browser;
  readonly url: string;
  readonly #cluster: TestCluster;

  private constructor(cluster: TestCluster, browser: Browser) {
    this.#cluster = cluster;
    this.url = cluster.url;
    this.browser = browser;
  }

  static async start(): Promise<ScriptedPanel> {
    const cluster = await startTestCluster({ nodes: 1 });
    return new ScriptedPanel(cluster, await launchChromium());
  }

  /** A viewer's page, in a context of its own. */
  async watch(script: Script = {}, { size, path = '/watch/demo' }: Where = {}): Promise<Watching> {
    const audience = new ScriptedAudience(script);
    const opened = await this.join(audience, { path, ...(size === undefined ? {} : { size }) });
    await opened.page.waitForSelector('.comments .composer', { state: 'attached' });
    return { ...opened, audience };
  }

  /** One more viewer of an audience that has some. */
  async join(audience: ScriptedAudience, { size, path = '/watch/demo' }: Where = {}): Promise<OpenPage> {
    const opened = await openPage(this.browser, 'about:blank', size);
    await audience.stand(opened.page);
    await opened.page.goto(this.url + path);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.#cluster[Symbol.asyncDispose]();
  }
}

/** Of the seconds before now, oldest first. */
export const manyComments = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    commentOf(`number ${index}`, {}, Date.now() - (count - index) * 1000),
  );
