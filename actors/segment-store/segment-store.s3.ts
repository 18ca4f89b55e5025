/**
 * The segment store in an S3 bucket: AWS, or any server with conditional writes.
 *
 * A put carries `If-None-Match: *`, and 412 means that the object is there. A put whose answer was lost is sent again
 * and then finds its own object, which is just as good, because keys are content-addressed (M5).
 *
 * O1. 409 `ConditionalRequestConflict` means that another put was under way: read, then decide.
 * O2. Attempts are bounded in number and in time, the answer's body included, with full jitter between them. The SDK's
 *     own retries are off: they end at the answer's headers, and two loops multiply.
 */
import { Readable } from 'node:stream';
import {
  BucketLocationConstraint,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type GetObjectCommandInput,
  type ListObjectsV2CommandOutput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { TangazaError } from '../../cluster/errors/tangaza-error.ts';
import { checkBody, checkKey, checkPrefix, checkRange, maxObjectBytes, rangeError } from './object-key.ts';
import { Attempts } from './s3-attempts.s3.ts';
import { ConflictError, nameOf, PartialDeleteError, statusOf } from './s3-errors.s3.ts';
import type { SegmentStore, StoredObject } from './segment-store.ts';
import { StoreMeter, type StoreOperation, type StorePorts } from './store-meter.ts';

export interface S3StoreOptions extends StorePorts {
  /** The server's address; AWS when absent. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Made when it is missing. */
  readonly bucket: string;
  /** Both access keys or neither. Without them the SDK looks for them (environment, profile, instance). */
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
  /** How long one attempt may take, its answer's body included; 10 s. */
  readonly attemptTimeoutMs?: number;
  /** Attempts at one operation; 4 (O2). */
  readonly maxAttempts?: number;
}

const maxSockets = 64;
const pageSize = 1000;
const connectTimeoutMs = 2000;

/** @throws TangazaError `STORE_UNAVAILABLE` when the bucket can be neither found nor made */
export async function openS3Store(options: S3StoreOptions): Promise<SegmentStore> {
  const client = new S3Client(clientConfig(options));
  const attempts = new Attempts(options);
  try {
    await attempts.run(options.bucket, undefined, (signal) => findOrMakeBucket(client, options, signal));
  } catch (error) {
    client.destroy();
    throw error;
  }
  return new S3Store(client, attempts, options);
}

function clientConfig({ endpoint, region, accessKey, secretKey }: S3StoreOptions): S3ClientConfig {
  const agent = { keepAlive: true, maxSockets };
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } }),
    maxAttempts: 1,
    requestHandler: { connectionTimeout: connectTimeoutMs, httpAgent: agent, httpsAgent: agent },
    // Servers other than AWS take plain bodies. Objects are named by their own hash (M5).
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it, bodies over 2 MB would leave the bounded agent for sockets of their own.
    expectContinueHeader: false,
  };
}

async function findOrMakeBucket(
  client: S3Client,
  { bucket, region, endpoint }: S3StoreOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
    return;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  // AWS wants a bucket's region named, except for its first region, which has no name there.
  const location = Object.values(BucketLocationConstraint).find((name) => name === region);
  const isNamed = endpoint === undefined && location !== undefined;
  const place = isNamed ? { CreateBucketConfiguration: { LocationConstraint: location } } : {};
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket, ...place }), { abortSignal: signal });
  } catch (error) {
    // Another node of the region made it first.
    if (nameOf(error) !== 'BucketAlreadyOwnedByYou') throw error;
  }
}

class S3Store implements SegmentStore {
  readonly #client: S3Client;
  readonly #attempts: Attempts;
  readonly #bucket: string;
  readonly #meter: StoreMeter;
  #isClosed = false;

