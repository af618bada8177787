/**
 * `npm run docs`: writes docs/reference/*.md, a page for each entry point of the package, from the declarations in dist/ and their docstrings.
 * `referencePages()` is what stands there, for the test that compares; `publicExports()` is what it is made of. Decided in docs/adr/027-api-reference.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { build } from './build.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';

const folder = join(root, 'docs', 'reference');
const modules = new Map();

/** The entry points of package.json that have types: what is imported, and its declarations. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [{ name: `polaron${path.slice(1)}`, file: join(root, types) }],
  );
}

/** A declaration file: its text, its statements, and what each name in it is. */
function load(file) {
  const known = modules.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const { body } = parseAst(text, { lang: 'dts' });
  const module = { file, text, body };
  modules.set(file, module);
  return module;
}

const fileOf = (module, specifier) => join(dirname(module.file), specifier.replace(/\.ts$/, '.d.ts'));
const namesOf = ({ declaration }) =>
  declaration.type === 'VariableDeclaration'
    ? declaration.declarations.map(({ id }) => id.name)
    : [declaration.id.name];

/** Every exported name of a module and where it is declared, in the order of the text. */
function exportsOf(module) {
  const from = ({ source }) => (source === null ? module : load(fileOf(module, source.value)));
  return module.body.flatMap((statement) => {
    if (statement.type === 'ExportAllDeclaration') return exportsOf(from(statement));
    if (statement.type !== 'ExportNamedDeclaration') return [];
    if (statement.declaration) return namesOf(statement).map((name) => ({ name, module, statement }));
    return statement.specifiers.map(({ local, exported }) => ({
      ...(statement.source === null ? importOf(module, local.name) : declarationOf(from(statement), local.name)),
      name: exported.name,
    }));
  });
}

function declarationOf(module, name) {
  const exported = exportsOf(module).find((found) => found.name === name);
  if (exported !== undefined) return exported;
  throw new Error(`${module.file} exports no ${name} that the reference could show`);
}

/** What `export { name }` means in a module that imports it. */
function importOf(module, name) {
  for (const { type, specifiers, source } of module.body) {
    const imported = type === 'ImportDeclaration' && specifiers.find(({ local }) => local.name === name)?.imported;
    if (imported) return declarationOf(load(fileOf(module, source.value)), imported.name);
  }
  throw new Error(`${module.file} exports ${name}, which it does not import`);
}

/** The docstring that ends before an offset, as Markdown; '' when there is none. */
function docBefore(text, offset) {
  const before = text.slice(0, offset).trimEnd();
  if (!before.endsWith('*/')) return '';
  const lines = before.slice(before.lastIndexOf('/**') + 3, -2).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
}

const importedType = /import\("([^"]+)"\)\.(\w+)/g;
const shown = (text) =>
  text
    .replace(/^export (declare )?/, '')
    .replaceAll(importedType, '$2')
    .replace(/;$/, '');

/** What the reference says of one export: `kind` is value or type, `members` are those of an interface or class, each with its docstring. */
function entryOf({ name, module, statement }) {
  const { declaration } = statement;
  const doc = docBefore(module.text, statement.start);
  const declared = shown(module.text.slice(statement.start, statement.end));
  const text = declared.replace(
    new RegExp(`^(class|interface|type|function) ${declaration.id?.name}\\b`),
    `$1 ${name}`,
  );
  const value = !/^TS(Interface|TypeAlias)/.test(declaration.type);
  const members = (declaration.body?.body ?? []).flatMap((member) =>
    member.computed || member.kind === 'constructor'
      ? []
      : [{ name: member.key?.name ?? '()', doc: docBefore(module.text, member.start) }],
  );
  return {
    name,
    kind: value ? 'value' : 'type',
    doc,
    text: value ? signature(module, text, statement) : text,
    members,
  };
}

/** `const dispatch: Dispatch` says little: the type that it names is shown in its place, when that is a function. */
function signature(module, text, statement) {
  const source = module.text.slice(statement.start, statement.end);
  const [, file, type] = /: import\("([^"]+)"\)\.(\w+);$/.exec(source) ?? [];
  if (file === undefined) return text;
  const { module: from, statement: declared } = declarationOf(load(fileOf(module, file)), type);
  const whole = shown(from.text.slice(declared.start, declared.end));
  return whole.startsWith('type ')
    ? text.replace(/: \w+$/, `: ${whole.replace(/^type \w+ = /, '')}`)
    : `${text}\n${whole}`;
}

/** The public exports of each entry point. */
export const publicExports = () =>
  entries().map(({ name, file }) => ({ name, exports: exportsOf(load(file)).map(entryOf) }));

const heading = ({ name, kind }) => (kind === 'type' ? `type ${name}` : name);
const link = (entry) => `[${entry.name}](#${heading(entry).toLowerCase().replace(' ', '-')})`;

function page({ name, exports }) {
  const values = exports.filter(({ kind }) => kind === 'value');
  const types = exports.filter(({ kind }) => kind === 'type').sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = [
    `# \`${name}\``,
    `Made by \`npm run docs\` from the docstrings of the package; change those. The codes are in [errors.md](../errors.md), how things are used in the [guides](../guides/README.md).`,
    ...[values, types].filter(({ length }) => length > 0).map((list) => list.map(link).join(' · ')),
    ...[...values, ...types].flatMap((entry) => [`## ${heading(entry)}`, entry.doc, `\`\`\`ts\n${entry.text}\n\`\`\``]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** File name and text of every page. */
export const referencePages = () =>
  publicExports().map((entry) => ({ file: `${entry.name.replace('/', '-')}.md`, text: page(entry) }));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureInstalled();
  await build();
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of referencePages()) writeFileSync(join(folder, file), text);
}
