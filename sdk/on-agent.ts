/** Is this module being evaluated by an agent? */
import { registry } from '../bus/protocol/registry.ts';

/** true where a module is being evaluated by an agent: `if (!onAgent) await seedDatabase()` */
export const onAgent: boolean = registry().agent !== undefined;
