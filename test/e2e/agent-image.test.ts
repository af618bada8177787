/** packaging/Containerfile for real: built, an agent in it that joins a hub outside, runs an electron and is stopped as an engine stops it. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult, getValue } from 'polaron';
import { buildAgentImage, hasPodman, podman } from '../support/agent-image.ts';
import { withContainerEngine } from '../support/container-engine.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { throughGate } from './workflows/gates.ts';
import { inImage } from './workflows/places-in-images.ts';

const name = `polaron-agent-image-${process.pid}`;
const image = `localhost/${name}:test`;
const installed = '/opt/polaron/node_modules/polaron/package.json';

withContainerEngine('the image of packaging/Containerfile', ({ image: base }) => {
  withRealPart('podman', hasPodman() ? 'podman' : undefined, 'the command podman is not there', () => {
    describe('an agent in the image of packaging/Containerfile', { timeout: 60_000 }, () => {
      const hub = new RealHub({ start: ['--no-agent'] });
      let folder: string;
      let built: { remove: () => Promise<void> } | undefined;
      beforeAll(async () => {
        [built] = await Promise.all([buildAgentImage(base, image), hub.start()]);
        folder = mkdtempSync(join(hub.home, 'shared-'));
      }, 60_000);
      afterAll(async () => {
        await podman('rm', '--force', '--volumes', name).catch(() => undefined);
        await built?.remove();
        await hub.close();
      });

      it('joins by an invitation, runs electrons there, and at the signal of a stop lets them end', async () => {
        const invited = await hub.polaron(['invite', 'boxed', '--site', 'lab']);
        const bus = /'([^']*)'/.exec(invited.out)?.[1] ?? '';
        // podman's defaults are above what root may set on some machines
        const limits = ['--ulimit', 'nofile=16384:16384', '--ulimit', 'nproc=4096:4096'];
        const run = ['run', '--detach', '--name', name, '--network', 'host', '--pull', 'never', ...limits];
        const agent = ['--capability', 'imaged', '--slots', '1', '--grace', '30s'];
        await podman(...run, '--volume', `${folder}:${folder}`, '--env', `POLARON_URL=${bus}`, image, ...agent);
        await until(async () => (await podman('logs', name)).includes('ready'), 'it joins', 20_000);

        const where = await dispatchSync(inImage)(installed);
        expect(where).toMatchObject({ status: 'completed', value: true });
        expect((await where.electrons.get('imaged')).agent).toBe('lab.boxed');
        expect(existsSync(installed)).toBe(false);

        const id = await dispatch(throughGate)(folder, 'stop');
        const notes = join(folder, 'notes');
        await until(() => existsSync(notes) && readFileSync(notes, 'utf8').includes('begin stop '), 'it runs', 20_000);
        const stopped = podman('stop', '--time', '60', name);
        await until(async () => JSON.stringify(await hub.json(['agents'])).includes('"draining"'), 'it drains', 10_000);
        writeFileSync(join(folder, 'stop.open'), '');
        await stopped;
        expect(await podman('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('0');
        expect(await hub.json(['agents'])).toEqual({ agents: [] });

        // what was left is done by the same container, started again: its volume is still there
        await podman('start', name);
        expect(await getValue(id)).toBe(3);
        expect((await (await getResult(id)).electrons.get('gated')).attempts).toBe(1);
        await podman('stop', '--time', '60', name);
      });
    });
  });
});
