/**
 * Orders nodes so that what a node depends on comes first. Nodes of a cycle stay together in input order: a caller that cannot
 * work with cycles finds them with `findCycle`. Deterministic for equal input.
 */
export function dependencyOrder<Node>(nodes: readonly Node[], dependencies: (node: Node) => readonly Node[]): Node[] {
  const ordered: Node[] = [];
  const seen = new Set<Node>();
  const known = new Set(nodes);
  // An explicit stack: chains of thousands of tables must not overflow the call stack.
  for (const root of nodes) {
    const stack: { node: Node; rest: Node[] }[] = [];
    const enter = (node: Node): void => {
      if (seen.has(node) || !known.has(node)) return;
      seen.add(node);
      stack.push({ node, rest: [...dependencies(node)] });
    };
    enter(root);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const next = frame.rest.shift();
      if (next !== undefined) enter(next);
      else ordered.push((stack.pop() as { node: Node }).node);
    }
  }
  return ordered;
}

/** A cycle as a path that ends where it began, or null. */
export function findCycle<Node>(nodes: readonly Node[], dependencies: (node: Node) => readonly Node[]): Node[] | null {
  const done = new Set<Node>();
  for (const root of nodes) {
    const path: { node: Node; rest: Node[] }[] = [];
    const onPath = new Map<Node, number>();
    const enter = (node: Node): Node[] | null => {
      const start = onPath.get(node);
      if (start !== undefined) return [...path.slice(start).map((step) => step.node), node];
      if (done.has(node)) return null;
      onPath.set(node, path.length);
      path.push({ node, rest: [...dependencies(node)] });
      return null;
    };
    enter(root);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const next = frame.rest.shift();
      if (next === undefined) {
        path.pop();
        onPath.delete(frame.node);
        done.add(frame.node);
      } else {
        const cycle = enter(next);
        if (cycle !== null) return cycle;
      }
    }
  }
  return null;
}
