/** Which names of a function's text come from outside of it. Not here: deciding whether that is allowed (inline.ts). */
import { child, children, isFunctionNode, list, patternNames, text, type AstNode } from './ast.ts';

/** `this`, `super` and `import.meta` are listed too when they are the outside's. */
export function freeNames(root: AstNode): Set<string> {
  const free = new Set<string>();
  visit(root, { names: new Set(), outer: undefined, owns: false }, free);
  return free;
}

interface Scope {
  readonly names: Set<string>;
  readonly outer: Scope | undefined;
  /** Has a `this` of its own in reach (a function or class that isn't an arrow). */
  readonly owns: boolean;
}

const inner = (outer: Scope, names: Iterable<string> = [], owns = outer.owns): Scope => ({
  names: new Set(names),
  outer,
  owns,
});

function declared(name: string, scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

/** `var` names of a function body, nested blocks included, nested functions not. */
function hoisted(node: AstNode, into: Set<string>): Set<string> {
  if (node.type === 'VariableDeclaration' && text(node, 'kind') === 'var') declaratorNames(node, into);
  for (const part of children(node)) if (!isFunctionNode(part) && !part.type.startsWith('Class')) hoisted(part, into);
  return into;
}

function declaratorNames(declaration: AstNode, into: Set<string>): void {
  for (const declarator of list(declaration, 'declarations')) {
    const id = child(declarator, 'id');
    if (id !== undefined) patternNames(id, into);
  }
}

/** Names that the statements of one block declare. */
export function blockNames(statements: readonly AstNode[]): Set<string> {
  const names = new Set<string>();
  for (const statement of statements) {
    if (statement.type === 'VariableDeclaration') declaratorNames(statement, names);
    else if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
      const name = text(child(statement, 'id'), 'name');
      if (name !== undefined) names.add(name);
    }
  }
  return names;
}

function visitAll(nodes: readonly AstNode[], scope: Scope, free: Set<string>): void {
  for (const node of nodes) visit(node, scope, free);
}

function visitFunction(node: AstNode, scope: Scope, free: Set<string>): void {
  const arrow = node.type === 'ArrowFunctionExpression';
  const made = inner(scope, arrow ? [] : ['arguments'], arrow ? scope.owns : true);
  const own = text(child(node, 'id'), 'name');
  if (own !== undefined) made.names.add(own);
  for (const parameter of list(node, 'params')) patternNames(parameter, made.names);
  const body = child(node, 'body');
  if (body !== undefined) hoisted(body, made.names);
  visitAll(list(node, 'params'), made, free);
  if (body !== undefined) visit(body, made, free);
}

function visitClass(node: AstNode, scope: Scope, free: Set<string>): void {
  const name = text(child(node, 'id'), 'name');
  const superClass = child(node, 'superClass');
  if (superClass !== undefined) visit(superClass, scope, free);
  const body = child(node, 'body');
  if (body !== undefined) visitAll(list(body, 'body'), inner(scope, name === undefined ? [] : [name], true), free);
}

/** A member whose key is a name, not an expression. */
function visitKeyed(node: AstNode, scope: Scope, free: Set<string>): void {
  const skipped = node['computed'] === true ? undefined : child(node, 'key');
  visitAll(
    children(node).filter((part) => part !== skipped),
    scope,
    free,
  );
}

function visit(node: AstNode, scope: Scope, free: Set<string>): void {
  if (isFunctionNode(node)) return visitFunction(node, scope, free);
  switch (node.type) {
    case 'Identifier': {
      const name = text(node, 'name');
      if (name !== undefined && !declared(name, scope)) free.add(name);
      return;
    }
    case 'ThisExpression':
      if (!scope.owns) free.add('this');
      return;
    case 'Super':
      if (!scope.owns) free.add('super');
      return;
    case 'MetaProperty':
      if (text(child(node, 'meta'), 'name') === 'import') free.add('import.meta');
      return;
    case 'ClassDeclaration':
    case 'ClassExpression':
      return visitClass(node, scope, free);
    case 'MemberExpression': {
      const object = child(node, 'object');
      if (object !== undefined) visit(object, scope, free);
      const property = child(node, 'property');
      if (node['computed'] === true && property !== undefined) visit(property, scope, free);
      return;
    }
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return visitKeyed(node, scope, free);
    case 'LabeledStatement': {
      const body = child(node, 'body');
      if (body !== undefined) visit(body, scope, free);
      return;
    }
    case 'BreakStatement':
    case 'ContinueStatement':
      return;
    case 'BlockStatement':
    case 'StaticBlock':
      return visitAll(list(node, 'body'), inner(scope, blockNames(list(node, 'body'))), free);
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement': {
      const head = child(node, node.type === 'ForStatement' ? 'init' : 'left');
      return visitAll(children(node), inner(scope, head === undefined ? [] : blockNames([head])), free);
    }
    case 'SwitchStatement': {
      const statements = list(node, 'cases').flatMap((one) => list(one, 'consequent'));
      return visitAll(children(node), inner(scope, blockNames(statements)), free);
    }
    case 'CatchClause': {
      const parameter = child(node, 'param');
      return visitAll(children(node), inner(scope, parameter === undefined ? [] : patternNames(parameter)), free);
    }
    default:
      visitAll(children(node), scope, free);
  }
}
