/** What an electron knows of itself, and how it says what it does: docs/guides/context.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, dispatchSync, electron, lattice } from 'polaron';

const train = electron(function train(epochs: number): string {
  const { attempt, electronName, latticeName, log, metadata, progress, scratchDir } = context();
  const checkpoint = join(scratchDir, 'checkpoint');
  for (let epoch = 1; epoch <= epochs; epoch++) {
    writeFileSync(checkpoint, `weights of epoch ${epoch}`);
    log('epoch done', { epoch, loss: 1 / epoch });
    progress(epoch / epochs, `epoch ${epoch}`);
  }
  console.log(`${latticeName}/${electronName} for team ${metadata['team']}, attempt ${attempt}`);
  return readFileSync(checkpoint, 'utf8');
});

const study = lattice({ metadata: { team: 'vision' } }, function study() {
  return train(2);
});

const result = await dispatchSync(study)();
const electronResult = await result.electrons.get('train');
console.log((await electronResult.stdout()).trim());
for (const { message, fields } of await electronResult.logs()) console.log(message, fields);
if (result.status === 'completed') console.log(result.value);
