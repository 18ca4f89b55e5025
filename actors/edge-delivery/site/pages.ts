/**
 * Serves the pages and assets of an edge from memory. No path in a request ever reaches a disk.
 *
 * The site is made ready at the start, and requests that come earlier wait for it. The page of a stream is filled for each reply, and
 * compressed once while it stays the same. For a missing page people (`Accept: text/html`) get a page that says so, programs a problem
 * document. Bound: filled pages; the oldest goes.
 */
import { StreamId } from '../../../cluster/model/ids.ts';
import type { Logger } from '../../../cluster/observe/logger.ts';
import type { Clock } from '../../../cluster/time/clock.ts';
import { within } from '../../../cluster/time/within.ts';
import { errorCodeOf, TangazaError } from '../../../cluster/errors/tangaza-error.ts';
import { assetEntity, makeEntity } from '../playback/entity.ts';
import { cachePolicy, type Entity, type HttpRequest, type Message, type Reply } from '../http/http.ts';
import type { PublicStreams } from '../public/public-streams.ts';
import { codingOf } from '../playback/select.ts';
import { favicon } from './favicon.ts';
import { pageHeaders } from './page-headers.ts';
import { fillTemplate, type PageFacts } from './page-template.ts';
import type { PageName, Site } from './site.ts';
import { statusOf, streamPageFacts, type Subject } from './stream-page.ts';

/** The pages' part of an edge. */
export interface PagesPart {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reads or builds the site. @throws when it can do neither */
  readonly loadSite: (signal: AbortSignal) => Promise<Site>;
  /** `rtmp://host:port/live` of a node that takes publishers, for who finds nothing on air. Undefined while no node does. */
  readonly publishUrl: () => string | undefined;
}

export interface PagesPorts extends PagesPart {
  readonly publicStreams: PublicStreams;
}

interface Ready {
  readonly site: Site;
  readonly assets: ReadonlyMap<string, Entity>;
}

interface Filled {
  readonly html: string;
  readonly entity: Entity;
}

const maxFilled = 500;
/** The page is shown after this time, and asks for the state by itself if the log has not told it by then. */
const stateWaitMs = 500;
const encoder = new TextEncoder();

const still: Readonly<Record<'index' | 'ops' | 'docs' | 'error', { title: string; description: string }>> = {
  index: { title: 'On air', description: 'What is on air now.' },
  ops: { title: 'Operator', description: 'The cluster, its nodes and its streams.' },
  docs: { title: 'API', description: 'Every path, what it takes and what it answers.' },
  error: { title: 'Nothing here', description: 'There is no page at this address.' },
};

const icon = makeEntity(encoder.encode(favicon), {
  contentType: 'image/svg+xml',
  cacheControl: 'public, max-age=86400',
  isText: true,
});

export class Pages {
  readonly #ports: PagesPorts;
  readonly #filled = new Map<string, Filled>();
  readonly #abort = new AbortController();
  #ready: Promise<Ready> | undefined;

  constructor(ports: PagesPorts) {
    this.#ports = ports;
  }

  /** Makes the site ready before anybody asks for it. */
  prepare(): void {
    this.#load().catch(() => {}); // the log says why, and so does the reply to whoever asks for a page
  }

  /** Ends a build that is under way. */
  close(): void {
    this.#abort.abort();
  }

  /** Undefined where the reply should be a problem document. */
  serve(request: HttpRequest, origin: string): Reply | Promise<Reply | undefined> | undefined {
    const { path } = request;
    const [, first = '', second, third] = path.split('/', 4);
    if (path === '/') return this.#still('index', origin);
    if (path === '/ops') return this.#still('ops', origin);
    if (path === '/docs') return this.#still('docs', origin);
    if (path === '/favicon.svg' || path === '/favicon.ico') return icon;
    if (first === 'assets') return this.#asset(request, origin);
    if ((first === 'watch' || first === 'embed') && second !== undefined && third === undefined)
      return this.#stream(request, first, { name: second, origin });
    return isForPeople(request) ? this.#nothing(request, origin) : undefined;
  }

  async #asset(request: HttpRequest, origin: string): Promise<Reply | undefined> {
    const { assets } = await this.#load();
    return assets.get(request.path) ?? (isForPeople(request) ? this.#nothing(request, origin) : undefined);
  }

