/** The manifest of docs/guides/running-agents.md fits the command, the image and itself. Not here: whether Kubernetes takes it, which docs/adr/040-clouds.md tells. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { expect, it } from 'vitest';
import { parseAgentFile } from '../../cli/agent-file.ts';
import { resolveAgentCommand } from '../../cli/agent-options.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { readPage } from '../docs/pages.ts';
import { root } from '../house/sources.ts';

const blocks = codeBlocks(readPage('docs/guides/running-agents.md'));
const manifest = blocks.find(({ language, code }) => language === 'yaml' && code.includes('kind: StatefulSet'));
const [secret, set] = parseAllDocuments(manifest?.code ?? '');
const container = ['spec', 'template', 'spec', 'containers', 0];
const of = (...path: readonly (string | number)[]): unknown => set?.getIn(path);
const nameOfSet = String(of('metadata', 'name'));
const pod = `${nameOfSet}-0`;
const file = parseAgentFile(String(secret?.getIn(['stringData', `${pod}.yaml`])), `${pod}.yaml`);

it('has a file for the pod, which the agent reads, with the credentials of an agent of that name', () => {
  const args = [0, 1, 2].map((index) => of(...container, 'args', index));
  const path = typeof args[1] === 'string' ? args[1] : '';
  expect([args[0], args[2]]).toEqual(['--config', undefined]);
  const mounted = String(of(...container, 'volumeMounts', 0, 'mountPath'));
  const config = path.replace('$(POD)', pod);
  expect(config).toBe(`${mounted}/${pod}.yaml`);
  const resolved = resolveAgentCommand({ config, capability: [], executor: [], deps: true }, {}, '/', () => file);
  expect(resolved).toMatchObject({ name: pod, site: 'lab', slots: 4 });
  expect(of('spec', 'template', 'spec', 'volumes', 0, 'secret', 'secretName')).toBe(
    secret?.getIn(['metadata', 'name']),
  );
});

it('gives the agent more time to stop than its grace', () => {
  const seconds = Number(of('spec', 'template', 'spec', 'terminationGracePeriodSeconds'));
  expect(seconds * 1_000).toBeGreaterThanOrEqual((file.grace ?? 0) + 15_000);
});

it('keeps on a volume what the image says is to be kept, and selects its own pods', () => {
  const built = readFileSync(join(root, 'packaging', 'Containerfile'), 'utf8');
  const kept = /^ENV POLARON_HOME=(.*)$/m.exec(built)?.[1];
  expect(of(...container, 'volumeMounts', 1, 'mountPath')).toBe(kept);
  expect(of('spec', 'volumeClaimTemplates', 0, 'metadata', 'name')).toBe(of(...container, 'volumeMounts', 1, 'name'));
  expect(of('spec', 'selector', 'matchLabels', 'app')).toBe(of('spec', 'template', 'metadata', 'labels', 'app'));
});
