/**
 * The executor `http`: an electron's job is sent to a function service, which runs it with this package and answers with what became of it. Decided in docs/adr/038-http.md.
 * Not here: the function's side (function/), where a job may be sent (allowed.ts), when it is sent again (post.ts).
 */
import type { ExecutorFactory } from '../executor-ground.ts';
import { defineExecutor } from '../job/definition.ts';
import { jobExecutor } from '../job/job-executor.ts';
import { tooLarge } from '../job/packed-job.ts';
import { readSettings, targetOf } from './allowed.ts';
import { httpOptions } from './http-options.ts';
import { lambdaAnswer } from './lambda-answer.ts';
import { post } from './post.ts';

export const HTTP = 'http';

/** `httpHandler` says something at least each 10 s. */
const JOB_WAIT_MS = 60_000;
/** A Lambda may take 15 minutes, and says nothing before its end. */
const LAMBDA_WAIT_MS = 16 * 60 * 1_000;
const MOST_REQUEST_BYTES = 256 * 1024 * 1024;
/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MOST_LAMBDA_BYTES = 6 * 1024 * 1024;

/** For an agent's list of executors. */
export const httpExecutor: ExecutorFactory = (ground) => {
  const { clock } = ground;
  const definition = defineExecutor({
    name: HTTP,
    options: httpOptions,
    setup: (agent) => ({ ...readSettings(agent.settings, process.env), agent }),
    run: async (job, { agent, ...settings }) => {
      const { url, format } = job.options;
      const target = targetOf(url, settings);
      const packed = await job.pack();
      const isLambda = format === 'lambda';
      const body = isLambda ? Buffer.from(JSON.stringify({ job: Buffer.from(packed).toString('base64') })) : packed;
      const most = settings.maxRequestBytes ?? (isLambda ? MOST_LAMBDA_BYTES : MOST_REQUEST_BYTES);
      if (body.length > most) throw tooLarge(body.length, most);
      const content = { 'content-type': isLambda ? 'application/json' : 'application/x-polaron-job' };
      const reply = await post({
        url: target.url,
        headers: () => target.headers(content, body, clock.now()),
        body,
        signal: job.signal,
        waitMs: settings.waitMs ?? (isLambda ? LAMBDA_WAIT_MS : JOB_WAIT_MS),
        clock,
        random: Math.random,
        log: (message) => agent.log('warn', message),
        sent: () => {
          if (isLambda) job.started();
        },
      });
      await job.accept(isLambda ? await lambdaAnswer(reply) : reply.body);
    },
  });
  return jobExecutor(definition)(ground);
};
