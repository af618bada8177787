/** The executor `http` against servers that refuse, throttle, fail, break off and say nothing; what it may not call; and AWS Lambda's way of being called. */
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpHandler } from '../../../executors/function/http-handler.ts';
import { lambdaHandler } from '../../../executors/function/lambda-handler.ts';
import { runPacked } from '../../../executors/function/run-packed.ts';
import { signatureHeaders } from '../../../executors/http/sig-v4.ts';
import type { ErrorInfo, Outcome } from '../../../model/outcome.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';
import { httpWith, startFunctionServer, type FunctionServer } from '../../support/function-server.ts';
import { until } from '../../support/until.ts';

const WAIT_MS = 30_000;
const SILENCE_MS = 6_000;
const good = httpHandler({ token: null, slots: 4 });
const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(code, headers).end(body);
  };

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Nobody listens there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the executor http', { timeout: 2 * WAIT_MS }, () => {
  let server: FunctionServer;
  let harness: Harness;
  let next = 0;
  let free = 0;
  const env = { POLARON_AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', POLARON_AWS_SECRET_ACCESS_KEY: 'a+secret' };
  beforeAll(async () => {
    Object.assign(process.env, env);
    server = await startFunctionServer(good);
    free = await freePort();
    const aws = { region: 'eu-central-1', service: 'lambda' };
    const lambda = server.url.replace('/run', '/2015-03-31/functions/polaron/invocations');
    harness = await startHarness({
      executors: [
        httpWith({
          allow: [server.url, { url: lambda, aws }, `http://127.0.0.1:${free}/`],
          waitMs: SILENCE_MS,
          maxRequestBytes: 200_000,
        }),
      ],
      capabilities: [],
      slots: 4,
    });
    await harness.agent.joined;
  }, WAIT_MS);
  afterEach(() => {
    server.answer = good;
  });
  afterAll(async () => {
    for (const name of Object.keys(env)) delete process.env[name];
    await harness.close();
    await server.close();
  });

  async function assign(
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>> = {},
    electron = 'add',
    more: { readonly timeoutMs?: number } = {},
  ): Promise<number> {
    const id = ++next;
    const executorOptions = { url: server.url, ...options };
    await harness.hub.assignAll({ [id]: { electron, args, executor: 'http', executorOptions, ...more } });
    return id;
  }
  const run = async (...how: Parameters<typeof assign>): Promise<Outcome> =>
    harness.hub.outcome(await assign(...how), WAIT_MS);
  /** Of an electron that this answers, and how often it was asked. */
  async function failure(answer: RequestListener): Promise<{ readonly error: ErrorInfo; readonly requests: number }> {
    const before = server.requests();
    server.answer = answer;
    const error = errorOf(await run([1, 1]));
    return { error, requests: server.requests() - before };
  }

  it('comes again when the service says 429, at the time that it says', async () => {
    let first = 0;
    let waited = 0;
    server.answer = (request, response) => {
      if (first > 0) {
        waited = performance.now() - first;
        return good(request, response);
      }
      first = performance.now();
      return status(429, { 'retry-after': '1' })(request, response);
    };
    expect(valueOf(await run([2, 3]))).toBe(5);
    expect(waited).toBeGreaterThanOrEqual(990);
  });

  it('gives up at once when the service wants more patience than it has', async () => {
    const { error, requests } = await failure(status(429, { 'retry-after': '3600' }, 'too many'));
    expect(error).toMatchObject({ code: 'HTTP_THROTTLED', message: expect.stringContaining('too many') });
    expect(requests).toBe(1);
  });

  it('comes again when nobody listens, until somebody does', async () => {
    const id = await assign([40, 2], { url: `http://127.0.0.1:${free}/` });
    await until(() => harness.logs.entries.some(({ message }) => message.includes('it is sent again')), 'a refusal');
    const late = createHttpServer(good).listen(free, '127.0.0.1');
    expect(valueOf(await harness.hub.outcome(id, WAIT_MS))).toBe(42);
    late.close();
  });

  it('never sends a job twice that may have run: a status 5xx, a connection that breaks', async () => {
    for (const code of [500, 502, 503, 504]) {
      const { error, requests } = await failure(status(code, { 'retry-after': '0' }, 'out of order'));
      expect(error.code).toBe('HTTP_STATUS');
      expect(error.message).toContain(`status ${code}: out of order`);
      expect(requests).toBe(1);
    }
    const dropped = await failure((request) => request.socket.destroy());
    expect(dropped).toMatchObject({ error: { code: 'HTTP_UNREACHABLE' }, requests: 1 });
    expect(dropped.error.message).toContain('the connection broke before its answer');
  });

  it('says so when an answer breaks off, ends early or is none', async () => {
    const half = await failure((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-length': '1000' });
      response.write('polaron-outcome/2\n', () => response.destroy());
    });
    expect(half).toMatchObject({ error: { code: 'HTTP_UNREACHABLE' }, requests: 1 });
    const early = await failure(status(200, {}, 'polaron-outcome/2\n'));
    expect(early.error).toMatchObject({ code: 'JOB_FAILED', message: expect.stringContaining('ends before') });
    const page = await failure(status(200, {}, '<html>hello</html>'));
    expect(page.error).toMatchObject({ code: 'JOB_FAILED', message: expect.stringContaining('<html>hello') });
  });

  it('takes the outcome though the connection breaks after it', async () => {
    server.answer = (request, response) => {
      void (async () => {
        const parts: Uint8Array[] = [];
        for await (const part of runPacked(await bodyOf(request))) parts.push(part);
        response.writeHead(200, { 'content-length': '1000000' });
        response.write(Buffer.concat(parts.slice(0, -1)), () => setTimeout(() => response.destroy(), 50));
      })();
    };
    expect(valueOf(await run([20, 22]))).toBe(42);
  });

  it('waits for a silent service no longer than it was told', async () => {
    const { error } = await failure((request) => void request.resume());
    expect(error).toMatchObject({
      code: 'HTTP_UNREACHABLE',
      message: expect.stringContaining(`nothing came for ${SILENCE_MS} ms`),
    });
  });

  it('gives up a request that is cancelled', async () => {
    let gone = false;
    server.answer = (request, response) => {
      request.resume();
      response.on('close', () => (gone = true));
    };
    const before = server.requests();
    const id = await assign([1, 1]);
    await until(() => server.requests() > before, 'the request');
    await harness.hub.cancel([id]);
    expect((await harness.hub.outcome(id, WAIT_MS)).status).toBe('cancelled');
    await until(() => gone, 'the connection to be closed');
  });

  it('takes a refusal as one, and follows no redirect', async () => {
    for (const code of [401, 403, 404, 413])
      expect((await failure(status(code))).error).toMatchObject({ code: 'HTTP_REFUSED' });
    const { error, requests } = await failure(status(307, { location: server.url }));
    expect(error.code).toBe('HTTP_REFUSED');
    expect(requests).toBe(1);
  });

  it('calls only what the operator allows, whatever the address looks like', async () => {
    const before = server.requests();
    const { origin, host } = new URL(server.url);
    for (const url of [
      'http://169.254.169.254/latest/meta-data/',
      `${origin}/other`,
      `${server.url}/../other`,
      `${server.url}/%2e%2e/other`,
      `${server.url}%2f..%2fother`,
      `http://user@${host}/run`,
      `http://${host.replace(':', '.example:')}/run`,
      `${server.url}?x=1`,
    ]) {
      const error = errorOf(await run([1, 1], { url }));
      expect(error.code, url).toBe('HTTP_NOT_ALLOWED');
      expect(error.message).toContain(server.url);
    }
    expect(server.requests()).toBe(before);
  });

  it('refuses a job that is larger than a request may be', async () => {
    const noise = Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2_654_435_761) % 1_000_003);
    const error = errorOf(await run([noise, 1]));
    expect(error).toMatchObject({ code: 'VALUE_TOO_LARGE', message: expect.stringContaining('at most 200000') });
  });

  it("calls AWS Lambda's invoke API, signed, and reads its answer", async () => {
    const handler = lambdaHandler();
    const seen: { authorization?: string | undefined; expected?: string | undefined } = {};
    server.answer = (request, response) => {
      void (async () => {
        const body = await bodyOf(request);
        const { authorization, host = '', 'content-type': type = '', 'x-amz-date': date = '' } = request.headers;
        const at = Date.parse(String(date).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'));
        seen.authorization = authorization;
        seen.expected = signatureHeaders(
          {
            method: 'POST',
            target: request.url ?? '',
            headers: [
              ['host', host],
              ['content-type', type],
            ],
            body,
          },
          {
            credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a+secret' },
            region: 'eu-central-1',
            service: 'lambda',
            at,
          },
        )['authorization'];
        response.end(JSON.stringify(await handler(JSON.parse(body.toString('utf8')))));
      })();
    };
    const url = server.url.replace('/run', '/2015-03-31/functions/polaron/invocations');
    expect(valueOf(await run([30, 12], { url, format: 'lambda' }))).toBe(42);
    expect(seen.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/lambda\//);
    expect(seen.authorization).toBe(seen.expected);
    server.answer = status(
      200,
      { 'x-amz-function-error': 'Unhandled' },
      '{"errorMessage":"Task timed out after 3.00 seconds"}',
    );
    expect(errorOf(await run([1, 1], { url, format: 'lambda' }))).toMatchObject({
      code: 'HTTP_FUNCTION',
      message: expect.stringContaining('timed out after 3.00'),
    });
  });

  it('ends an electron in AWS Lambda when its time is over, though nothing is heard of it', async () => {
    server.answer = (request) => void request.resume();
    const url = server.url.replace('/run', '/2015-03-31/functions/polaron/invocations');
    const error = errorOf(await run([1, 1], { url, format: 'lambda' }, 'add', { timeoutMs: 300 }));
    expect(error.code).toBe('TIMEOUT');
  });

  it('is not offered by an agent that is told no URL, or no credentials for one', async () => {
    for (const [settings, said] of [
      [{}, /no URL is allowed/],
      [{ allow: ['ftp://x/'] }, /expected an http or https URL/],
      [{ allow: [{ url: 'https://x.example/', bearerEnv: 'POLARON_NOT_THERE' }] }, /bearerEnv is "POLARON_NOT_THERE"/],
      [{ allow: [{ url: 'https://x.example/', aws: true }] }, /doesn't tell region and service/],
      [{ allow: ['https://x.example/'], flavour: 'sour' }, /unknown setting "flavour"/],
    ] as const) {
      const other = await startHarness({ executors: [httpWith(settings)], capabilities: [] });
      await until(() => other.logs.entries.some(({ message }) => said.test(message)), `the log to say ${said.source}`);
      await other.close();
    }
  });
});
