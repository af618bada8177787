/** What bundles have in place of local-log.ts: a local run while a module is loaded on an agent has no readers. */
export const localLine = (message: string): string => message;
