/**
 * A module's top level as items: what each declares, which names it uses from outside, and what it may change that others declare.
 * Not here: which items belong to an electron's code (code-digest.ts).
 */
import { child, children, isFunctionNode, list, patternNames, text, type AstNode } from './ast.ts';
import { blockNames, freeNames } from './free-names.ts';

export interface Item {
  readonly node: AstNode;
  readonly text: string;
  readonly declares: ReadonlySet<string>;
  /** Names from outside of it, its own among them when it uses them. */
  readonly uses: ReadonlySet<string>;
  /** Declares data that is filled later: an array, an object, what `new` makes. */
  readonly isData: boolean;
  /** Names that it assigns, or a member of which, at whatever depth. */
  readonly assigns: ReadonlySet<string>;
  /** While the module is evaluated: names that it calls, calls a method of, or hands to a call. */
  readonly handles: ReadonlySet<string>;
  /** The same inside of functions, without calls. */
  readonly handlesLater: ReadonlySet<string>;
}

/** Methods that leave what they are called on as it is. */
const READING = new Set(
  (
    'at concat entries every filter find findIndex findLast findLastIndex flat flatMap forEach get has includes indexOf join keys lastIndexOf map ' +
    'reduce reduceRight slice some toReversed toSorted toSpliced toString valueOf values with'
  ).split(' '),
);

const DATA = new Set(['ArrayExpression', 'ObjectExpression', 'NewExpression']);

/** The items of a program, in order. `harmless`: calls of these change nothing that they are given. */
export function itemsOf(program: AstNode, source: string, harmless: (name: string) => boolean): Item[] {
  return list(program, 'body').map((node) => {
    const [assigns, handles, handlesLater] = [new Set<string>(), new Set<string>(), new Set<string>()];
    changes(node, false, { assigns, handles, handlesLater, harmless });
    return {
      node,
      text: source.slice(node.start, node.end),
      declares: blockNames([node]),
      uses: freeNames(node),
      isData: list(node, 'declarations').some((one) => DATA.has(child(one, 'init')?.type ?? '')),
      assigns,
      handles,
      handlesLater,
    };
  });
}

interface Found {
  readonly assigns: Set<string>;
  readonly handles: Set<string>;
  readonly handlesLater: Set<string>;
  readonly harmless: (name: string) => boolean;
}

function changes(node: AstNode, later: boolean, found: Found): void {
  const within = later || isFunctionNode(node) || node.type === 'PropertyDefinition';
  switch (node.type) {
    case 'AssignmentExpression':
      target(child(node, 'left'), found.assigns);
      break;
    case 'UpdateExpression':
      target(child(node, 'argument'), found.assigns);
      break;
    case 'UnaryExpression':
      if (text(node, 'operator') === 'delete') target(child(node, 'argument'), found.assigns);
      break;
    case 'ForInStatement':
    case 'ForOfStatement':
      target(child(node, 'left'), found.assigns);
      break;
    case 'CallExpression':
    case 'NewExpression':
    case 'TaggedTemplateExpression':
      call(node, later, found);
      break;
    default:
      break;
  }
  for (const part of children(node)) changes(part, within, found);
}

function call(node: AstNode, later: boolean, { handles, handlesLater, harmless }: Found): void {
  const callee = child(node, 'callee') ?? child(node, 'tag');
  const of = callee === undefined ? undefined : rootName(callee);
  if (harmless(calledName(node) ?? '')) return;
  const into = later ? handlesLater : handles;
  const method =
    callee === undefined || callee['computed'] === true ? undefined : text(child(callee, 'property'), 'name');
  const isCall = callee?.type === 'Identifier';
  if (of !== undefined && (isCall ? !later : method === undefined || !READING.has(method))) into.add(of);
  for (const argument of list(node, 'arguments')) {
    const name = rootName(argument.type === 'SpreadElement' ? (child(argument, 'argument') ?? argument) : argument);
    if (name !== undefined) into.add(name);
  }
}

/** What an assignment changes: the variable, or the one whose member it is. */
function target(node: AstNode | undefined, into: Set<string>): void {
  if (node === undefined || node.type === 'VariableDeclaration') return;
  const name = rootName(node);
  if (name === undefined) patternNames(node, into);
  else into.add(name);
}

/** `x` of `x`, `x.y`, `x?.y[0]`. */
export function rootName(node: AstNode): string | undefined {
  let at: AstNode | undefined = node;
  while (at !== undefined && at.type !== 'Identifier')
    at =
      at.type === 'MemberExpression' || at.type === 'ChainExpression'
        ? (child(at, 'object') ?? child(at, 'expression'))
        : undefined;
  return at === undefined ? undefined : text(at, 'name');
}

/** Whose call it is in the end: `f` of `f(x)`, `f.g(x)`, `f(x)(y)`. */
export function calledName(call: AstNode): string | undefined {
  const callee = child(call, 'callee') ?? child(call, 'tag');
  if (callee === undefined) return undefined;
  return callee.type === 'CallExpression' ? calledName(callee) : rootName(callee);
}
