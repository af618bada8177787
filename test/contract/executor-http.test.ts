/** The contract of executors over `http`, with a function server on loopback that has this package. */
import { afterAll } from 'vitest';
import { httpHandler } from '../../executors/function/http-handler.ts';
import { httpWith, startFunctionServer } from '../support/function-server.ts';
import { executorContract } from './executor-contract.ts';

const TOKEN = 'a-secret-of-the-test';
process.env['POLARON_TEST_FUNCTION_TOKEN'] = TOKEN;
const server = await startFunctionServer(httpHandler({ token: TOKEN, slots: 8 }));
afterAll(async () => {
  await server.close();
  delete process.env['POLARON_TEST_FUNCTION_TOKEN'];
});

executorContract({
  name: 'http',
  make: () => httpWith({ allow: [{ url: server.url, bearerEnv: 'POLARON_TEST_FUNCTION_TOKEN' }] }),
  options: { url: server.url },
  deaths: { exits: 'EXITED', signal: 'CRASHED' },
  keepsJobs: false,
  local: true,
});
