/** What a hub's process asks of V8. How much it saves depends on V8's version and on timing: `npm run bench -- --only memory` measures it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { heapArgs } from '../../host/heap-growth.ts';

const module = new URL('../../dist/host/heap-growth.js', import.meta.url);

it('asks for flags that this V8 has, and it says nothing about them', async () => {
  const first = `(await import('${module.href}')).boundHeapGrowth();`;
  const churn = 'let kept; for (let i = 0; i < 1e5; i++) kept = { kept: i }; globalThis.gc(); console.log("went on");';
  const args = [...heapArgs, '--expose-gc', '--input-type=module', '--eval', first + churn];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect([stdout, stderr]).toEqual(['went on\n', '']);
});

it('begins with a young heap that is as large as it may become', async () => {
  const look = 'require("node:v8").getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")';
  const { stdout } = await promisify(execFile)(process.execPath, [...heapArgs, '--print', `${look}.space_size`]);
  expect(Number(stdout)).toBe(32 * 1024 * 1024);
});