  async #still(page: 'index' | 'ops' | 'docs', origin: string): Promise<Reply> {
    const { site } = await this.#load();
    return this.#fill(page, site, { key: origin, facts: this.#facts(page, origin) });
  }

  async #nothing(request: HttpRequest, origin: string): Promise<Message> {
    const { site } = await this.#load();
    const entity = this.#fill('error', site, { key: '', facts: this.#facts('error', origin) });
    return withStatus(404, entity, request);
  }

  async #stream(
    request: HttpRequest,
    page: 'watch' | 'embed',
    { name, origin }: { readonly name: string; readonly origin: string },
  ): Promise<Reply> {
    const [{ site }, subject] = await Promise.all([this.#load(), this.#subject(request, name, origin)]);
    const status = statusOf(subject);
    if (status !== 200 && !isForPeople(request))
      throw new TangazaError(
        status === 410 ? 'STREAM_REMOVED' : 'STREAM_NOT_FOUND',
        'There is no page for this stream.',
      );
    const format = /(?:^|&)format=hls(?:&|$)/.test(request.query) ? 'hls' : 'dash';
    const facts = streamPageFacts(subject, { origin, engines: site.engines, format });
    const key = status === 200 ? `${name} ${format} ${origin}` : subject.kind;
    const entity = this.#fill(page, site, { key, facts });
    return status === 200 ? entity : withStatus(status, entity, request);
  }

  async #subject(request: HttpRequest, name: string, origin: string): Promise<Subject> {
    const id = StreamId.safeParse(name).data;
    if (id === undefined) return { kind: 'unknown' };
    const { publicStreams, clock } = this.#ports;
    const silent = (): Subject => ({ kind: 'silent', id, title: publicStreams.titleOf(id) });
    try {
      const told = publicStreams
        .describe(request, id, origin)
        .then((stream): Subject => ({ kind: 'stream', stream }));
      return await within(told, { clock, ms: stateWaitMs, late: silent });
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'STREAM_NOT_FOUND') return { kind: 'unknown' };
      if (code === 'STREAM_REMOVED') return { kind: 'removed' };
      if (code === 'OVERLOADED') throw error;
      return silent();
    }
  }

  #facts(page: keyof typeof still, origin: string): PageFacts {
    return {
      ...still[page],
      canonicalUrl: page === 'index' ? `${origin}/` : undefined,
      imageUrl: undefined,
      isHidden: page !== 'index',
      preloads: [],
      data: page === 'index' ? { publish: this.#ports.publishUrl() } : undefined,
    };
  }

  /** Fills the page. If it equals the last one, that one is used, with its compressed forms. */
  #fill(
    page: PageName,
    site: Site,
    { key, facts }: { readonly key: string; readonly facts: PageFacts },
  ): Entity {
    const html = fillTemplate(site.pages[page], facts);
    const known = this.#filled.get(`${page} ${key}`);
    if (known?.html === html) return known.entity;
    const entity = makeEntity(encoder.encode(html), {
      contentType: 'text/html; charset=utf-8',
      cacheControl: cachePolicy.page,
      isText: true,
      hasBrotli: true,
      headers: pageHeaders(page === 'embed'),
    });
    this.#filled.delete(`${page} ${key}`);
    this.#filled.set(`${page} ${key}`, { html, entity });
    const [oldest] = this.#filled.keys();
    if (this.#filled.size > maxFilled && oldest !== undefined) this.#filled.delete(oldest);
    return entity;
  }

  /** After a failure the next request tries again. */
  #load(): Promise<Ready> {
    this.#ready ??= this.#ports.loadSite(this.#abort.signal).then(
      (site) => ({ site, assets: new Map(site.assets.map((asset) => [asset.path, assetEntity(asset)])) }),
      (error: unknown) => {
        this.#ready = undefined;
        if (!this.#abort.signal.aborted)
          this.#ports.logger.error(
            { err: error },
            'the pages cannot be built: viewers get none from this node',
          );
        throw new TangazaError('UNAVAILABLE', 'The pages of this node cannot be built: its log says why.', {
          cause: error,
        });
      },
    );
    return this.#ready;
  }
}

/** Browsers that follow a link name HTML first. Programs that take anything do not. */
function isForPeople(request: HttpRequest): boolean {
  return /\btext\/html\b/i.test(request.header('accept'));
}

/** The form of a page that the reader takes, with another status than 200. */
function withStatus(status: number, entity: Entity, request: HttpRequest): Message {
  const { head, body } = codingOf(entity, request.header('accept-encoding'));
  return { status, head, body };
}
