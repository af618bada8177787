/**
 * The code of the guides as a reader would use it: every TypeScript block compiles against the built package, and every program runs under tsx, against a hub of `polaron start`, and prints
 * what the page says. How a block is marked stands in code-blocks.ts.
 */
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../house/sources.ts';
import { isolation } from '../support/real-hub.ts';
import { codeBlocks, importsPolaron, inPlace, printed, type CodeBlock } from './code-blocks.ts';
import { pages, readPage } from './pages.ts';

const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'polaron-guides-'));
const command = join(root, 'dist', 'cli', 'main.cjs');
const { POLARON_URL: _, ...inherited } = process.env;
const env = { ...inherited, NO_COLOR: '1', POLARON_HOME: join(folder, 'home') };

async function node(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd, env });
  return stdout;
}

interface Guide {
  readonly page: string;
  readonly folder: string;
  readonly blocks: readonly CodeBlock[];
}
const guides: readonly Guide[] = pages()
  .filter((page) => page.startsWith('docs/guides/') || page === 'docs/coming-from-covalent.md')
  .map((page) => ({ page, folder: join(folder, basename(page, '.md')), blocks: codeBlocks(readPage(page)) }));

const isExample = ({ file }: CodeBlock): boolean => file?.startsWith('examples/') === true;
const isTest = ({ file }: CodeBlock): boolean => file?.endsWith('.test.ts') === true;
const isProgram = (block: CodeBlock): boolean => block.language === 'ts' && (importsPolaron(block) || isTest(block));
const isThere = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((path) => existsSync(join(path, program)));
const pathOf = (guide: Guide, block: CodeBlock): string =>
  isExample(block) ? join(root, block.file ?? '') : join(guide.folder, block.file ?? `line-${block.line}.ts`);

/** What `import … from 'polaron'` gives. */
const offered = new Set(
  [
    ...readFileSync(join(root, 'dist/sdk/index.d.ts'), 'utf8').matchAll(
      /^export (?:(?:type )?\{([^}]*)\}|declare const (\w+))/gm,
    ),
  ]
    .flatMap(([, list, name]) => list?.split(',') ?? [name ?? ''])
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

/** A block as a module. What a fragment uses of polaron is imported at its end, so that the lines stay. */
function moduleOf(block: CodeBlock): string {
  const text = inPlace(block);
  if (block.file !== undefined || importsPolaron(block)) return text;
  const used = [...new Set(text.match(/\w+/g))].filter((word) => offered.has(word));
  return `${text}import { ${used.join(', ')} } from 'polaron';\n`;
}

/** Every package of the repository, and polaron itself: in a folder above those of the pages. */
function installPackages(): void {
  const modules = join(root, 'node_modules');
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(modules))
    if (name !== 'polaron' && !name.startsWith('.'))
      symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  symlinkSync(root, join(folder, 'node_modules', 'polaron'));
}

/** What `tsc` says of everything in the folder: nothing, when all is well. Lines are those of the pages. */
async function typeErrors(): Promise<string> {
  const compilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: true, allowImportingTsExtensions: true },
    ...{ module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], types: ['node'] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/**/*.ts'] }));
  return node(folder, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder).catch(
    (error: { stdout?: string }) => error.stdout ?? 'tsc did not run',
  );
}

function runTest(guide: Guide, block: CodeBlock): Promise<string> {
  const withVitest = /from 'vitest'/.test(block.code);
  const runner = withVitest
    ? [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', guide.folder]
    : ['--import', 'tsx', '--test'];
  return node(guide.folder, ...runner, pathOf(guide, block));
}

describe('the code of the guides', () => {
  beforeAll(async () => {
    installPackages();
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    for (const guide of guides) mkdirSync(guide.folder, { recursive: true });
    for (const guide of guides)
      for (const block of guide.blocks)
        if (!isExample(block) && (block.language === 'ts' || block.file !== undefined)) {
          mkdirSync(dirname(pathOf(guide, block)), { recursive: true });
          writeFileSync(pathOf(guide, block), block.language === 'ts' ? moduleOf(block) : block.code);
        }
    await node(folder, command, 'start', '--detach', '--json', '--slots', '4', ...isolation);
  }, 60_000);
  afterAll(async () => {
    await node(folder, command, 'stop');
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('compiles against the built package', { timeout: 60_000 }, async () => {
    expect(await typeErrors()).toBe('');
  });

  it('says what each program prints, and hides nothing that a program needs', () => {
    const unclear = guides.flatMap(({ page, blocks }) =>
      blocks.flatMap((block) => {
        const at = `${page}:${block.line}`;
        if (isProgram(block) && block.prints === undefined && block.file === undefined)
          return [
            `${at}: a program needs a text block below it with what it prints, or a file name; a fragment does not import polaron`,
          ];
        return isProgram(block) && block.setup !== undefined
          ? [`${at}: a program can't lean on what readers don't see`]
          : [];
      }),
    );
    expect(unclear).toEqual([]);
  });

  it.each(
    guides.flatMap(({ page, blocks }) =>
      blocks.filter(isExample).map((block) => ({ page, block, file: block.file ?? '' })),
    ),
  )('$page shows $file as it is', ({ block, file }) => {
    expect(block.code).toBe(readFileSync(join(root, file), 'utf8'));
  });

  for (const guide of guides) {
    const programs = guide.blocks.filter((block) => isProgram(block) && (block.prints !== undefined || isTest(block)));
    for (const block of programs) {
      const missing = block.needs !== undefined && !isThere(block.needs);
      it.skipIf(missing)(`${guide.page}:${block.line} does what the page says`, { timeout: 60_000 }, async () => {
        if (isTest(block)) return void (await runTest(guide, block));
        const output = await node(guide.folder, '--import', 'tsx', pathOf(guide, block));
        if (!printed(block.prints ?? '', output)) expect(output).toBe(block.prints);
      });
    }
  }
});