  constructor(client: S3Client, attempts: Attempts, options: S3StoreOptions) {
    this.#client = client;
    this.#attempts = attempts;
    this.#bucket = options.bucket;
    this.#meter = new StoreMeter('s3', options);
  }

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'stored' | 'present'> {
    checkKey(key);
    checkBody(key, body);
    const outcome = await this.#run('put', key, signal, (attempt) => this.#put(key, body, attempt));
    if (outcome === 'stored') this.#meter.transferred('put', body.length);
    return outcome;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    const bytes = await this.#run('get', key, signal, (attempt) =>
      this.#read({ Key: key }, maxObjectBytes, attempt),
    );
    this.#meter.transferred('get', bytes.length);
    return bytes;
  }

  async range(key: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    checkRange(key, start, end);
    const bytes = await this.#run('range', key, signal, async (attempt) => {
      try {
        return await this.#read({ Key: key, Range: `bytes=${start}-${end - 1}` }, end - start, attempt);
      } catch (error) {
        throw statusOf(error) === 416 ? rangeError(key, start, end) : error;
      }
    });
    this.#meter.transferred('range', bytes.length);
    return bytes;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<StoredObject> {
    checkPrefix(prefix);
    let token: string | undefined;
    do {
      const page = await this.#listPage(prefix, token, signal);
      for (const { Key: key, Size: bytes, LastModified: at } of page.Contents ?? []) {
        if (key !== undefined && !key.endsWith('/'))
          yield { key, bytes: bytes ?? 0, storedAtMs: at?.getTime() ?? 0 };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const key of keys) checkKey(key);
    for (let first = 0; first < keys.length; first += pageSize) {
      const some = keys.slice(first, first + pageSize);
      await this.#run('delete', some[0] ?? '', signal, (attempt) => this.#deleteSome(some, attempt));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client.destroy();
  }

  async #run<T>(
    operation: StoreOperation,
    what: string,
    signal: AbortSignal | undefined,
    work: (attempt: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#isClosed) throw new TangazaError('STORE_UNAVAILABLE', 'The segment store is closed.');
    return this.#meter.run(operation, () => this.#attempts.run(what, signal, work), signal);
  }

  async #put(key: string, body: Uint8Array, abortSignal: AbortSignal): Promise<'stored' | 'present'> {
    const input = {
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      IfNoneMatch: '*',
    };
    try {
      await this.#client.send(new PutObjectCommand(input), { abortSignal });
      return 'stored';
    } catch (error) {
      if (statusOf(error) === 412) return 'present';
      // The other put may have failed since. Then this one is tried again, as after any passing error (O1).
      if (statusOf(error) === 409 && (await this.#isThere(key, abortSignal))) return 'present';
      throw statusOf(error) === 409 ? new ConflictError(key) : error;
    }
  }

  async #isThere(key: string, abortSignal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }), { abortSignal });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async #read(
    what: Pick<GetObjectCommandInput, 'Key' | 'Range'>,
    maxBytes: number,
    abortSignal: AbortSignal,
  ): Promise<Uint8Array> {
    const { Body: body, ContentLength: length } = await this.#client.send(
      new GetObjectCommand({ Bucket: this.#bucket, Key: what.Key, Range: what.Range }),
      { abortSignal },
    );
    if (!(body instanceof Readable)) throw new Error('the S3 client gave no readable body');
    return collect(body, Math.min(length ?? maxBytes, maxBytes));
  }

  #listPage(
    prefix: string,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    const input = { Bucket: this.#bucket, Prefix: prefix, MaxKeys: pageSize, ContinuationToken: token };
    return this.#run('list', prefix, signal, (abortSignal) =>
      this.#client.send(new ListObjectsV2Command(input), { abortSignal }),
    );
  }

  async #deleteSome(keys: readonly string[], abortSignal: AbortSignal): Promise<void> {
    const input = { Bucket: this.#bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } };
    const { Errors: errors = [] } = await this.#client.send(new DeleteObjectsCommand(input), { abortSignal });
    const [first] = errors.filter(({ Code: code }) => code !== 'NoSuchKey');
    if (first !== undefined) throw new PartialDeleteError(first.Code, errors.length);
  }
}

/** @throws TangazaError `STORE_UNAVAILABLE` for a body longer than announced */
async function collect(body: Readable, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let received = 0;
  for await (const part of body) {
    if (!(part instanceof Uint8Array)) throw new Error('the S3 client gave a body of text');
    received += part.length;
    if (received > bytes)
      throw new TangazaError('STORE_UNAVAILABLE', `An answer of S3 has more than ${bytes} bytes.`);
    parts.push(part);
  }
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
